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

/// What stands in `attachments` of a post of this content, under this setting.
async fn attached(setting: Value, content: Value) -> Result<Value, SkillError> {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run::run(&bot, &desk, content);
    run.message = Some(Message {
        body: "look".into(),
        options: json!({}),
    });
    let given = settings(json!({ "attachments": setting }));
    ContentPosting.run(&mut run, &given).await?;
    Ok(desk.posts()[0].1.options["attachments"].clone())
}

#[tokio::test]
async fn files_of_the_item_or_of_the_bot_file_go_with_the_post() {
    let content = json!({ "body": "b", "media": ["https://h/a.png", "http://h/b.gif"], "id": 7 });
    let media = json!([{ "url": "https://h/a.png" }, { "url": "http://h/b.gif" }]);
    let named = json!([
        "https://h/{{ content.id }}.png",
        "{% if false %}x{% endif %}"
    ]);
    let described = json!([{ "url": "https://h/a", "description": "no {{ content.id }}" }]);
    for (setting, content, expected) in [
        (json!("media"), content.clone(), media),
        (json!("media"), json!({ "body": "b" }), Value::Null),
        (json!("media"), Value::Null, Value::Null),
        (
            named,
            content.clone(),
            json!([{ "url": "https://h/7.png" }]),
        ),
        (
            described,
            content,
            json!([{ "url": "https://h/a", "description": "no 7" }]),
        ),
    ] {
        assert_eq!(
            attached(setting.clone(), content).await,
            Ok(expected),
            "{setting}"
        );
    }
    let many = json!({ "media": vec!["https://h/a"; 30] });
    let many = attached(json!("media"), many).await.unwrap();
    assert_eq!(many.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn what_is_no_address_of_the_web_is_never_attached() {
    for bad in ["/etc/passwd", "file:///etc/passwd", "a.png", ""] {
        let content = json!({ "media": [bad] });
        let error = attached(json!("media"), content).await.unwrap_err();
        assert!(
            !error.recoverable && error.message.contains("is no address"),
            "{error}"
        );
    }
    let error = attached(
        json!(["/etc/{{ content.name }}"]),
        json!({ "name": "passwd" }),
    )
    .await;
    assert!(
        error
            .unwrap_err()
            .message
            .contains("`/etc/passwd` is no address")
    );
}

#[tokio::test]
async fn when_there_is_nothing_to_post_nothing_is_posted() {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run::run(&bot, &desk, Value::Null);
    run.message = Some(Message {
        body: "text".into(),
        options: json!({}),
    });
    run.nothing_to_post = Some("no item is left".into());
    let verdict = ContentPosting.run(&mut run, &Map::new()).await.unwrap();
    assert_eq!(
        verdict,
        Verdict::NothingToDo("nothing to post: no item is left".into())
    );
    assert!(desk.posts().is_empty());
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
        json!({ "attachments": "media" }),
        json!({ "attachments": ["{{ content.url }}", { "url": "https://h/a", "description": "{{ content.title }}" }] }),
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
            json!({ "attachments": "all" }),
            "attachments",
            "\"media\" or a list",
        ),
        (
            json!({ "attachments": vec!["https://h/a"; 11] }),
            "attachments",
            "at most 10",
        ),
        (
            json!({ "attachments": ["{{ contend.media }}"] }),
            "attachments[0]",
            "did you mean `content`?",
        ),
        (
            json!({ "attachments": [7] }),
            "attachments[0]",
            "must be a text",
        ),
        (
            json!({ "attachments": ["ftp://h/a"] }),
            "attachments[0]",
            "`ftp://h/a` is no address",
        ),
        (
            json!({ "attachments": [{ "url": "cat.png" }] }),
            "attachments[0].url",
            "`cat.png` is no address",
        ),
        (
            json!({ "attachments": [{ "description": "a cat" }] }),
            "attachments[0].url",
            "is missing",
        ),
        (
            json!({ "attachments": [{ "url": "https://h/a", "alt": "a cat" }] }),
            "attachments[0].alt",
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
    let known = SkillSet::built_in();
    let mut names = known.names();
    names.push("shout");
    names.sort_unstable();
    assert_eq!(skills.names(), names);
    assert_eq!(skills.get("shout").unwrap().name(), "shout");
    let found = skills.check("shout", &settings(json!({ "volume": 1 })));
    assert_eq!(found, [("volume".to_owned(), "too quiet".to_owned())]);
    let shown: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    assert_eq!(format!("{skills:?}"), format!("{{{}}}", shown.join(", ")));
}

#[test]
fn an_unknown_skill_is_one_problem_that_names_the_near_one() {
    let found = SkillSet::built_in().check("content_formater", &Map::new());
    let says = "there is no skill `content_formater`; did you mean `content_formatter`?";
    assert_eq!(found, [(String::new(), says.to_owned())]);
    let found = SkillSet::built_in().check("xyz", &Map::new());
    let known = SkillSet::built_in().names().join(", ");
    assert!(
        found[0].1.ends_with(&format!("known are {known}")),
        "{found:?}"
    );
}
