//! URLs that somebody has configured: of the web, and shown to nobody beyond their origin, because many carry a secret.

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

/// What is shorter in a path is part of no secret that is worth the name, but may well be a word.
const SHORTEST_SECRET: usize = 12;

/// In a query a value may be somebody's idea of a password; what is shorter may be the number in a message.
const SHORTEST_VALUE: usize = 4;

/// Reads the URL of `what`.
///
/// # Errors
/// What is wrong with it; its text is not in it.
pub(in crate::platforms) fn parse(what: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim())
        .map_err(|error| format!("{what} is no URL ({error}); write it like https://HOST/PATH"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("{what} is neither http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "{what} has a user name or password in it; leave out what stands before the `@`"
        ));
    }
    if url.fragment().is_some() {
        return Err(format!("{what} has a fragment; leave out the `#`"));
    }
    Ok(url)
}

/// `url` with this behind its path, whether or not that ends in `/`.
pub(in crate::platforms) fn below(url: &Url, tail: &str) -> Url {
    let mut longer = url.clone();
    longer.set_path(&format!("{}{tail}", url.path().trim_end_matches('/')));
    longer
}

/// The parts that may not be shown when an answer quotes them: the whole, long parts of its path, and its query with all values.
/// The longest goes first, so that no shorter one breaks it.
pub(in crate::platforms) fn secrets(url: &Url) -> Vec<SecretString> {
    let path = url.path_segments().into_iter().flatten();
    let path = path.chain([url.as_str(), url.path()]).map(str::to_owned);
    let query = url.query().unwrap_or_default();
    let written = query.split('&').filter_map(|pair| pair.split_once('='));
    let written = written.map(|(_, value)| value.to_owned());
    let meant = url.query_pairs().map(|(_, value)| value.into_owned());
    let values = written.chain(meant).chain([query.to_owned()]);
    let mut parts: Vec<String> = path
        .filter(|part| part.len() >= SHORTEST_SECRET)
        .chain(values.filter(|value| value.len() >= SHORTEST_VALUE))
        .collect();
    parts.sort_unstable_by_key(|part| std::cmp::Reverse(part.len()));
    parts.dedup();
    parts.into_iter().map(SecretString::from).collect()
}

/// `text` with `***` in the place of each secret.
pub(in crate::platforms) fn redacted(text: String, secrets: &[SecretString]) -> String {
    let shown = secrets.iter().map(|secret| secret.expose_secret());
    shown
        .filter(|secret| !secret.is_empty())
        .fold(text, |text, secret| text.replace(secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_meant_is_refused_and_not_shown() {
        for (text, part) in [
            ("hooks.example/hunter2", "is no URL"),
            ("ftp://h/hunter2", "neither http:// nor https://"),
            ("file:///hunter2", "neither http:// nor https://"),
            ("https://me:hunter2@h/", "before the `@`"),
            ("https://h/#hunter2", "leave out the `#`"),
            ("https://", "is no URL"),
            ("", "is no URL"),
        ] {
            let wrong = parse("the URL", text).unwrap_err();
            assert!(wrong.contains(part), "{text}: {wrong}");
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
    }

    #[test]
    fn a_tail_stands_behind_the_path_and_before_the_query() {
        for (url, longer) in [
            ("https://h", "https://h/fail"),
            ("https://h/key/", "https://h/key/fail"),
            ("https://h/key?a=b&c", "https://h/key/fail?a=b&c"),
        ] {
            let url = parse("the URL", url).unwrap();
            assert_eq!(below(&url, "/fail").as_str(), longer);
        }
    }

    #[test]
    fn what_an_answer_quotes_of_a_url_is_not_shown() {
        let url = parse(
            "it",
            "https://h/api/hooks/abcdefghijklmnop?key=qrstuvwxyz0123",
        )
        .unwrap();
        let said = format!("no {url}, no abcdefghijklmnop, no qrstuvwxyz0123, but api and hooks");
        let shown = redacted(said, &secrets(&url));
        assert_eq!(shown, "no ***, no ***, no ***, but api and hooks");
    }

    #[test]
    fn a_short_value_of_a_query_is_not_shown_either() {
        let url = parse("it", "https://h/in?k=pass%2Fword&n=7").unwrap();
        for (said, shows) in [
            ("400: no /in?k=pass%2Fword&n=7", "400: no /in?***"),
            ("k is pass/word", "k is ***"),
            ("k is pass%2Fword", "k is ***"),
            ("7 of /in", "7 of /in"),
        ] {
            assert_eq!(redacted(said.to_owned(), &secrets(&url)), shows);
        }
    }
}
