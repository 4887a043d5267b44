//! Texts that come from outside, made fit to store and show: one line, of a bounded length.

use chrono::SecondsFormat;

use super::Instant;

/// A moment as logs and traces show it: RFC 3339 in UTC, with as many digits of a second as it has.
#[must_use]
pub fn rfc3339(moment: Instant) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `text` without control characters (each becomes a space) and at most `longest` characters long; what is cut ends
/// with `…`.
#[must_use]
pub fn bounded(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut kept: String = text.chars().take(longest).map(plain).collect();
    if text.chars().nth(longest).is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// Whether a NUL character is anywhere in it: texts of PostgreSQL cannot hold one.
#[must_use]
pub fn has_nul(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn a_text_keeps_one_line_and_its_bound() {
        for (text, longest, shown) in [
            ("fine", 4, "fine"),
            ("longer", 4, "lon…"),
            ("a\nb\x1b[31m\0", 20, "a b [31m "),
            ("ééééé", 3, "éé…"),
            ("", 0, ""),
        ] {
            assert_eq!(bounded(text, longest), shown);
        }
    }
}
