//! `[outbound.webhooks.NAME]`: webhooks that bots may post to. Their URLs are secrets and stay here.

use secrecy::SecretString;

use super::{
    item::Item, keys::secret::webhook_secret, settings::PostWebhook, table::Table, urls::receiver,
};
use crate::domain::bot::WebhookKind;

const KINDS: [(&str, WebhookKind); 2] = [
    (WebhookKind::Discord.as_str(), WebhookKind::Discord),
    (WebhookKind::Signed.as_str(), WebhookKind::Signed),
];

/// All of them, in the order of their names.
pub(super) fn webhooks(outbound: &Table<'_>) -> Vec<PostWebhook> {
    let Some(table) = outbound.table("webhooks") else {
        return Vec::new();
    };
    let read = |(name, item): (&str, Item<'_>)| webhook(name, &item);
    let mut all: Vec<PostWebhook> = table.entries().filter_map(read).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn webhook(name: &str, item: &Item<'_>) -> Option<PostWebhook> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        item.problem("is no name of a webhook; use 1 to 64 of A-Z a-z 0-9 _ -");
    }
    let table = item.table()?;
    let kind = table.need("type", "`discord` or `signed`");
    let kind = kind.and_then(|item| item.choice(&KINDS));
    let url = table.need("url", "where posts are sent to");
    let url = url.and_then(|item| item.parse(receiver));
    let secret = secret(&table, kind);
    table.finish();
    if kind == Some(WebhookKind::Discord) && cfg!(not(feature = "discord")) {
        item.problem("this program was built without Discord; leave it out");
    }
    // One with problems is used by nobody, but bots may name it.
    Some(PostWebhook {
        name: name.to_owned(),
        kind: kind.unwrap_or(WebhookKind::Signed),
        url: url.unwrap_or_default().into(),
        secret,
    })
}

/// A signed one needs one, a Discord one has none.
fn secret(table: &Table<'_>, kind: Option<WebhookKind>) -> Option<SecretString> {
    if kind == Some(WebhookKind::Discord) {
        if let Some(item) = table.get("secret") {
            item.problem("Discord checks no signatures; leave it out");
        }
        return None;
    }
    let item = table.need("secret", "what posts are signed with, `whsec_…`")?;
    let secret = item.parse(webhook_secret)?;
    if secret.is_none() {
        item.problem("is empty; use `whsec_` and 24 to 64 random bytes in base64");
    }
    secret
}
