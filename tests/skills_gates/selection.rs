//! What is chosen, and what becomes of a run that has nothing to choose.

use actor_server::{
    domain::content::StoredItem,
    skills::{SkillSet, Verdict},
};
use serde_json::{Value, json};

use super::{
    at, ideas, idle,
    library::{Library, body, item},
    play,
    run::bot,
    run_over,
};

const NOW: &str = "2026-03-04T09:00:30.250Z";

/// Items with that priority and age in days, numbered from 1.
fn items(about: &[(f64, i64)]) -> Vec<StoredItem> {
    let numbered = about.iter().zip(1..);
    numbered
        .map(|((priority, days), id)| {
            let created = at(NOW) - chrono::TimeDelta::days(*days);
            item(id, &format!("text {id}"), *priority, created)
        })
        .collect()
}

/// The rows in the order of their choice.
async fn order(about: &[(f64, i64)], settings: Value) -> Vec<i64> {
    let (bot, tables, library) = (bot(), ideas(), Library::with(items(about)));
    let mut run = run_over(&bot, &tables, &library);
    let verdict = play("content_selection", settings, &mut run).await;
    assert_eq!(verdict, Ok(Verdict::Done));
    let first = run.item.unwrap().id;
    let others = run.candidates.iter().map(|item| item.id);
    std::iter::once(first).chain(others).collect()
}

#[tokio::test]
async fn priority_and_freshness_count_as_they_are_weighed() {
    // An important old item, a fresh one of no importance, and one in between.
    let about = [(1.0, 70), (0.0, 0), (0.5, 7)];
    assert_eq!(order(&about, json!({})).await, [1, 3, 2]);
    let fresh = json!({ "priority_weight": 0, "freshness_weight": 1 });
    assert_eq!(order(&about, fresh).await, [2, 3, 1]);
    let important = json!({ "priority_weight": 2.5, "freshness_weight": 0 });
    assert_eq!(order(&about, important).await, [1, 3, 2]);
}

#[tokio::test]
async fn a_week_halves_the_freshness() {
    // 0.7 × 0.5 + 0.3 × 1 = 0.65 and 0.7 × p + 0.3 × 0.5 = 0.65 at p = 0.7142…
    assert_eq!(order(&[(0.5, 0), (0.72, 7)], json!({})).await, [2, 1]);
    assert_eq!(order(&[(0.5, 0), (0.71, 7)], json!({})).await, [1, 2]);
}

#[tokio::test]
async fn of_equal_items_the_older_goes_first_and_then_the_one_with_the_lower_row() {
    let weights = json!({ "freshness_weight": 0 });
    assert_eq!(
        order(&[(0.5, 1), (0.5, 3), (0.5, 3), (0.5, 2)], weights).await,
        [2, 3, 4, 1]
    );
    // An item from the future is as fresh as one of now.
    assert_eq!(order(&[(0.5, 0), (0.5, -3)], json!({})).await, [1, 2]);
}

#[tokio::test]
async fn only_so_many_candidates_are_kept() {
    let about = vec![(0.5, 1); 30];
    assert_eq!(order(&about, json!({})).await.len(), 10);
    assert_eq!(order(&about, json!({ "max_candidates": 1 })).await, [1]);
}

#[tokio::test]
async fn an_item_that_is_neither_among_the_first_ten_by_priority_nor_by_age_can_win() {
    let mut about = vec![(1.0, 300); 15];
    about.extend(vec![(0.0, 0); 15]);
    about.push((0.9, 1));
    assert_eq!(order(&about, json!({})).await[0], 31);
}

#[tokio::test]
async fn templates_see_everything_of_the_chosen_item() {
    let (bot, tables) = (bot(), ideas());
    let library = Library::with(items(&[(0.25, 1)]));
    let mut run = run_over(&bot, &tables, &library);
    play("content_selection", json!({}), &mut run)
        .await
        .unwrap();
    assert_eq!(
        run.content,
        json!({
            "id": 1, "table": "ideas", "key": "key-1", "title": null, "body": "text 1", "source": null,
            "tags": ["tag"], "priority": 0.25, "media": [], "metadata": { "colour": "blue" },
            "created_at": "2026-03-03T09:00:30.250Z", "not_before": null, "expires_at": null,
        })
    );
    assert_eq!(run.item.unwrap().text, "text 1");
}

#[tokio::test]
async fn content_that_the_run_was_given_stays_and_uses_no_item() {
    let (bot, tables, library) = (bot(), ideas(), Library::with(items(&[(1.0, 1)])));
    let mut run = run_over(&bot, &tables, &library);
    run.content = json!({ "body": "given" });
    let verdict = play("content_selection", json!({}), &mut run).await;
    assert_eq!(idle(verdict), "the run was given its content");
    assert_eq!((body(&run.content), &run.item), ("given", &None));
    assert!(library.wishes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn with_nothing_to_choose_the_skills_behind_it_rest_and_the_run_is_fine() {
    let (bot, tables, library) = (bot(), ideas(), Library::default());
    let mut run = run_over(&bot, &tables, &library);
    let why = idle(play("content_selection", json!({}), &mut run).await);
    assert_eq!(
        why,
        "no item of ideas is left that this bot may post and has not posted"
    );
    for (skill, settings) in [
        ("duplicate_check", json!({})),
        ("rate_limiting", json!({ "max_posts_per_day": 1 })),
        (
            "content_scheduling",
            json!({ "schedule_window_end": "09:00" }),
        ),
        ("content_formatter", json!({ "template": "always" })),
        ("content_posting", json!({})),
    ] {
        let verdict = play(skill, settings, &mut run).await;
        assert_eq!(idle(verdict), format!("nothing to post: {why}"), "{skill}");
    }
    assert!(library.posts().is_empty());
}

#[tokio::test]
async fn a_bot_without_knowledge_fails_and_says_what_to_do() {
    let (bot, library) = (bot(), Library::default());
    let mut run = run_over(&bot, &[], &library);
    let error = play("content_selection", json!({}), &mut run)
        .await
        .unwrap_err();
    assert!(!error.recoverable);
    assert!(error.message.contains("`actor.knowledge`"), "{error}");
    assert!(SkillSet::built_in().needs_knowledge("content_selection"));
}

#[tokio::test]
async fn an_item_goes_out_only_once() {
    let library = Library::with(items(&[(1.0, 1), (0.5, 1)]));
    library.set_clock(at(NOW));
    let (bot, tables) = (bot(), ideas());
    let mut posted = Vec::new();
    for _ in 0..3 {
        let mut run = run_over(&bot, &tables, &library);
        for skill in ["content_selection", "content_formatter", "content_posting"] {
            play(skill, json!({}), &mut run).await.unwrap();
        }
        posted.push(library.posts().len());
    }
    assert_eq!(posted, [1, 2, 2]);
}
