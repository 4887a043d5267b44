//! From settings to the built-in platforms: the console, Discord, and webhooks.

use std::sync::Arc;

use super::AppError;
use crate::{
    actors::env::{DISCORD, Platforms},
    config::{PostWebhook, Settings},
    domain::bot::WebhookKind,
    outbound::{Outbound, OutboundRules},
    platforms::{
        ContentPoster,
        console::Console,
        webhook::{SignedWebhook, SignedWebhooks},
    },
};

/// A platform that is to be put in the place of another, or taken away.
pub(super) type Replaced = (&'static str, Option<Arc<dyn ContentPoster>>);

/// All of them; they connect to nothing yet.
///
/// # Errors
/// A platform's settings cannot be used.
pub(super) fn built_in(settings: &Settings) -> Result<Platforms, AppError> {
    let platforms = Platforms::default().with(Arc::new(Console::stdout()));
    platforms.set(DISCORD, discord(settings)?);
    for (name, platform) in webhooks(settings)? {
        platforms.set(name, platform);
    }
    Ok(platforms)
}

/// The way out for bots.
pub(super) fn outbound(settings: &Settings) -> Outbound {
    let rules = OutboundRules {
        allow_hosts: settings.outbound.allow_hosts.clone(),
    };
    match settings.outbound.only_allowed_hosts {
        true => Outbound::only(rules),
        false => Outbound::new(rules),
    }
}

/// The bot API; `None` without a token.
///
/// # Errors
/// Its settings cannot be used.
pub(super) fn discord(settings: &Settings) -> Result<Option<Arc<dyn ContentPoster>>, AppError> {
    #[cfg(feature = "discord")]
    if let Some(token) = &settings.discord.token {
        use crate::platforms::discord::{Discord, DiscordOptions};
        let discord = Discord::new(DiscordOptions {
            outbound: outbound(settings),
            ..DiscordOptions::new(settings.discord.api_url.clone(), token.clone())
        });
        return Ok(Some(Arc::new(discord.map_err(AppError::Build)?)));
    }
    #[cfg(not(feature = "discord"))]
    let _ = settings;
    Ok(None)
}

/// Both kinds of webhooks; `None` in the place of a kind that has none.
///
/// # Errors
/// The settings of one cannot be used.
pub(super) fn webhooks(settings: &Settings) -> Result<Vec<Replaced>, AppError> {
    let of = |kind| {
        let all = settings.webhooks.iter();
        all.filter(move |hook| hook.kind == kind).peekable()
    };
    let mut both: Vec<Replaced> = Vec::new();
    #[cfg(feature = "discord")]
    {
        use crate::platforms::discord::DiscordWebhooks;
        let mut hooks = of(WebhookKind::Discord);
        let is_any = hooks.peek().is_some();
        let hooks = hooks.map(|hook| (hook.name.clone(), hook.url.clone()));
        let made = DiscordWebhooks::new(hooks, outbound(settings)).map_err(AppError::Build)?;
        let made: Arc<dyn ContentPoster> = Arc::new(made);
        both.push((WebhookKind::Discord.platform(), is_any.then_some(made)));
    }
    let mut hooks = of(WebhookKind::Signed);
    let is_any = hooks.peek().is_some();
    let made = SignedWebhooks::new(hooks.filter_map(signed), outbound(settings));
    let made: Arc<dyn ContentPoster> = Arc::new(made.map_err(AppError::Build)?);
    both.push((WebhookKind::Signed.platform(), is_any.then_some(made)));
    Ok(both)
}

fn signed(hook: &PostWebhook) -> Option<SignedWebhook> {
    Some(SignedWebhook {
        name: hook.name.clone(),
        url: hook.url.clone(),
        secret: hook.secret.clone()?,
    })
}
