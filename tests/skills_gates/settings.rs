//! What settings may be.

use actor_server::{
    domain::bot::{Behaviour, SkillSpec},
    skills::SkillSet,
};
use serde_json::{Value, json};

use super::run::settings;

fn problems(skill: &str, value: Value) -> Vec<String> {
    let found = SkillSet::built_in().check(skill, &settings(value));
    let line = |(key, message)| format!("{key}: {message}");
    found.into_iter().map(line).collect()
}

#[test]
fn the_defaults_and_the_settings_of_the_documents_are_good() {
    for (skill, value) in [
        (
            "content_selection",
            json!({ "max_candidates": 10, "priority_weight": 0.7, "freshness_weight": 0.3 }),
        ),
        (
            "duplicate_check",
            json!({ "lookback_days": 30, "similarity_threshold": 0.9 }),
        ),
        (
            "rate_limiting",
            json!({ "max_posts_per_day": 10, "min_interval_minutes": 60, "timezone": "Europe/Berlin" }),
        ),
        (
            "content_scheduling",
            json!({ "schedule_window_start": "09:00", "schedule_window_end": "24:00",
                "randomize_within_window": true, "timezone": "UTC" }),
        ),
    ] {
        assert_eq!(problems(skill, json!({})), [""; 0], "{skill}");
        assert_eq!(problems(skill, value), [""; 0], "{skill}");
    }
}

#[test]
fn every_bad_value_is_a_problem_of_its_key() {
    for (skill, key, value, message) in [
        (
            "content_selection",
            "max_candidates",
            json!(0),
            "must be a whole number from 1 to 100, not 0",
        ),
        (
            "content_selection",
            "max_candidates",
            json!(1.5),
            "must be a whole number from 1 to 100, not 1.5",
        ),
        (
            "content_selection",
            "priority_weight",
            json!(-0.1),
            "must be a number from 0 to 1000000, not -0.1",
        ),
        (
            "content_selection",
            "freshness_weight",
            json!("a"),
            "must be a number from 0 to 1000000, not \"a\"",
        ),
        (
            "content_selection",
            "max_candidate",
            json!(5),
            "unknown setting; did you mean `max_candidates`?",
        ),
        (
            "duplicate_check",
            "lookback_days",
            json!(0),
            "must be a whole number from 1 to 3650, not 0",
        ),
        (
            "duplicate_check",
            "similarity_threshold",
            json!(0),
            "must be a number above 0, up to 1, not 0",
        ),
        (
            "duplicate_check",
            "similarity_threshold",
            json!(90),
            "must be a number above 0, up to 1, not 90",
        ),
        (
            "rate_limiting",
            "max_posts_per_day",
            json!(0),
            "must be a whole number from 1 to 1000000, not 0",
        ),
        (
            "rate_limiting",
            "min_interval_minutes",
            json!(-1),
            "must be a whole number from 0 to 525600, not -1",
        ),
        (
            "rate_limiting",
            "timezone",
            json!("Europe/Berln"),
            "must be an IANA time zone such as \"Europe/Berlin\", not \"Europe/Berln\"; did you mean `Europe/Berlin`?",
        ),
        (
            "content_scheduling",
            "schedule_window_start",
            json!("24:00"),
            "must be a time of day such as \"09:00\", not \"24:00\"",
        ),
        (
            "content_scheduling",
            "schedule_window_end",
            json!("9am"),
            "must be a time of day such as \"09:00\", not \"9am\"",
        ),
        (
            "content_scheduling",
            "schedule_window_end",
            json!(17),
            "must be a time of day such as \"09:00\", not 17",
        ),
        (
            "content_scheduling",
            "randomize_within_window",
            json!("yes"),
            "must be true or false, not \"yes\"",
        ),
    ] {
        let value = Value::Object([(key.to_owned(), value)].into_iter().collect());
        assert_eq!(problems(skill, value), [format!("{key}: {message}")]);
    }
}

#[test]
fn all_problems_are_said_at_once() {
    let value = json!({ "schedule_window_start": "noon", "schedule_window_end": "late", "timezone": "Mars", "x": 1 });
    assert_eq!(problems("content_scheduling", value).len(), 4);
    let nothing_counts = json!({ "priority_weight": 0, "freshness_weight": 0 });
    assert_eq!(
        problems("content_selection", nothing_counts),
        ["priority_weight: must not be 0 when `freshness_weight` is 0: nothing would count"]
    );
}

#[test]
fn posts_are_kept_as_long_as_any_skill_of_a_bot_looks_back() {
    let spec = |name: &str, enabled, value| SkillSpec {
        name: name.into(),
        enabled,
        settings: settings(value),
    };
    let days = |skills: Vec<SkillSpec>| {
        let behaviour = Behaviour {
            skills,
            ..Behaviour::default()
        };
        SkillSet::built_in().look_back(&behaviour).num_days()
    };
    let check = json!({ "lookback_days": 90 });
    assert_eq!(days(vec![]), 0);
    assert_eq!(days(vec![spec("duplicate_check", true, json!({}))]), 30);
    assert_eq!(days(vec![spec("duplicate_check", true, check.clone())]), 90);
    assert_eq!(days(vec![spec("duplicate_check", false, check)]), 0);
    let rare = json!({ "min_interval_minutes": 60 * 24 * 40 });
    assert_eq!(days(vec![spec("rate_limiting", true, rare)]), 40);
    assert_eq!(
        days(vec![spec(
            "rate_limiting",
            true,
            json!({ "max_posts_per_day": 1 })
        )]),
        2
    );
    assert_eq!(days(vec![spec("unknown", true, json!({}))]), 0);
}
