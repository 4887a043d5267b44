//! `http_request`: what is sent, and what becomes of the answer.

use actor_server::{
    domain::content::ItemUse,
    skills::{Skill, SkillError, Verdict, http_request::HttpRequest},
};
use serde_json::{Value, json};

use crate::{
    outbound,
    receiver::{Meet, Receiver},
    run::{Desk, bot, run as run_of, settings},
};

/// What a request has come to: the verdict, the result, the content, and whether an item is still behind it.
struct Sent {
    verdict: Result<Verdict, SkillError>,
    result: Value,
    content: Value,
    has_item: bool,
}

async fn send(given: Value, content: Value) -> Sent {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run_of(&bot, &desk, content);
    run.event = json!({ "name": "a/b ?#%ü", "up": ".." });
    run.item = Some(ItemUse {
        id: 1,
        text: String::new(),
    });
    let skill = HttpRequest::new(outbound(&["127.0.0.1"]));
    let verdict = skill.run(&mut run, &settings(given)).await;
    Sent {
        verdict,
        result: run.results.get("http_request").cloned().unwrap_or_default(),
        has_item: run.item.is_some(),
        content: run.content,
    }
}

fn error(sent: Sent) -> SkillError {
    let error = sent.verdict.unwrap_err();
    assert!(!error.message.contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn a_request_is_filled_in_and_its_answer_is_handed_on() {
    let receiver = Receiver::that(Meet::Answer(
        201,
        vec![
            ("Content-Type", "application/json".into()),
            ("X-A", "1".into()),
            ("X-A", "2".into()),
        ],
        r#"{"n": 5}"#.into(),
    ));
    let sent = send(
        json!({ "method": "POST", "url": receiver.url("/x/{{ event.name }}?q={{ content.body }}"),
            "headers": { "Authorization": "Bearer secret", "X-Bot": "{{ bot.name }}" },
            "body": "{\"text\": {{ content.body | tojson }}}" }),
        json!({ "body": "say \"hi\" & go" }),
    )
    .await;
    assert_eq!(sent.verdict.unwrap(), Verdict::Done);
    let taken = receiver.only();
    assert_eq!(
        taken.line,
        "POST /x/a%2Fb%20%3F%23%25%C3%BC?q=say%20%22hi%22%20%26%20go"
    );
    assert_eq!(
        (taken.header("authorization"), taken.header("x-bot")),
        ("Bearer secret", "herald")
    );
    assert_eq!(taken.header("content-type"), "application/json");
    assert_eq!(taken.json(), json!({ "text": "say \"hi\" & go" }));
    assert_eq!(
        (&sent.result["status"], &sent.result["json"]["n"]),
        (&json!(201), &json!(5))
    );
    assert_eq!(
        (&sent.result["headers"]["x-a"], &sent.result["text"]),
        (&json!("1, 2"), &json!("{\"n\": 5}"))
    );
    assert!(sent.has_item && sent.content["body"].is_string());
}

#[tokio::test]
async fn every_attempt_of_a_run_has_one_idempotency_key_and_reads_have_none() {
    let receiver = Receiver::start();
    for (method, own) in [
        ("POST", None),
        ("POST", None),
        ("DELETE", None),
        ("GET", None),
        ("POST", Some("mine")),
    ] {
        let headers = own.map_or(json!({}), |own| json!({ "Idempotency-Key": own }));
        let given = json!({ "method": method, "url": receiver.url("/"), "headers": headers });
        send(given, Value::Null).await.verdict.unwrap();
    }
    let taken = receiver.taken();
    let keys: Vec<&str> = taken
        .iter()
        .map(|one| one.header("idempotency-key"))
        .collect();
    assert_eq!(keys[0].len(), 32);
    assert_eq!(keys[1..], [keys[0], keys[0], "", "mine"]);
}

#[tokio::test]
async fn an_answer_can_become_the_content() {
    let json = |body: &str| {
        Meet::Answer(
            200,
            vec![("Content-Type", "application/json".into())],
            body.into(),
        )
    };
    for (meet, content) in [
        (
            Meet::says(200, " plain text \n"),
            json!({ "body": "plain text" }),
        ),
        (
            json(r#"{"body": "b", "title": "t"}"#),
            json!({ "body": "b", "title": "t" }),
        ),
        (json(r#""quoted""#), json!({ "body": "quoted" })),
    ] {
        let receiver = Receiver::that(meet);
        let given = json!({ "url": receiver.url("/"), "into": "content" });
        let sent = send(given, json!({ "body": "before" })).await;
        assert_eq!(sent.verdict.unwrap(), Verdict::Done);
        assert_eq!((sent.content, sent.has_item), (content, false));
    }
    for (meet, words) in [
        (json(r#"{"text": "b"}"#), "no text `body`"),
        (json("[1]"), "no text `body`"),
        (Meet::status(204), "is empty"),
        (json("{"), "says that it is JSON, and is not"),
        (
            json(&"[".repeat(100_000)),
            "says that it is JSON, and is not",
        ),
        (
            json(&format!("{}{}", "[".repeat(100), "]".repeat(100))),
            "nested deeper",
        ),
        (json(r#"{"body": "\u0000"}"#), "NUL"),
    ] {
        let receiver = Receiver::that(meet);
        let given = json!({ "url": receiver.url("/"), "into": "content" });
        let sent = send(given, json!({ "body": "before" })).await;
        assert_eq!(
            (&sent.content["body"], sent.has_item),
            (&json!("before"), true)
        );
        let error = error(sent);
        assert!(
            error.message.contains(words) && !error.recoverable,
            "{words}: {error}"
        );
    }
}

#[tokio::test]
async fn an_unwanted_status_is_a_failure_that_may_mend_or_not() {
    for (status, expect, good, recoverable) in [
        (200, Value::Null, true, false),
        (404, Value::Null, false, false),
        (404, json!([200, 404]), true, false),
        (200, json!(204), false, false),
        (500, Value::Null, false, true),
        (429, Value::Null, false, true),
    ] {
        let receiver = Receiver::that(Meet::status(status));
        let mut given = json!({ "url": receiver.url("/secret") });
        if !expect.is_null() {
            given["expect_status"] = expect;
        }
        let sent = send(given, Value::Null).await;
        match good {
            true => assert_eq!(sent.result["status"], status),
            false => {
                let error = error(sent);
                assert_eq!(error.recoverable, recoverable, "{error}");
                assert!(error.message.contains(&status.to_string()), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn hostile_answers_and_values_end_as_failures() {
    let receiver = Receiver::start();
    receiver.script([Meet::Flood(200), Meet::Hang, Meet::Cut]);
    let given = || json!({ "url": receiver.url("/secret"), "timeout_seconds": 1 });
    for (words, recoverable) in [
        ("more than 131072 bytes", false),
        ("within 1 s", true),
        ("was lost", true),
    ] {
        let error = error(send(given(), Value::Null).await);
        assert!(error.message.contains(words), "{error}");
        assert_eq!(error.recoverable, recoverable, "{error}");
    }
    let asked = receiver.taken().len();
    for (given, words) in [
        (
            json!({ "url": receiver.url("/{{ event.up }}/x") }),
            "climbs up the path",
        ),
        (
            json!({ "url": receiver.url("/x/%2e{{ \".\" }}") }),
            "climbs up the path",
        ),
        (
            json!({ "url": receiver.url("/"), "headers": { "X": "a\n{{ event.up }}" } }),
            "line break",
        ),
        (
            json!({ "url": receiver.url("/{{ event.nothing }}") }),
            "undefined",
        ),
        (json!({ "url": "http://10.0.0.1/secret" }), "internal"),
    ] {
        let error = error(send(given, Value::Null).await);
        assert!(
            error.message.contains(words) && !error.recoverable,
            "{words}: {error}"
        );
    }
    assert_eq!(receiver.taken().len(), asked);
}

#[test]
fn settings_are_checked_without_repeating_secrets() {
    let url = "https://a.example/x";
    for (given, words) in [
        (json!({}), "url: is missing"),
        (json!({ "url": "not a url secret" }), "url: is no URL"),
        (
            json!({ "url": "https://u:secret@a.example/" }),
            "url: the URL at https://a.example has a user",
        ),
        (
            json!({ "url": "https://{{ event.host }}/" }),
            "url: is no URL",
        ),
        (
            json!({ "url": "https://a.{{ event.host }}/" }),
            "url: has a template in its host",
        ),
        (
            json!({ "url": "https://a.example{{ event.path }}" }),
            "url: has a template in its host",
        ),
        (
            json!({ "url": "https://a.example:8{{ event.port }}/" }),
            "url: has a template in its host",
        ),
        (
            json!({ "url": "https://a.example/{{ contnet }}" }),
            "did you mean `content`?",
        ),
        (
            json!({ "url": url, "method": "get" }),
            "method: must be one of GET",
        ),
        (
            json!({ "url": url, "body": "x" }),
            "body: cannot be sent with GET",
        ),
        (
            json!({ "url": url, "method": "POST", "body": "{{ x" }),
            "body: syntax error",
        ),
        (
            json!({ "url": url, "headers": { "Host": "secret" } }),
            "headers: `Host` is set by the connection",
        ),
        (
            json!({ "url": url, "headers": { "a b": "secret" } }),
            "headers: `a b` is no name",
        ),
        (
            json!({ "url": url, "headers": { "a": 1 } }),
            "headers: `a` must be a text",
        ),
        (
            json!({ "url": url, "expect_status": [] }),
            "expect_status: must be a status",
        ),
        (
            json!({ "url": url, "expect_status": 1000 }),
            "expect_status: must be a status",
        ),
        (
            json!({ "url": url, "into": "message" }),
            "into: must be `content`",
        ),
        (
            json!({ "url": url, "max_redirects": 21 }),
            "max_redirects: must be",
        ),
        (
            json!({ "url": url, "timeout": 5 }),
            "did you mean `timeout_seconds`?",
        ),
    ] {
        let problems = HttpRequest::default().check(&settings(given.clone()));
        let texts: Vec<_> = problems
            .iter()
            .map(|p| format!("{}: {}", p.key, p.message))
            .collect();
        assert!(texts.join("\n").contains(words), "{given}: {texts:?}");
        assert!(!texts.join("\n").contains("secret"), "{texts:?}");
    }
    let good = json!({ "url": "https://a.example/{{ results.command.id }}?x={{ now }}", "method": "PUT",
        "headers": { "X": "{{ slot }}" }, "body": "{{ content | tojson }}", "expect_status": [200, 409] });
    assert!(HttpRequest::default().check(&settings(good)).is_empty());
}
