//! `[actor.config]`: which skill gets what of it, and where a mistake is told. With the skills that come with the server.

use std::path::Path;

use actor_server::{
    app::BuiltInSkills,
    config::{LoadInput, Loaded, Problems, load},
};
use serde_json::{Map, Value, json};

use super::support::{entry, folder, now, write};

fn load_built_in(file: &Path) -> Result<Loaded, Problems> {
    load(LoadInput {
        file: file.into(),
        database_url: None,
        discord_token: None,
        environment: &|_| None,
        skills: &BuiltInSkills::default(),
        now: now(),
    })
}

fn load_bot(bot_file: &str) -> Result<Loaded, Problems> {
    let folder = folder(&entry("a", ""));
    write(&folder, "bot.toml", bot_file);
    load_built_in(&folder.path().join("server.toml"))
}

/// The settings of a skill of the only bot.
fn settings(loaded: &Loaded, skill: &str) -> Map<String, Value> {
    let skills = &loaded.settings.bots[0].behaviour.skills;
    let found = skills.iter().find(|spec| spec.name == skill).unwrap();
    found.settings.clone()
}

/// Each as `LINE KEY: MESSAGE`.
fn problems(bot_file: &str) -> Vec<String> {
    let found = load_bot(bot_file).unwrap_err();
    let lines = found.iter().map(|problem| {
        let line = problem.to_string();
        let (_, behind) = line.split_once("bot.toml:").unwrap();
        let (place, text) = behind.split_once(": ").unwrap();
        format!("{} {text}", place.split(':').next().unwrap())
    });
    lines.collect()
}

const GATES: &str = r#"[actor]
skills = ["rate_limiting", "content_scheduling", "duplicate_check", "content_posting"]
"#;

#[test]
fn a_shared_setting_reaches_every_skill_that_takes_it_and_no_other() {
    let text = GATES.to_owned()
        + "[actor.config]\nmax_posts_per_day = 10\ntimezone = \"Europe/Berlin\"\nlookback_days = 5\nmood = \"good\"\n\
           [skills.rate_limiting]\nmax_posts_per_day = 3\n";
    let loaded = load_bot(&text).unwrap();
    for (skill, expected) in [
        (
            "rate_limiting",
            json!({ "max_posts_per_day": 3, "timezone": "Europe/Berlin" }),
        ),
        ("content_scheduling", json!({ "timezone": "Europe/Berlin" })),
        ("duplicate_check", json!({ "lookback_days": 5 })),
        ("content_posting", json!({})),
    ] {
        assert_eq!(Value::Object(settings(&loaded, skill)), expected, "{skill}");
    }
    let config = &loaded.settings.bots[0].behaviour.config;
    assert_eq!((config.len(), &config["mood"]), (4, &json!("good")));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn a_bad_shared_value_is_a_problem_where_it_stands_and_told_once() {
    let text = GATES.to_owned()
        + "[actor.config]\nmax_posts_per_day = 0\ntimezone = \"Europe/Berln\"\nsimilarity_threshold = 90\n";
    assert_eq!(
        problems(&text),
        [
            "4 actor.config.max_posts_per_day: must be a whole number from 1 to 1000000, not 0",
            "5 actor.config.timezone: `Europe/Berln` is no IANA time zone; did you mean `Europe/Berlin`?",
            "6 actor.config.similarity_threshold: must be a number above 0, up to 1, not 90",
        ]
    );
}

#[test]
fn what_is_no_finite_number_is_told_as_such() {
    let text = GATES.to_owned() + "[actor.config]\nsimilarity_threshold = nan\nmood = -inf\n";
    assert_eq!(
        problems(&text),
        [
            "4 actor.config.similarity_threshold: nan cannot be used; give a finite number",
            "5 actor.config.mood: -inf cannot be used; give a finite number",
        ]
    );
}

#[test]
fn a_bad_value_of_a_skills_own_is_told_there() {
    let text = GATES.to_owned()
        + "[actor.config]\nmax_posts_per_day = 5\n[skills.rate_limiting]\nmax_posts_per_day = \"many\"\n";
    assert_eq!(
        problems(&text),
        [
            "6 skills.rate_limiting.max_posts_per_day: must be a whole number from 1 to 1000000, not \"many\""
        ]
    );
}

#[test]
fn a_key_that_is_nearly_one_that_a_skill_takes_is_a_warning() {
    let text = GATES.to_owned() + "[actor.config]\nmax_post_per_day = 10\nretry_attempts = 3\n";
    let warnings = load_bot(&text).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let warning = warnings[0].to_string();
    assert!(
        warning.ends_with(
            "bot.toml:4:20: actor.config.max_post_per_day: is taken by no listed skill; did you mean `max_posts_per_day`?"
        ),
        "{warning}"
    );
}

#[test]
fn a_skill_that_chooses_needs_something_to_choose_from() {
    let choosing = "skills = [\"content_selection\", \"content_posting\"]\n";
    for knowledge in ["", "knowledge = []\n"] {
        let found = problems(&format!("[actor]\n{knowledge}{choosing}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0]
                .contains("has nothing to work on; name the knowledge tables in `actor.knowledge`"),
            "{found:?}"
        );
    }
    let switched_off = format!("[actor]\n{choosing}[skills.content_selection]\nenabled = false\n");
    assert!(load_bot(&switched_off).is_ok());
    let bad_name = format!("[actor]\nknowledge = [\"a b\"]\n{choosing}");
    assert_eq!(problems(&bad_name).len(), 1);
}

#[test]
fn the_sample_of_a_whole_pipeline_is_good_and_all_its_commented_lines_are_defaults() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/actors/approved_posts.toml");
    let text = std::fs::read_to_string(sample).unwrap();
    let spelled_out: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(setting) if setting.contains(" = ") => setting.to_owned() + "\n",
            _ => line.to_owned() + "\n",
        })
        .collect();
    for text in [text, spelled_out] {
        let loaded = load_bot(&text).unwrap();
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        assert_eq!(loaded.settings.bots[0].behaviour.skills.len(), 6);
    }
}
