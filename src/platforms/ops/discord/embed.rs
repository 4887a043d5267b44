//! A notice as an embed, within Discord's limits
//! (<https://discord.com/developers/docs/resources/message#embed-object-embed-limits>): title 256, description 4096, a
//! field's value 1024, footer 2048, and 6000 for all texts together, in characters.

use chrono::SecondsFormat;
use reqwest::Url;
use serde_json::{Value, json};

use super::{super::text, markdown::escaped};
use crate::domain::alert::{Notice, Severity, Stage};

const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELD: usize = 1024;
/// Less than Discord's, so that all texts together stay below 6000.
const FOOTER: usize = 300;

pub(super) fn of(notice: &Notice) -> Value {
    json!({
        "title": title(notice),
        "description": escaped(&text::lines(&notice.detail, DESCRIPTION), DESCRIPTION),
        "color": color(notice),
        "timestamp": notice.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "fields": fields(notice),
        "footer": { "text": footer(notice) },
    })
}

/// A title of nothing but white space would be refused.
fn title(notice: &Notice) -> String {
    let title = escaped(&text::line(&notice.title, TITLE), TITLE);
    match title.trim().is_empty() {
        true => escaped(notice.kind.as_str(), TITLE),
        false => title,
    }
}

/// 24 bits of red, green and blue.
const fn color(notice: &Notice) -> u32 {
    match (notice.stage, notice.severity) {
        (Stage::Recovered, _) => 0x002e_cc71,
        (_, Severity::Info) => 0x0034_98db,
        (_, Severity::Warning) => 0x00f1_c40f,
        (_, Severity::Error) => 0x00e6_7e22,
        (_, Severity::Critical) => 0x00e7_4c3c,
    }
}

fn fields(notice: &Notice) -> Vec<Value> {
    let field = |name: &str, value: String, inline: bool| json!({ "name": name, "value": value, "inline": inline });
    // Discord shows each reader this moment in their own time zone.
    let since = format!("<t:{0}:F> (<t:{0}:R>)", notice.since.timestamp());
    let mut fields = vec![
        field("Severity", notice.severity.as_str().into(), true),
        field("Since", since, true),
    ];
    if let Some(bot) = &notice.bot {
        fields.push(field("Bot", escaped(bot.as_str(), FIELD), true));
    }
    fields.extend(runbook(notice).map(|link| field("Runbook", link, false)));
    fields
}

/// Only what is a link, and nothing that ends one.
fn runbook(notice: &Notice) -> Option<String> {
    let url = Url::parse(notice.runbook.as_deref()?).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let link = format!("<{url}>");
    (is_web && text::length(&link) <= FIELD).then_some(link)
}

/// No Markdown is read in a footer.
fn footer(notice: &Notice) -> String {
    let incident = text::line(&notice.incident, FOOTER);
    text::line(&format!("{} · {incident}", notice.stage.as_str()), FOOTER)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::alert::AlertKind;

    fn notice(text: &str) -> Notice {
        let at = DateTime::from_timestamp(1_772_366_400, 0).unwrap();
        Notice {
            id: "1".into(),
            incident: text.into(),
            kind: AlertKind::Failures,
            stage: Stage::Raised,
            severity: Severity::Warning,
            bot: None,
            title: text.into(),
            detail: text.into(),
            since: at,
            at,
            runbook: Some(format!("https://runbooks.example/{}", "x".repeat(900))),
        }
    }

    fn texts(value: &Value) -> usize {
        let own = |value: &Value| value.as_str().map_or(0, text::length);
        let fields = value["fields"].as_array().unwrap().iter();
        let fields = fields.map(|field| own(&field["name"]) + own(&field["value"]));
        let rest =
            own(&value["title"]) + own(&value["description"]) + own(&value["footer"]["text"]);
        rest + fields.sum::<usize>()
    }

    #[test]
    fn all_texts_together_stay_below_discords_limit() {
        for text in ["*", "a", "\u{1f600}", "é\n", "\u{202e}", "\0", "\u{200b}"] {
            let embed = of(&notice(&text.repeat(1 << 18)));
            assert!(texts(&embed) <= 6000, "{text}");
            for (part, longest) in [("title", TITLE), ("description", DESCRIPTION)] {
                let length = text::length(embed[part].as_str().unwrap());
                assert!(length <= longest, "{text}: {part} has {length}");
            }
            assert!(!embed["title"].as_str().unwrap().trim().is_empty());
        }
    }

    #[test]
    fn only_a_link_is_linked() {
        for (runbook, shown) in [
            ("https://r/held.md", Some("<https://r/held.md>")),
            ("https://r/a>b c", Some("<https://r/a%3Eb%20c>")),
            ("javascript:alert(1)", None),
            ("docs/held.md", None),
        ] {
            let mut notice = notice("x");
            notice.runbook = Some(runbook.into());
            let embed = of(&notice);
            let link = embed["fields"].as_array().unwrap().get(2);
            assert_eq!(link.map(|field| field["value"].as_str().unwrap()), shown);
        }
    }
}
