//! The measure, and that nothing cheap rules out what the measure would let through.

use proptest::prelude::*;
use rapidfuzz::distance::indel;

use super::*;

fn earlier(texts: &[&str]) -> Earlier {
    let mut earlier = Earlier::default();
    texts.iter().for_each(|text| earlier.add(text));
    earlier
}

fn score(one: &str, other: &str, threshold: f64) -> Option<f64> {
    earlier(&[one])
        .like(other, threshold)
        .map(|found| found.score)
}

#[test]
fn case_white_space_and_the_writing_of_accents_make_no_difference() {
    for (one, other) in [
        ("Good morning", "  good\n MORNING  "),
        ("Café", "Cafe\u{301}"),
        ("ÄÖÜ", "äöü"),
        ("a\u{a0}b", "a b"),
    ] {
        assert_eq!(score(one, other, 1.0), Some(1.0), "{one:?} {other:?}");
    }
}

#[test]
fn what_is_nearly_the_same_is_found_from_the_threshold_on() {
    let one = "The library opens at nine on Mondays";
    let other = "The library opens at ten on Mondays";
    let found = earlier(&[one]).like(other, 0.9).unwrap();
    assert_eq!(found.text, one);
    assert!((0.9..1.0).contains(&found.score), "{found:?}");
    assert_eq!(score(one, other, 0.99), None);
    assert_eq!(
        score(one, "Something else altogether, quite new", 0.9),
        None
    );
}

#[test]
fn exactly_the_threshold_is_enough() {
    // 9 of 10 characters: 2 × 9 / 20.
    assert_eq!(score("abcdefghij", "abcdefghiX", 0.9), Some(0.9));
    assert_eq!(score("abcdefghij", "abcdefghiX", 0.900_001), None);
    assert_eq!(score("ab", "aX", 0.5), Some(0.5));
}

#[test]
fn short_empty_and_odd_texts_are_compared_too() {
    assert_eq!(score("a", "a", 0.9), Some(1.0));
    assert_eq!(score("a", "b", 0.1), None);
    assert_eq!(score("", "", 0.1), None);
    assert_eq!(score(" \n", "\t", 0.1), None);
    assert_eq!(score("👍🏽", "👍🏽", 0.9), Some(1.0));
    assert_eq!(score("\u{301}", "\u{301}", 0.9), Some(1.0));
}

#[test]
fn an_equal_text_goes_before_one_that_is_only_like_it() {
    let texts = earlier(&["abcdefghiX", "abcdefghij"]);
    let found = texts.like("ABCDEFGHIJ", 0.9).unwrap();
    assert_eq!((found.text.as_str(), found.score), ("abcdefghij", 1.0));
}

#[test]
fn texts_are_cut_before_they_are_compared() {
    let long = "x y".repeat(COMPARED);
    assert!(plain(&long).chars().count() <= COMPARED);
    assert_eq!(score(&long, &format!("{long} more"), 1.0), Some(1.0));
}

fn reference(one: &str, other: &str) -> f64 {
    let (one, other) = (plain(one), plain(other));
    indel::normalized_similarity(one.chars(), other.chars())
}

/// A text, and another one that differs from it in some places.
fn pair() -> impl Strategy<Value = (String, String)> {
    let edit = (any::<prop::sample::Index>(), 0..3, "[a-dé ]");
    let edits = prop::collection::vec(edit, 0..30);
    ("[a-dé ]{0,120}", edits).prop_map(|(text, edits)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, kind, with) in edits {
            let place = place.index(chars.len() + 1);
            match kind {
                0 if place < chars.len() => drop(chars.remove(place)),
                1 => chars.insert(place, with.chars().next().unwrap()),
                _ if place < chars.len() => chars[place] = with.chars().next().unwrap(),
                _ => {}
            }
        }
        (text, chars.into_iter().collect())
    })
}

proptest! {
    #[test]
    fn cheap_means_rule_out_nothing_that_is_like_enough(
        (one, other) in pair(),
        threshold in prop::sample::select(vec![0.3, 0.5, 0.8, 0.9, 0.95, 1.0]),
    ) {
        prop_assume!(!plain(&one).is_empty() && !plain(&other).is_empty());
        let exact = reference(&one, &other);
        match score(&one, &other, threshold) {
            Some(found) => {
                prop_assert!((found - exact).abs() < 1e-9);
                prop_assert!(found >= threshold);
            }
            None => prop_assert!(exact < threshold, "{} {}", exact, threshold),
        }
    }

    #[test]
    fn any_texts_can_be_compared(one in ".{0,300}", other in ".{0,300}") {
        let _ = score(&one, &other, 0.9);
        prop_assert_eq!(plain(&plain(&one)), plain(&one));
    }
}
