//! `content_posting`, and the set that skills are found in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

#[path = "support/run.rs"]
mod run;

use actor_server::{
    domain::{hold::HoldKind, post::Message},
    skills::{
        RunContext, SettingProblem, Skill, SkillError, Verdict, content_posting::ContentPosting,
        registry::SkillSet,
    },
};
use async_trait::async_trait;
use run::{Desk, bot, settings};
use serde_json::{Map, Value, json};

/// Posts a message with `options` under the settings `given`.
async fn post(desk: &Desk, given: Value, options: Value) -> Result<Verdict, SkillError> {
    let bot = bot();
    let mut run = run::run(&bot, desk, Value::Null);
    run.message = Some(Message {
        body: "hi @everyone".into(),
        options,
    });
    ContentPosting.run(&mut run, &settings(given)).await
}

#[tokio::test]
async fn nobody_is_mentioned_unless_the_bot_file_allows_it() {
    let none = json!({ "parse": [] });
    let ids = json!({ "parse": ["users"], "roles": ["123"] });
    for (given, made, allowed) in [
        (json!({}), json!({}), none.clone()),
        (
            json!({}),
            json!({ "allowed_mentions": { "parse": ["everyone"] } }),
            none.clone(),
        ),
        (json!({ "allowed_mentions": [] }), json!({}), none),
        (
            json!({ "allowed_mentions": ["users"] }),
            json!({}),
            json!({ "parse": ["users"] }),
        ),
        (json!({ "allowed_mentions": ids }), json!({}), ids),
    ] {
        let desk = Desk::default();
        assert_eq!(post(&desk, given.clone(), made).await, Ok(Verdict::Done));
        assert_eq!(
            desk.posts()[0].1.options["allowed_mentions"],
            allowed,
            "{given}"
        );
    }
}

#[tokio::test]
async fn posts_are_numbered_and_keep_their_embeds() {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run::run(&bot, &desk, Value::Null);
    run.message = Some(Message {
        body: "text".into(),
        options: json!({ "embeds": [{ "title": "T" }] }),
    });
    for _ in 0..2 {
        ContentPosting.run(&mut run, &Map::new()).await.unwrap();
    }
    let posts = desk.posts();
    assert_eq!(
        posts
            .iter()
            .map(|(position, _)| *position)
            .collect::<Vec<_>>(),
        [0, 1]
    );
    assert_eq!(posts[0].1.options["embeds"][0]["title"], "T");
    assert_eq!(run.posted, 2);
}

#[tokio::test]
async fn without_a_message_there_is_nothing_to_do() {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run::run(&bot, &desk, Value::Null);
    let verdict = ContentPosting.run(&mut run, &Map::new()).await.unwrap();
    assert_eq!(
        verdict,
        Verdict::NothingToDo("there is no text to post".into())
    );
    assert_eq!((run.posted, desk.posts().len()), (0, 0));
}

#[tokio::test]
async fn what_the_outlet_says_is_passed_on_whole() {
    let error = SkillError {
        message: "no channel".into(),
        recoverable: false,
        hold: Some(HoldKind::Refused),
    };
    let desk = Desk::refusing(error.clone());
    assert_eq!(post(&desk, json!({}), json!({})).await, Err(error));
}

#[test]
fn wrong_mentions_are_found_before_a_run() {
    let check = |given: Value| SkillSet::built_in().check("content_posting", &settings(given));
    for good in [
        json!({}),
        json!({ "allowed_mentions": ["users", "roles", "everyone"] }),
        json!({ "allowed_mentions": { "parse": ["roles"], "users": ["1"], "replied_user": true } }),
    ] {
        assert_eq!(check(good.clone()), [], "{good}");
    }
    for (given, key, says) in [
        (
            json!({ "allow_mentions": [] }),
            "allow_mentions",
            "did you mean `allowed_mentions`?",
        ),
        (
            json!({ "attachments": [] }),
            "attachments",
            "unknown setting",
        ),
        (
            json!({ "allowed_mentions": "all" }),
            "allowed_mentions",
            "must be a list of users, roles, everyone",
        ),
        (
            json!({ "allowed_mentions": ["here"] }),
            "allowed_mentions",
            "`here` cannot be mentioned",
        ),
        (
            json!({ "allowed_mentions": { "user": [] } }),
            "allowed_mentions.user",
            "did you mean `users`?",
        ),
        (
            json!({ "allowed_mentions": { "users": [7] } }),
            "allowed_mentions.users",
            "ids as texts",
        ),
        (
            json!({ "allowed_mentions": { "users": ["x"] } }),
            "allowed_mentions.users",
            "`x` is no id",
        ),
        (
            json!({ "allowed_mentions": { "users": ["0"] } }),
            "allowed_mentions.users",
            "`0` is no id",
        ),
        (
            json!({ "allowed_mentions": { "users": vec!["1"; 101] } }),
            "allowed_mentions.users",
            "at most 100",
        ),
        (
            json!({ "allowed_mentions": { "parse": ["users"], "users": ["1"] } }),
            "allowed_mentions.users",
            "while `parse` allows all",
        ),
    ] {
        let found = check(given.clone());
        assert_eq!(found.len(), 1, "{given}: {found:?}");
        assert_eq!(found[0].0, key);
        assert!(found[0].1.contains(says), "{given}: {found:?}");
    }
}

struct Shout;

#[async_trait]
impl Skill for Shout {
    fn name(&self) -> &str {
        "shout"
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let problem = |key: &String| SettingProblem {
            key: key.clone(),
            message: "too quiet".into(),
        };
        settings.keys().map(problem).collect()
    }

    async fn run(
        &self,
        _: &mut RunContext<'_>,
        _: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        Ok(Verdict::Done)
    }
}

#[test]
fn a_program_may_add_its_own_skills() {
    let skills = SkillSet::built_in().with(Shout);
    let built_in = SkillSet::built_in();
    assert_eq!(skills.names(), [built_in.names(), vec!["shout"]].concat());
    assert_eq!(skills.get("shout").unwrap().name(), "shout");
    let found = skills.check("shout", &settings(json!({ "volume": 1 })));
    assert_eq!(found, [("volume".to_owned(), "too quiet".to_owned())]);
    assert!(format!("{skills:?}").ends_with(r#", "shout"}"#));
}

#[test]
fn an_unknown_skill_is_one_problem_that_names_the_near_one() {
    let found = SkillSet::built_in().check("content_formater", &Map::new());
    let says = "there is no skill `content_formater`; did you mean `content_formatter`?";
    assert_eq!(found, [(String::new(), says.to_owned())]);
    let found = SkillSet::built_in().check("xyz", &Map::new());
    assert!(
        found[0]
            .1
            .contains("known are command, content_formatter, content_posting"),
        "{found:?}"
    );
}
