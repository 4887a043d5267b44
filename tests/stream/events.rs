//! `POST /api/v1/events` over real sockets: who may send one, and what one may be.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use actix_web::dev::ServerHandle;
use actor_server::{
    clock::Clock,
    domain::{
        outcome::Status,
        run::{ExecutionId, Trigger},
    },
    http::{auth::signature::Signatures, stalled},
};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tempfile::{TempDir, tempdir};

use super::{
    bots::{bot, with},
    client::{Answer, ask, serve},
    server::Server,
    signature::SECRET,
    stand::Setting,
};

/// A server with two bots that listen for `release`, one of them for `deploy/prod` as well.
struct Events {
    server: Server,
    address: SocketAddr,
    handle: ServerHandle,
    _folder: TempDir,
}

impl Events {
    async fn start(secret: Option<&str>) -> Self {
        let listens = |name, types: &[&str]| {
            let types = types.iter().map(ToString::to_string).collect();
            with(bot(name, "succeed"), |policy| policy.on_event = types)
        };
        let bots = [
            listens("one", &["release", "deploy/prod"]),
            listens("two", &["release"]),
            listens("deaf", &[]),
        ];
        let folder = tempdir().unwrap();
        let server = Server::start(folder.path(), Setting::of(bots)).await;
        let secret = secret.map(Into::into);
        let signatures = Signatures::new(secret.as_ref()).unwrap();
        let (address, handle) = serve(&server.stand.env, signatures, stalled::PATIENCE);
        Self {
            server,
            address,
            handle,
            _folder: folder,
        }
    }

    async fn send(&self, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        ask(self.address, &head, body).await
    }

    async fn send_signed(&self, id: &str, body: &str) -> Answer {
        self.send(&signed(id, body), body).await
    }

