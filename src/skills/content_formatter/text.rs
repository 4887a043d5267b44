//! The text of a message: its length, its source line, its hashtags.
//!
//! Lengths are in code points, as Discord counts; cuts fall between graphemes, as people read.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

/// `text` with `tail` behind it, cut to `longest`. The tail is kept whole, unless it would take more than half of it.
pub(super) fn fit(text: &str, tail: &str, longest: usize) -> String {
    let room = longest.saturating_sub(length(tail));
    if tail.is_empty() || room < longest.div_ceil(2) {
        return cut(text, longest);
    }
    format!("{}{tail}", cut(text.trim_end(), room))
}

/// At most `longest` characters of `text`; what is cut ends with `…`.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    let mut left = longest.saturating_sub(1);
    let kept: String = text
        .graphemes(true)
        .take_while(|grapheme| {
            let after = left.checked_sub(length(grapheme));
            left = after.unwrap_or_default();
            after.is_some()
        })
        .collect();
    format!("{}…", kept.trim_end())
}

/// In code points.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// `Source: …`, when the content names one.
pub(super) fn source(content: &Value) -> Option<String> {
    let named = |key: &str| {
        content
            .get(key)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|source| !source.is_empty())
    };
    let source = named("source").or_else(|| named("url"))?;
    Some(format!("Source: {}", source.replace(['\r', '\n'], " ")))
}

/// `content.tags`.
pub(super) fn tags(content: &Value) -> Vec<&str> {
    let tags = content.get("tags").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// `#one #two`, each once; `None` when there is none.
pub(super) fn hashtags(tags: &[&str]) -> Option<String> {
    let mut seen = Vec::new();
    let mut words = Vec::new();
    for tag in tags {
        let word: String = tag
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let key = word.to_lowercase();
        if !word.is_empty() && !seen.contains(&key) {
            seen.push(key);
            words.push(format!("#{word}"));
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}
