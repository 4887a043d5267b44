//! So many posts a day, and so far apart.

use actor_server::{
    domain::schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
    skills::{SkillError, Verdict},
};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{at, idle, library::Library, play, run::bot, run_over, stopped};

fn spec(kind: ScheduleKind) -> ScheduleSpec {
    ScheduleSpec {
        kind,
        starts_at: None,
        ends_at: None,
    }
}

fn hourly() -> ScheduleSpec {
    spec(ScheduleKind::Cron {
        expression: "0 0 * * * *".into(),
        timezone: Tz::UTC,
        dst_gap: DstGap::default(),
        dst_fold: DstFold::default(),
    })
}

/// The verdict at that time, after posts at those times.
async fn ask(
    now: &str,
    posts: &[&str],
    schedule: &ScheduleSpec,
    settings: Value,
) -> Result<Verdict, SkillError> {
    let library = posts.iter().fold(Library::default(), |library, time| {
        library.posted(at(time), "text", None)
    });
    let bot = bot();
    let mut run = run_over(&bot, &[], &library);
    run.now = at(now);
    run.slot = chrono::DurationRound::duration_trunc(run.now, chrono::TimeDelta::minutes(1)).ok();
    run.schedule = Some(schedule);
    play("rate_limiting", settings, &mut run).await
}

#[tokio::test]
async fn a_day_has_so_many_posts_and_the_next_day_as_many_again() {
    let posts = ["2026-03-04T01:00:00Z", "2026-03-04T02:00:00Z"];
    let two = json!({ "max_posts_per_day": 2 });
    let verdict = ask("2026-03-04T23:59:59Z", &posts, &hourly(), two.clone()).await;
    assert_eq!(
        stopped(verdict),
        "2 of 2 posts of the day are out; the next may go from 2026-03-05 00:00 UTC"
    );
    let tomorrow = ask("2026-03-05T00:00:00Z", &posts, &hourly(), two).await;
    assert_eq!(tomorrow, Ok(Verdict::Done));
    let three = json!({ "max_posts_per_day": 3 });
    let verdict = ask("2026-03-04T23:59:59Z", &posts, &hourly(), three).await;
    assert_eq!(verdict, Ok(Verdict::Done));
}

#[tokio::test]
async fn the_day_is_the_one_of_the_bots_zone() {
    let posts = ["2026-03-28T23:30:00Z"];
    for (zone, now, allowed) in [
        // In Berlin the 29th has begun with that post, and has 23 hours.
        ("Europe/Berlin", "2026-03-29T21:59:59Z", false),
        ("Europe/Berlin", "2026-03-29T22:00:00Z", true),
        ("UTC", "2026-03-28T23:59:59Z", false),
        ("UTC", "2026-03-29T00:00:00Z", true),
        ("America/New_York", "2026-03-29T03:59:59Z", false),
        ("America/New_York", "2026-03-29T04:00:00Z", true),
    ] {
        let settings = json!({ "max_posts_per_day": 1, "timezone": zone });
        let verdict = ask(now, &posts, &hourly(), settings).await.unwrap();
        assert_eq!(verdict == Verdict::Done, allowed, "{zone} {now}");
    }
}

#[tokio::test]
async fn two_posts_are_so_far_apart() {
    let (posts, settings) = (
        ["2026-03-04T09:30:00Z"],
        json!({ "min_interval_minutes": 45 }),
    );
    let early = ask("2026-03-04T10:14:59Z", &posts, &hourly(), settings.clone()).await;
    assert_eq!(
        stopped(early),
        "the last post was at 2026-03-04 09:30 UTC, and 45 min are to lie between two; the next may go from \
         2026-03-04 10:15 UTC"
    );
    let exactly = ask("2026-03-04T10:15:00Z", &posts, &hourly(), settings).await;
    assert_eq!(exactly, Ok(Verdict::Done));
}

#[tokio::test]
async fn a_grid_of_exactly_the_interval_loses_no_slot_to_the_way_of_a_post() {
    let settings = json!({ "min_interval_minutes": 60 });
    let grid = spec(ScheduleKind::Interval { seconds: 3600 });
    let posts = ["2026-03-04T09:00:00.750Z"];
    for schedule in [hourly(), grid] {
        let next = ask(
            "2026-03-04T10:00:00.004Z",
            &posts,
            &schedule,
            settings.clone(),
        )
        .await;
        assert_eq!(next, Ok(Verdict::Done), "{schedule:?}");
    }
    // No grid: not a moment too early.
    let once = spec(ScheduleKind::Once {
        at: at("2026-03-04T10:00:00Z"),
    });
    stopped(ask("2026-03-04T10:00:00.004Z", &posts, &once, settings).await);
}

#[tokio::test]
async fn a_grid_finer_than_the_interval_keeps_it() {
    let settings = json!({ "min_interval_minutes": 60 });
    for seconds in [3540, 1800, 60, 7] {
        let grid = spec(ScheduleKind::Interval { seconds });
        let posts = ["2026-03-04T09:00:00.750Z"];
        let early = ask("2026-03-04T09:59:00.004Z", &posts, &grid, settings.clone()).await;
        stopped(early);
    }
}

#[tokio::test]
async fn without_limits_the_gate_is_open_and_says_so() {
    let verdict = ask("2026-03-04T10:00:00Z", &[], &hourly(), json!({})).await;
    assert!(idle(verdict).starts_with("there is no limit"));
    let none = json!({ "min_interval_minutes": 0, "max_posts_per_day": 5 });
    let posts = ["2026-03-04T10:00:00Z"];
    let verdict = ask("2026-03-04T10:00:00Z", &posts, &hourly(), none).await;
    assert_eq!(verdict, Ok(Verdict::Done));
}