    /// Sends a good event; answers the bots and their runs.
    async fn accepted(&self, id: &str, body: &Value) -> Vec<(String, i64)> {
        let mut answer = self.send_signed(id, &body.to_string()).await;
        let document = answer.body().await;
        assert_eq!(answer.status(), 202, "{document}");
        assert_eq!(document["event_type"], body["event_type"]);
        let runs = document["executions"].as_array().unwrap().iter();
        let run = |one: &Value| {
            let actor = one["actor"].as_str().unwrap().to_owned();
            (actor, one["execution_id"].as_i64().unwrap())
        };
        runs.map(run).collect()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn signed(id: &str, body: &str) -> String {
    let webhook = Webhook::from_bytes(SECRET.as_bytes().to_vec()).unwrap();
    let at = Clock::process().now().timestamp();
    let signature = webhook.sign(id, at, body.as_bytes()).unwrap();
    format!("webhook-id: {id}\r\nwebhook-timestamp: {at}\r\nwebhook-signature: {signature}\r\n")
}

fn release(version: &str) -> Value {
    json!({ "event_type": "release", "source": "ci", "payload": { "version": version } })
}

#[actix_rt::test]
async fn a_signed_event_starts_every_bot_that_listens_and_its_payload_is_with_the_runs() {
    let events = Events::start(Some(SECRET)).await;
    let mut runs = events.accepted("msg_1", &release("1.2.3")).await;
    runs.sort();
    let names: Vec<&str> = runs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    for (name, run) in &runs {
        let row = events
            .server
            .run(name, ExecutionId(*run), Status::Succeeded)
            .await;
        assert_eq!(row.trigger, Trigger::Event);
        let event = &row.metadata["input"]["event"];
        assert_eq!(event["payload"]["version"], "1.2.3", "{}", row.metadata);
        assert_eq!(
            (&event["type"], &event["source"]),
            (&"release".into(), &"ci".into())
        );
    }
    assert!(events.server.ledger("deaf").await.is_empty());
}

#[actix_rt::test]
async fn an_event_that_nobody_listens_for_is_taken_and_starts_nothing() {
    let events = Events::start(Some(SECRET)).await;
    let body = json!({ "event_type": "nobody.cares", "source": "ci" });
    assert!(events.accepted("msg_1", &body).await.is_empty());
}

#[actix_rt::test]
async fn a_repetition_names_the_runs_of_the_first_and_another_event_with_its_id_is_refused() {
    let events = Events::start(Some(SECRET)).await;
    let first = events.accepted("msg_1", &release("1")).await;
    assert_eq!(events.accepted("msg_1", &release("1")).await, first);
    for other in [
        release("2"),
        json!({ "event_type": "release", "source": "elsewhere", "payload": { "version": "1" } }),
        json!({ "event_type": "deploy/prod", "source": "ci", "payload": { "version": "1" } }),
    ] {
        let refused = events.send_signed("msg_1", &other.to_string()).await;
        assert_eq!(refused.status(), 422, "{other}");
    }
    assert_ne!(events.accepted("msg_2", &release("1")).await, first);
    assert_eq!(events.server.ledger("one").await.len(), 2);
}

#[actix_rt::test]
async fn without_key_and_secret_nobody_gets_in() {
    let events = Events::start(None).await;
    let body = release("1").to_string();
    for headers in ["", &signed("id", &body), "Authorization: Bearer x.y.z\r\n"] {
        let mut refused = events.send(headers, &body).await;
        assert_eq!(refused.status(), 503, "{headers}");
        assert_eq!(refused.body().await["status"], 503);
    }
}

#[actix_rt::test]
async fn without_token_and_signature_the_body_is_not_even_read() {
    let events = Events::start(Some(SECRET)).await;
    let head = "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n";
    let mut refused = ask(events.address, head, "").await;
    assert_eq!(refused.status(), 401);
    let head = refused.head.to_lowercase();
    assert!(head.contains("www-authenticate: "), "{head}");
    let detail = refused.body().await["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("webhook-signature"), "{detail}");
}

#[actix_rt::test]
async fn what_is_not_signed_right_is_refused_and_starts_nothing() {
    let events = Events::start(Some(SECRET)).await;
    let body = release("1").to_string();
    let right = signed("id", &body);
    for headers in [
        right.replace("v1,", "v1,A"),
        right.replace("webhook-id: id", "webhook-id: other"),
        right.replace("webhook-timestamp: 1", "webhook-timestamp: 2"),
        right
            .lines()
            .take(2)
            .map(|line| format!("{line}\r\n"))
            .collect(),
        format!("{right}webhook-id: id\r\n"),
    ] {
        let refused = events.send(&headers, &body).await;
        assert_eq!(refused.status(), 401, "{headers}");
    }
    assert_eq!(
        events
            .send(&right, &release("2").to_string())
            .await
            .status(),
        401
    );
    assert!(events.server.ledger("one").await.is_empty());
}

#[actix_rt::test]
async fn a_signed_event_that_is_none_is_refused() {
    let events = Events::start(Some(SECRET)).await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let with_payload =
        |payload: &str| format!(r#"{{"event_type":"release","source":"ci","payload":{payload}}}"#);
    let long = "x".repeat(129);
    for body in [
        String::new(),
        "{}".into(),
        "[]".into(),
        "null".into(),
        "{".into(),
        r#"{"event_type":"release"}"#.into(),
        r#"{"event_type":"release","source":""}"#.into(),
        r#"{"event_type":"release","source":"a\u0000b"}"#.into(),
        r#"{"event_type":"release","source":7}"#.into(),
        r#"{"event_type":"","source":"ci"}"#.into(),
        r#"{"event_type":"a b","source":"ci"}"#.into(),
        r#"{"event_type":"é","source":"ci"}"#.into(),
        format!(r#"{{"event_type":"{long}","source":"ci"}}"#),
        format!(
            r#"{{"event_type":"release","source":"{}"}}"#,
            "x".repeat(257)
        ),
        r#"{"event_type":"release","source":"ci","extra":1}"#.into(),
        r#"{"event_type":"release","event_type":"release","source":"ci"}"#.into(),
        with_payload("1e999"),
        with_payload("NaN"),
        with_payload(&nested(65)),
        with_payload(&nested(10_000)),
        format!("{}x", release("1")),
    ] {
        let mut refused = events.send_signed("id", &body).await;
        assert_eq!(refused.status(), 400, "{body}");
        assert_eq!(refused.body().await["status"], 400, "{body}");
    }
    assert!(events.server.ledger("one").await.is_empty());
}

#[actix_rt::test]
async fn what_may_be_sent_is_taken_to_its_bounds() {
    let events = Events::start(Some(SECRET)).await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let numbers = r#"[1,-1,1.5,1e300,18446744073709551615,-9223372036854775808,0.1]"#;
    for (n, payload) in [numbers, &nested(64), r#""a\u0000b""#, "null"]
        .into_iter()
        .enumerate()
    {
        let body = format!(r#"{{"event_type":"release","source":"ci","payload":{payload}}}"#);
        let (id, value) = (format!("msg_{n}"), serde_json::from_str(&body).unwrap());
        let first = events.accepted(&id, &value).await;
        assert_eq!(first.len(), 2, "{payload}");
        assert_eq!(events.accepted(&id, &value).await, first, "{payload}");
    }
}

#[actix_rt::test]
async fn a_body_beyond_its_bound_is_refused() {
    let events = Events::start(Some(SECRET)).await;
    let text = "x".repeat(70_000);
    let body = format!(r#"{{"event_type":"release","source":"ci","payload":"{text}"}}"#);
    assert_eq!(events.send_signed("id", &body).await.status(), 413);
}

#[actix_rt::test]
async fn a_signed_event_cannot_be_given_another_key_than_its_id() {
    let events = Events::start(Some(SECRET)).await;
    let body = release("1").to_string();
    for key in ["another", "", "a b", "\u{e9}"] {
        let headers = format!("{}Idempotency-Key: {key}\r\n", signed("msg_1", &body));
        assert_eq!(events.send(&headers, &body).await.status(), 400, "{key}");
    }
    assert!(events.server.ledger("one").await.is_empty());
}

#[actix_rt::test]
async fn the_documents_example_of_signing_works() {
    let events = Events::start(Some(SECRET)).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    let document = fs::read_to_string(path).unwrap();
    let example = document.split("```sh\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap().to_owned();
    let url = format!("http://{}", events.address);
    let run = move || {
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &example]);
        shell
            .env("ACTOR_SERVER_URL", url)
            .env("EVENTS_SECRET", SECRET)
            .output()
            .unwrap()
    };
    let output = actix_web::web::block(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["event_type"], "release", "{answer}");
    assert_eq!(
        answer["executions"].as_array().unwrap().len(),
        2,
        "{answer}"
    );
}
