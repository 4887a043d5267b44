//! From `[alerts]` to the channels that tell people, and to the dead man's switches.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::AppError;
use crate::{
    actors::alerting::{Alerting, Outward, PingPlan},
    config::{AlertSettings, Settings},
    platforms::ops::{
        OpsChannel,
        discord::{DiscordOps, DiscordOpsOptions},
        pagerduty::{PagerDuty, PagerDutyOptions},
        pings::{PingTarget, Pings},
        webhook::{Webhook, WebhookOptions},
    },
};

/// Builds what `[alerts]` describes; connects to nothing yet.
///
/// # Errors
/// A channel's settings cannot be used.
pub(super) fn alerting(settings: &Settings) -> Result<Alerting, AppError> {
    let problem = |name: &str, error: String| AppError::Build(format!("alerts.{name}: {error}"));
    let alerts = &settings.alerts;
    let mut channels: Vec<Arc<dyn OpsChannel>> = Vec::new();
    if let Some(options) = webhook(alerts) {
        let webhook = Webhook::new(options).map_err(|error| problem("webhook", error))?;
        channels.push(Arc::new(webhook));
    }
    if let Some(options) = discord(settings) {
        let discord = DiscordOps::new(options).map_err(|error| problem("discord", error))?;
        channels.push(Arc::new(discord));
    }
    if let Some(options) = pagerduty(alerts) {
        let pagerduty = PagerDuty::new(options).map_err(|error| problem("pagerduty", error))?;
        channels.push(Arc::new(pagerduty));
    }
    let pings = pings(settings).map_err(|error| problem("healthchecks", error))?;
    Ok(Alerting::new(Outward {
        rules: alerts.rules.clone(),
        channels,
        pings,
    }))
}

fn webhook(alerts: &AlertSettings) -> Option<WebhookOptions> {
    let webhook = alerts.webhook.as_ref()?;
    Some(WebhookOptions {
        url: webhook.url.expose_secret().to_owned(),
        secret: webhook.secret.clone(),
        headers: webhook.headers.clone(),
    })
}

fn discord(settings: &Settings) -> Option<DiscordOpsOptions> {
    let discord = settings.alerts.discord.as_ref()?;
    Some(DiscordOpsOptions {
        webhook_url: discord.webhook_url.clone(),
        channel_id: discord.channel_id,
        api_url: settings.discord.api_url.clone(),
        token: settings.discord.token.clone(),
    })
}

fn pagerduty(alerts: &AlertSettings) -> Option<PagerDutyOptions> {
    let pagerduty = alerts.pagerduty.as_ref()?;
    Some(PagerDutyOptions {
        routing_key: pagerduty.routing_key.clone(),
        url: pagerduty.url.clone(),
        source: host(),
    })
}

/// The name of this machine, for those who are told; that of the program if the machine has none.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "actor-server".into(),
        name => name.into(),
    }
}

/// `None` if nobody is to hear of any bot.
fn pings(settings: &Settings) -> Result<Option<PingPlan>, String> {
    let base = settings.alerts.healthchecks.as_ref();
    let base = base.map(|base| PingTarget {
        url: base.url.clone(),
        create: base.create,
    });
    let mut bots = settings.bots.iter();
    let has_own = bots.any(|bot| bot.policy.alerts.ping_url.is_some());
    if base.is_none() && !has_own {
        return Ok(None);
    }
    let pinger = Arc::new(Pings::new()?);
    Ok(Some(PingPlan { pinger, base }))
}
