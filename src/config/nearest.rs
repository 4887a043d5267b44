//! "Did you mean": the known word that a wrong one was probably meant to be.

/// The candidate nearest to `word`, if one is near enough to be worth suggesting.
///
/// Case, and `-` for `_`, count for nothing; otherwise up to a third of the letters may be wrong.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let allowed = (word.chars().count() / 3).clamp(1, 5);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown word: the near one, or all there are.
pub(super) fn suggestion<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(word, candidates.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", listed(candidates)),
    }
}

/// `a`, `b` and so on up to `or c`, each in backticks.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".into(),
    }
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 3] = ["overlap", "misfire", "misfire_threshold_seconds"];

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert_eq!(nearest("overlpa", KEYS), Some("overlap"));
        assert_eq!(nearest("Misfire", KEYS), Some("misfire"));
        assert_eq!(
            nearest("misfire-threshhold-seconds", KEYS),
            Some("misfire_threshold_seconds")
        );
    }

    #[test]
    fn a_different_word_gets_the_whole_list() {
        assert_eq!(nearest("banana", KEYS), None);
        assert_eq!(
            suggestion("banana", KEYS),
            "use `overlap`, `misfire` or `misfire_threshold_seconds`"
        );
    }

    #[test]
    fn no_candidates_and_no_word_are_no_panic() {
        assert_eq!(nearest("", KEYS), None);
        assert_eq!(nearest("x", []), None);
        assert_eq!(suggestion("x", []), "use nothing");
    }
}
