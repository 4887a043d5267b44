//! Alerts of the real server, as they arrive at receivers and as the API shows them.

use serde_json::{Value, json};

use super::{
    alerts::is_a,
    receiver::{Meet, Receiver},
    server::{DEADLINE, Home, retry},
    stand::{Api, home, resting},
};

const TEST: &str = "/api/v1/alerts/test";
const ROUTING_KEY: &str = "e93facc04764012d7bfb002500d5d1a6";

/// A server with two channels and a bot that fails whenever it runs.
fn told(receiver: &Receiver) -> Home {
    let (url, pagerduty) = (
        receiver.url("/hooks/a-secret-part-of-the-url"),
        receiver.url(""),
    );
    home(&format!(
        "{}[alerts]\nafter_failures = 1\n\
         [alerts.webhook]\nurl = \"{url}\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n\
         [alerts.pagerduty]\nrouting_key = \"{ROUTING_KEY}\"\nurl = \"{pagerduty}\"\n",
        resting("a", "broken.toml")
    ))
}

fn sent(answer: &Value) -> Vec<(&str, bool)> {
    let channels = answer["channels"].as_array().unwrap().iter();
    let said = channels.map(|one| {
        let sent = one["sent"].as_bool().unwrap();
        assert_eq!(one["error"].is_null(), sent, "{one}");
        (one["channel"].as_str().unwrap(), sent)
    });
    let mut said: Vec<_> = said.collect();
    said.sort_unstable();
    said
}

#[test]
fn a_test_goes_through_every_channel_or_one_and_says_what_came_of_it() {
    let receiver = Receiver::start();
    let home = told(&receiver);
    let server = home.start();
    let operator = Api::with_role(&home, &server, "operator");
    let answer = operator.post(TEST, &json!({}));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        sent(&answer.json()),
        [("pagerduty", true), ("webhook", true)]
    );
    let taken = receiver.wait_for(3, DEADLINE);
    let hook = taken.iter().find(|one| one.line.starts_with("POST /hooks"));
    assert_eq!(hook.unwrap().json()["type"], "alert.test");

    receiver.otherwise(Meet::says(404, "no a-secret-part-of-the-url here"));
    let answer = operator.post(TEST, &json!({ "channel": "webhook" }));
    assert_eq!(sent(&answer.json()), [("webhook", false)]);
    assert!(
        answer.body.contains("answered 404: no *** here"),
        "{answer:?}"
    );
    assert_eq!(receiver.taken().len(), 4);
    operator
        .post(TEST, &json!({ "channel": "discord" }))
        .assert_problem(404);
    let admin = Api::with_role(&home, &server, "admin");
    let row = retry(DEADLINE, || {
        let rows = admin.read("/api/v1/audit?action=test_alert&target=webhook");
        rows.get(0).cloned()
    });
    let row = row.unwrap();
    assert_eq!(
        (&row["outcome"], &row["subject"]),
        (&json!("ok"), &json!("ann"))
    );
    assert!(
        row["after"]["webhook"].as_str().unwrap().contains("404"),
        "{row}"
    );
    server.stop();
}

#[test]
fn a_command_fails_when_an_alert_does_not_arrive() {
    let receiver = Receiver::start();
    let home = told(&receiver);
    let server = home.start();
    let token = home.run(&[
        "token",
        "--role",
        "operator",
        "--subject",
        "ann",
        "--ttl",
        "1h",
    ]);
    let token = String::from_utf8(token.stdout).unwrap();
    home.set("ACTOR_SERVER_TOKEN", token.trim());
    home.set(
        "ACTOR_SERVER_URL",
        &format!("http://{}", server.address("api")),
    );
    for (meet, code) in [(Meet::status(202), 0), (Meet::status(410), 1)] {
        receiver.otherwise(meet);
        let said = home.run(&["ctl", "alert", "test"]);
        assert_eq!(said.status.code(), Some(code), "{said:?}");
    }
    let said = home.run(&["ctl", "alert", "test", "--channel", "discord"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    server.stop();
}

#[test]
fn a_bot_that_fails_is_told_of_and_listed() {
    let receiver = Receiver::start();
    let home = told(&receiver);
    let server = home.start();
    let api = Api::with_role(&home, &server, "operator");
    assert_eq!(api.post("/api/v1/actors/a/trigger", &json!({})).status, 200);
    let taken = receiver.wait_for(2, DEADLINE);
    let hook = taken.iter().find(|one| one.line.starts_with("POST /hooks"));
    let notice = hook.unwrap().json();
    assert_eq!(notice["type"], "alert.raised");
    assert_eq!(notice["data"]["incident"], "failures/a");
    let alerts = retry(DEADLINE, || {
        let shown = api.read("/api/v1/alerts");
        let told = shown["deliveries"].as_array()?.clone();
        let all = told.len() == 2 && told.iter().all(|one| one["status"] == "sent");
        all.then_some(shown)
    });
    let alerts = alerts.unwrap();
    is_a("Alerts", &alerts);
    assert_eq!(alerts["open"][0]["incident"], "failures/a");
    assert_eq!(alerts["open"][0]["actor"], "a");
    let one = api.read("/api/v1/alerts?limit=1");
    assert_eq!(one["deliveries"].as_array().unwrap().len(), 1);
    assert!(!alerts.to_string().contains(ROUTING_KEY));
    server.stop();
}
