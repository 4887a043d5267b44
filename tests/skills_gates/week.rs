//! A week of slots, and one in which clocks change, through the whole pipeline over a shelf in memory.

use actor_server::{
    domain::{
        Instant,
        bot::{Behaviour, SkillSpec},
        outcome::Status,
        run::ExecutionId,
        schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
        wall,
    },
    skills::{Progress, RunContext, SkillSet, run_attempt},
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{
    at, ideas,
    library::{Library, item},
    run::{bot, settings},
    run_over,
};

const PIPELINE: [&str; 6] = [
    "content_selection",
    "duplicate_check",
    "rate_limiting",
    "content_scheduling",
    "content_formatter",
    "content_posting",
];

/// Gives each skill those of the settings that it shares, as reading a bot file does.
fn behaviour(skills: &SkillSet, config: &Value) -> Behaviour {
    let spec = |name: &str| {
        let taken = skills.shared(name);
        let mut settings = settings(config.clone());
        settings.retain(|key, _| taken.contains(key));
        assert_eq!(skills.check(name, &settings), [], "{name}");
        SkillSpec {
            name: name.into(),
            enabled: true,
            settings,
        }
    };
    Behaviour {
        skills: PIPELINE.map(spec).into(),
        ..Behaviour::default()
    }
}

/// A shelf with more items than a week needs, every third of which repeats the one before.
fn shelf(created: Instant) -> Library {
    let items = (0..1500_i64).map(|n| {
        let number = n - i64::from(n % 3 == 1);
        // Spelled out, so that two of them are not alike.
        let words: Vec<String> = number
            .to_string()
            .chars()
            .map(|digit| WORDS[digit.to_digit(10).unwrap() as usize].repeat(2))
            .collect();
        item(
            n + 1,
            &words.join(" "),
            0.5,
            created + TimeDelta::seconds(n),
        )
    });
    Library::with(items.collect())
}

const WORDS: [&str; 10] = [
    "library", "umbrella", "chestnut", "morning", "violin", "harbour", "quickly", "sundown",
    "jacket", "football",
];

struct Week {
    library: Library,
    /// The slots that ran, and what each came to: the gate's name, or `posted`.
    slots: Vec<(Instant, String)>,
}

/// Lives through all slots of a week, each started a little late and posted a little later.
async fn live(from: &str, schedule: &ScheduleSpec, config: Value) -> Week {
    let (skills, start) = (SkillSet::built_in(), at(from));
    let behaviour = behaviour(&skills, &config);
    let library = shelf(start - TimeDelta::days(20));
    let (bot, tables) = (bot(), ideas());
    let compiled = schedule.compile(start).unwrap();
    let mut slots = Vec::new();
    let mut next = compiled.next_from(start);
    while let Some(slot) = next.filter(|slot| *slot < start + TimeDelta::days(7)) {
        let number = i64::try_from(slots.len()).unwrap();
        let late = TimeDelta::milliseconds(3 + number * 37 % 900);
        library.set_clock(slot + late * 3);
        let before = library.posts().len();
        let run = RunContext {
            slot: Some(slot),
            now: slot + late,
            execution: ExecutionId(number),
            schedule: Some(schedule),
            attempt: 1,
            ..run_over(&bot, &tables, &library)
        };
        let outcome = run_attempt(&skills, &behaviour, run, &Progress::new()).await;
        let came = match (outcome.status, outcome.gate) {
            (Status::Succeeded, None) => "posted".to_owned(),
            (Status::Skipped, Some(gate)) => gate.into_owned(),
            other => panic!("{slot}: {other:?} {:?}", outcome.error),
        };
        let posted = library.posts().len() - before;
        assert_eq!(posted, usize::from(came == "posted"), "{slot}");
        slots.push((slot, came));
        next = compiled.next_after(slot);
    }
    Week { library, slots }
}

impl Week {
    fn of_days(&self, zone: Tz) -> Vec<usize> {
        let mut days: Vec<(chrono::NaiveDate, usize)> = Vec::new();
        for post in self.library.posts() {
            let date = wall::date(zone, post.at);
            match days.last_mut() {
                Some((last, count)) if *last == date => *count += 1,
                _ => days.push((date, 1)),
            }
        }
        days.into_iter().map(|(_, count)| count).collect()
    }

    /// What every week has in common.
    fn check(&self, apart: TimeDelta) {
        let posts = self.library.posts();
        let mut bodies: Vec<&str> = posts.iter().map(|post| post.body.as_str()).collect();
        let all = bodies.len();
        bodies.sort_unstable();
        bodies.dedup();
        assert_eq!(bodies.len(), all, "something was posted twice");
        let posted: Vec<Instant> = self
            .slots
            .iter()
            .filter(|(_, came)| came == "posted")
            .map(|(slot, _)| *slot)
            .collect();
        assert_eq!(posted.len(), all);
        for pair in posted.windows(2) {
            assert!(pair[1] - pair[0] >= apart, "{pair:?}");
        }
    }
}

fn cron(expression: &str, timezone: Tz) -> ScheduleSpec {
    ScheduleSpec {
        kind: ScheduleKind::Cron {
            expression: expression.into(),
            timezone,
            dst_gap: DstGap::default(),
            dst_fold: DstFold::default(),
        },
        starts_at: None,
        ends_at: None,
    }
}

#[tokio::test]
async fn a_day_has_exactly_as_many_posts_as_it_may_have() {
    let config = json!({
        "max_posts_per_day": 5, "min_interval_minutes": 60, "timezone": "Europe/Berlin",
        "schedule_window_start": "09:00", "schedule_window_end": "17:00",
    });
    let berlin = chrono_tz::Europe::Berlin;
    // Monday to Sunday, midnight to midnight; the second time the last day has 23 hours, the third 25.
    for from in [
        "2026-03-01T23:00:00Z",
        "2026-03-22T23:00:00Z",
        "2026-10-18T22:00:00Z",
    ] {
        let week = live(from, &cron("0 */20 * * * *", berlin), config.clone()).await;
        week.check(TimeDelta::minutes(60));
        let days = week.of_days(berlin);
        assert!(
            days[..7].iter().all(|posts| *posts == 5),
            "{from}: {days:?}"
        );
        for post in week.library.posts() {
            let hour = chrono::Timelike::hour(&wall::time(berlin, post.at));
            assert!((9..17).contains(&hour), "{}", post.at);
        }
    }
}

#[tokio::test]
async fn every_slot_of_a_grid_of_exactly_the_interval_posts() {
    let config = json!({
        "max_posts_per_day": 8, "min_interval_minutes": 60,
        "schedule_window_start": "09:00", "schedule_window_end": "17:00",
    });
    let grid = ScheduleSpec {
        kind: ScheduleKind::Interval { seconds: 3600 },
        ..cron("@hourly", Tz::UTC)
    };
    for schedule in [cron("@hourly", Tz::UTC), grid] {
        let week = live("2026-03-02T00:00:00Z", &schedule, config.clone()).await;
        week.check(TimeDelta::minutes(60));
        assert_eq!(week.of_days(Tz::UTC), [8; 7]);
        let came = |gate: &str| week.slots.iter().filter(|(_, came)| came == gate).count();
        assert_eq!(came("content_scheduling"), 7 * 9, "too early");
        assert_eq!(came("rate_limiting"), 7 * 7, "the day has its posts");
    }
}

#[tokio::test]
async fn a_random_window_gives_one_post_an_evening_at_different_hours() {
    let config = json!({
        "max_posts_per_day": 1, "min_interval_minutes": 600, "randomize_within_window": true,
        "schedule_window_start": "20:00", "schedule_window_end": "23:30",
    });
    let week = live(
        "2026-03-02T00:00:00Z",
        &cron("*/10 * * * *", Tz::UTC),
        config,
    )
    .await;
    week.check(TimeDelta::minutes(600));
    assert_eq!(week.of_days(Tz::UTC), [1; 7]);
    let mut times: Vec<String> = week
        .library
        .posts()
        .iter()
        .map(|post| post.at.format("%H:%M").to_string())
        .collect();
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 3, "{times:?}");
}
