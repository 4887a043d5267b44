//! JSON values that strangers send and the store keeps.

use serde_json::{Number, Value};

/// How many arrays and objects stand inside one another; 0 for anything else.
#[must_use]
pub fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(values) => values.iter().map(depth).max(),
        Value::Object(map) => map.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// Whether `stored` is what `sent` becomes in a database: there a number may be written in another way, and a text holds
/// no NUL.
#[must_use]
pub fn means_the_same(stored: &Value, sent: &Value) -> bool {
    match (stored, sent) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::String(one), Value::String(other)) => same_text(one, other),
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| means_the_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let found = |key: &str| one.get(key).or_else(|| one.get(&without_nul(key)));
            let mut fields = other.iter();
            one.len() == other.len()
                && fields.all(|(key, value)| found(key).is_some_and(|it| means_the_same(it, value)))
        }
        _ => stored == sent,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    let whole = (one.is_i64() || one.is_u64()) && (other.is_i64() || other.is_u64());
    one == other || (!whole && one.as_f64() == other.as_f64())
}

fn same_text(stored: &str, sent: &str) -> bool {
    stored == sent || stored == without_nul(sent)
}

fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn depth_counts_what_stands_inside_one_another() {
        for (value, deep) in [
            (json!(1), 0),
            (json!([]), 1),
            (json!({ "a": [], "b": [[{}]] }), 4),
            (json!([1, [2], "x"]), 2),
        ] {
            assert_eq!(depth(&value), deep, "{value}");
        }
    }

    #[test]
    fn a_value_means_the_same_however_a_database_writes_it() {
        let whole_as_float: Value = serde_json::from_str("1e16").unwrap();
        for (stored, sent, same) in [
            (
                json!({ "a": 1, "b": [2.5] }),
                json!({ "b": [2.5], "a": 1 }),
                true,
            ),
            (json!(10_000_000_000_000_000_u64), whole_as_float, true),
            (json!("a\u{fffd}b"), json!("a\0b"), true),
            (json!({ "k\u{fffd}": 1 }), json!({ "k\0": 1 }), true),
            (
                json!(9_007_199_254_740_993_u64),
                json!(9_007_199_254_740_992_u64),
                false,
            ),
            (json!({ "a": 1 }), json!({ "a": 1, "b": null }), false),
            (json!({ "a": 1, "b": 2 }), json!({ "a": 1 }), false),
            (json!([1, 2]), json!([2, 1]), false),
            (json!([1]), json!([1, 1]), false),
            (json!("1"), json!(1), false),
            (json!(null), json!(false), false),
        ] {
            assert_eq!(means_the_same(&stored, &sent), same, "{stored} {sent}");
        }
    }
}
