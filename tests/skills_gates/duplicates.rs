//! What counts as posted before, and how another item takes the place of one that does.

use actor_server::{
    domain::post::Message,
    skills::{SkillError, Verdict},
};
use serde_json::{Value, json};

use super::{
    at, ideas, idle,
    library::{Library, body, item},
    play,
    run::bot,
    run_over, stopped,
};

const BEFORE: &str = "2026-03-01T09:00:00Z";
const OPENS: &str = "The library opens at nine on Mondays";

/// The verdict about a run with this content.
async fn check(library: &Library, content: Value, settings: Value) -> Result<Verdict, SkillError> {
    let (bot, tables) = (bot(), ideas());
    let mut run = run_over(&bot, &tables, library);
    run.content = content;
    play("duplicate_check", settings, &mut run).await
}

#[tokio::test]
async fn what_was_posted_word_for_word_or_nearly_does_not_go_out_again() {
    let library = Library::default().posted(at(BEFORE), OPENS, None);
    for (text, reason) in [
        (
            "  the LIBRARY opens at\nnine on mondays",
            "this was posted before: `The library",
        ),
        (
            "The library opens at ten on Mondays",
            "this is 92 % like what was posted before: `The",
        ),
    ] {
        let verdict = check(&library, json!({ "body": text }), json!({})).await;
        let said = stopped(verdict);
        assert!(said.starts_with(reason), "{said}");
    }
    let new = json!({ "body": "Tea is served at four" });
    assert_eq!(check(&library, new, json!({})).await, Ok(Verdict::Done));
}

#[tokio::test]
async fn the_threshold_says_how_like_is_too_like() {
    let library = Library::default().posted(at(BEFORE), OPENS, None);
    let near = json!({ "body": "The library opens at ten on Mondays" });
    let only_equal = json!({ "similarity_threshold": 1 });
    assert_eq!(
        check(&library, near, only_equal.clone()).await,
        Ok(Verdict::Done)
    );
    let equal = json!({ "body": OPENS });
    stopped(check(&library, equal, only_equal).await);
}

#[tokio::test]
async fn posts_from_before_the_lookback_are_forgotten() {
    let library = Library::default().posted(at("2026-01-20T09:00:00Z"), OPENS, None);
    let same = json!({ "body": OPENS });
    assert_eq!(
        check(&library, same.clone(), json!({})).await,
        Ok(Verdict::Done)
    );
    stopped(check(&library, same, json!({ "lookback_days": 60 })).await);
}

#[tokio::test]
async fn an_items_text_counts_whatever_a_template_has_made_of_it() {
    let dressed = format!("2026-03-01, good morning everybody, here is the news of today! {OPENS}");
    let library = Library::default().posted(at(BEFORE), &dressed, Some((9, OPENS)));
    stopped(check(&library, json!({ "body": OPENS }), json!({})).await);
}

#[tokio::test]
async fn a_message_that_was_made_already_is_compared_too() {
    let library = Library::default().posted(at(BEFORE), OPENS, None);
    let (bot, tables) = (bot(), ideas());
    let mut run = run_over(&bot, &tables, &library);
    run.message = Some(Message {
        body: OPENS.into(),
        options: json!({}),
    });
    stopped(play("duplicate_check", json!({}), &mut run).await);
}

#[tokio::test]
async fn without_any_text_there_is_nothing_to_compare() {
    let library = Library::default().posted(at(BEFORE), OPENS, None);
    for content in [
        Value::Null,
        json!({}),
        json!({ "body": " " }),
        json!({ "body": 5 }),
    ] {
        let verdict = check(&library, content, json!({})).await;
        assert_eq!(idle(verdict), "there is no text to compare");
    }
    stopped(check(&library, json!(OPENS), json!({})).await);
}

/// A shelf with so many items that say nothing new, and then some that do.
fn shelf(old: i64, new: &[&str]) -> Library {
    let stale = (1..=old).map(|id| item(id, OPENS, 1.0, at(BEFORE)));
    let fresh = new.iter().zip(old + 1..);
    let fresh = fresh.map(|(text, id)| item(id, text, 0.1, at(BEFORE)));
    Library::with(stale.chain(fresh).collect()).posted(at(BEFORE), OPENS, None)
}

#[tokio::test]
async fn the_best_item_that_says_something_new_takes_the_place_of_one_that_does_not() {
    for old in [1, 5, 9, 10, 150, 700] {
        let library = shelf(old, &["Tea is served at four", "Bring your own cup"]);
        let (bot, tables) = (bot(), ideas());
        let mut run = run_over(&bot, &tables, &library);
        play("content_selection", json!({}), &mut run)
            .await
            .unwrap();
        assert_eq!(body(&run.content), OPENS);
        let verdict = play("duplicate_check", json!({}), &mut run).await;
        assert_eq!(verdict, Ok(Verdict::Done), "behind {old}");
        assert_eq!(body(&run.content), "Tea is served at four", "behind {old}");
        assert_eq!(run.item.unwrap().id, old + 1);
        assert_eq!(run.results["duplicate_check"]["passed_over"], old);
    }
}

#[tokio::test]
async fn a_run_whose_every_item_was_posted_before_ends_at_the_gate() {
    for (old, words) in [(1, "there is no other item"), (37, "none of 37 items")] {
        let library = shelf(old, &[]);
        let (bot, tables) = (bot(), ideas());
        let mut run = run_over(&bot, &tables, &library);
        play("content_selection", json!({}), &mut run)
            .await
            .unwrap();
        let reason = stopped(play("duplicate_check", json!({}), &mut run).await);
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test]
async fn the_search_for_something_new_ends_at_its_bound() {
    let library = shelf(3000, &["Tea is served at four"]);
    let (bot, tables) = (bot(), ideas());
    let mut run = run_over(&bot, &tables, &library);
    play("content_selection", json!({}), &mut run)
        .await
        .unwrap();
    let reason = stopped(play("duplicate_check", json!({}), &mut run).await);
    assert!(reason.ends_with("items says anything new"), "{reason}");
    let wishes = library.wishes.lock().unwrap();
    assert!(wishes.iter().all(|wish| wish.skip.len() <= 1000));
}

#[tokio::test]
async fn content_that_was_given_is_not_replaced() {
    let library = shelf(1, &["Tea is served at four"]);
    stopped(check(&library, json!({ "body": OPENS }), json!({})).await);
}

/// A text of 2,000 characters, of words as they come.
fn essay(seed: u64) -> String {
    const WORDS: [&str; 24] = [
        "the",
        "of",
        "and",
        "to",
        "in",
        "library",
        "morning",
        "opens",
        "people",
        "read",
        "books",
        "quietly",
        "garden",
        "under",
        "trees",
        "while",
        "children",
        "play",
        "music",
        "evening",
        "with",
        "friends",
        "from",
        "everywhere",
    ];
    let mut state = seed;
    let mut text = String::new();
    while text.len() < 2000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        text += WORDS[usize::try_from(state >> 33).unwrap() % WORDS.len()];
        text.push(' ');
    }
    text
}

#[tokio::test]
async fn many_long_posts_are_compared_in_a_moment() {
    let posts = (0..300).fold(Library::default(), |library, seed| {
        library.posted(at(BEFORE), &essay(seed), None)
    });
    let begun = tokio::time::Instant::now();
    let new = json!({ "body": essay(1_000_000) });
    assert_eq!(check(&posts, new, json!({})).await, Ok(Verdict::Done));
    // Without optimisation and beside other work, and yet far below what comparing each pair in full would take.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
