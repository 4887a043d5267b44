//! The hours in which posts go out.

use actor_server::{
    domain::schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
    skills::{SkillError, Verdict},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{at, library::Library, play, run::bot, run_over, stopped};

async fn ask(
    now: &str,
    schedule: Option<&ScheduleSpec>,
    settings: Value,
) -> Result<Verdict, SkillError> {
    let (bot, library) = (bot(), Library::default());
    let mut run = run_over(&bot, &[], &library);
    (run.now, run.slot) = (at(now), Some(at(now)));
    run.schedule = schedule;
    play("content_scheduling", settings, &mut run).await
}

#[tokio::test]
async fn outside_of_the_window_the_gate_is_shut_and_says_when_it_opens() {
    let verdict = ask(
        "2026-03-04T07:12:00Z",
        None,
        json!({ "timezone": "Europe/Berlin" }),
    )
    .await;
    assert_eq!(
        stopped(verdict),
        "it is 2026-03-04 08:12 Europe/Berlin; posts go out from 09:00 to 17:00, next from 2026-03-04 09:00 \
         Europe/Berlin on"
    );
    for (now, open) in [
        ("2026-03-04T08:00:00Z", true),
        ("2026-03-04T15:59:59.999Z", true),
        ("2026-03-04T16:00:00Z", false),
    ] {
        let verdict = ask(now, None, json!({ "timezone": "Europe/Berlin" })).await;
        assert_eq!(verdict == Ok(Verdict::Done), open, "{now}");
    }
}

#[tokio::test]
async fn a_window_may_last_over_midnight_or_all_day() {
    let night = json!({ "schedule_window_start": "22:00", "schedule_window_end": "02:00" });
    for (time, open) in [
        ("21:59", false),
        ("22:00", true),
        ("01:59", true),
        ("02:00", false),
    ] {
        let verdict = ask(&format!("2026-03-04T{time}:00Z"), None, night.clone()).await;
        assert_eq!(verdict == Ok(Verdict::Done), open, "{time}");
    }
    for end in ["00:00", "24:00"] {
        let day = json!({ "schedule_window_start": "00:00", "schedule_window_end": end });
        for hour in 0..24 {
            let verdict = ask(&format!("2026-03-04T{hour:02}:30:00Z"), None, day.clone()).await;
            assert_eq!(verdict, Ok(Verdict::Done), "{hour} until {end}");
        }
    }
}

fn hourly() -> [ScheduleSpec; 2] {
    let cron = ScheduleKind::Cron {
        expression: "0 0 * * * *".into(),
        timezone: chrono_tz::Europe::Berlin,
        dst_gap: DstGap::default(),
        dst_fold: DstFold::default(),
    };
    [cron, ScheduleKind::Interval { seconds: 3600 }].map(|kind| ScheduleSpec {
        kind,
        starts_at: None,
        ends_at: None,
    })
}

#[tokio::test]
async fn a_random_window_opens_with_one_slot_of_each_day_and_stays_open() {
    let settings = json!({ "randomize_within_window": true, "timezone": "Europe/Berlin" });
    for schedule in hourly() {
        let mut first_of_days = Vec::new();
        for day in 0..14 {
            // 09:00 to 16:00 in Berlin, where clocks change within these days.
            let shift = if day < 5 { 8 } else { 7 };
            let nine = at("2026-03-24T00:00:00Z") + TimeDelta::days(day) + TimeDelta::hours(shift);
            let mut open = Vec::new();
            for hour in 0..8 {
                let now = (nine + TimeDelta::hours(hour)).to_rfc3339();
                open.push(ask(&now, Some(&schedule), settings.clone()).await == Ok(Verdict::Done));
            }
            let first = open.iter().position(|open| *open).expect("no slot passes");
            assert!(open[first..].iter().all(|open| *open), "{day}: {open:?}");
            first_of_days.push(first);
        }
        first_of_days.sort_unstable();
        first_of_days.dedup();
        assert!(first_of_days.len() > 3, "{first_of_days:?}");
    }
}

#[tokio::test]
async fn the_reason_names_the_chosen_time() {
    let settings = json!({ "randomize_within_window": true });
    let verdict = ask("2026-03-04T09:00:00Z", Some(&hourly()[0]), settings).await;
    let reason = stopped(verdict);
    assert!(
        reason.starts_with("it is 2026-03-04 09:00 UTC; today's posts go out from 2026-03-04 1"),
        "{reason}"
    );
}
