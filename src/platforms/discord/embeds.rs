//! Discord's limits of embeds, in code points
//! (<https://discord.com/developers/docs/resources/message#embed-object-embed-limits>).

use serde_json::Value;

/// Embeds in one message.
const MOST: usize = 10;

/// Fields of one embed.
const MOST_FIELDS: usize = 25;

/// All texts of all embeds of a message.
const IN_ALL: usize = 6000;

/// Where a text stands in an embed, and how long it may be.
const TEXTS: [(&str, usize); 4] = [
    ("/title", 256),
    ("/description", 4096),
    ("/footer/text", 2048),
    ("/author/name", 256),
];

/// The same in a field.
const OF_FIELD: [(&str, usize); 2] = [("/name", 256), ("/value", 1024)];

/// Whether Discord would take these embeds.
///
/// # Errors
/// What is too long, and how long it may be.
pub(super) fn check(embeds: &Value) -> Result<(), String> {
    let embeds = list(embeds);
    if embeds.len() > MOST {
        let many = embeds.len();
        return Err(format!(
            "there are {many} embeds; Discord takes at most {MOST}"
        ));
    }
    let mut all = 0;
    for embed in embeds {
        all += texts(embed, &TEXTS, "embed")?;
        let fields = embed.get("fields").map(list).unwrap_or_default();
        if fields.len() > MOST_FIELDS {
            let many = fields.len();
            return Err(format!(
                "an embed has {many} fields; Discord takes at most {MOST_FIELDS}"
            ));
        }
        for field in fields {
            all += texts(field, &OF_FIELD, "embed's field")?;
        }
    }
    match all {
        all if all > IN_ALL => Err(format!(
            "the embeds have {all} characters in all; Discord takes at most {IN_ALL}"
        )),
        _ => Ok(()),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// How many characters these texts have.
fn texts(of: &Value, limits: &[(&str, usize)], what: &str) -> Result<usize, String> {
    let mut sum = 0;
    for (place, most) in limits {
        let text = of.pointer(place).and_then(Value::as_str);
        let length = text.map_or(0, |text| text.chars().count());
        if length > *most {
            let place = place.trim_start_matches('/').replace('/', ".");
            return Err(format!(
                "the {place} of an {what} has {length} characters; Discord takes at most {most}"
            ));
        }
        sum += length;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_too_long_for_discord_is_named() {
        let text = |length: usize| "é".repeat(length);
        let fields =
            |many: usize| json!({ "fields": vec![json!({ "name": "n", "value": "v" }); many] });
        for (embeds, says) in [
            (json!(vec![json!({ "title": "t" }); 11]), "11 embeds"),
            (
                json!([{ "title": text(257) }]),
                "the title of an embed has 257",
            ),
            (json!([{ "description": text(4097) }]), "at most 4096"),
            (json!([{ "footer": { "text": text(2049) } }]), "footer.text"),
            (json!([{ "author": { "name": text(257) } }]), "author.name"),
            (json!([fields(26)]), "26 fields"),
            (
                json!([{ "fields": [{ "name": "n", "value": text(1025) }] }]),
                "embed's field",
            ),
            (
                json!([{ "description": text(4000) }, { "description": text(2001) }]),
                "6001",
            ),
        ] {
            let problem = check(&embeds).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
        let good = json!([{ "title": text(256), "description": text(4096) }, fields(25)]);
        assert_eq!(check(&good), Ok(()));
    }
}
