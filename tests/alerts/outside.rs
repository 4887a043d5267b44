//! The real binary and receivers that stand in for the world.

use std::time::Duration;

use serde_json::Value;

use super::{
    binary::{Home, retry},
    receiver::{Meet, Receiver, Taken},
};

const PATIENCE: Duration = Duration::from_secs(40);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn configuration(webhook: &Receiver, more: &str) -> String {
    format!(
        "[server]\nmax_consecutive_failures = 3\n[alerts]\nafter_failures = 2\nstalled_after_seconds = 4\n\
         [alerts.webhook]\nurl = \"{}\"\nsecret = \"{SECRET}\"\n{more}\n\
         [[actors]]\nname = \"bad\"\nconfig_file = \"broken.toml\"\n\
         [actors.schedule]\ntype = \"Interval\"\nseconds = 1\n\
         [actors.retry]\nmax_attempts = 1\n",
        webhook.url("/hook")
    )
}

/// What each request tells, such as `raised failures/bad`.
fn told(taken: &[Taken]) -> Vec<String> {
    let words = |one: &Taken| {
        let body = one.json();
        let text = body.to_string();
        let stage = body["type"].as_str().unwrap_or_default();
        let stage = stage.trim_start_matches("alert.").to_owned();
        let mut keys = ["failures/bad", "held/bad"].into_iter();
        let key = keys.rfind(|key| text.contains(key));
        format!("{stage} {}", key.unwrap_or("?"))
    };
    taken.iter().map(words).collect()
}

fn waits_for(receiver: &Receiver, what: &str) -> Vec<Taken> {
    let found = retry(PATIENCE, || {
        let taken = receiver.taken();
        told(&taken).iter().any(|one| one == what).then_some(taken)
    });
    found.unwrap_or_else(|| panic!("{what} not in {:?}", told(&receiver.taken())))
}

#[test]
fn a_failing_bot_is_told_of_and_so_is_its_hold_through_a_restart() {
    let webhook = Receiver::start();
    let home = Home::new(&configuration(&webhook, ""));
    let server = home.start();
    waits_for(&webhook, "raised failures/bad");
    let taken = waits_for(&webhook, "raised held/bad");
    assert!(
        taken
            .iter()
            .all(|one| one.header("webhook-signature").starts_with("v1,"))
    );
    server.kill();
    let so_far = webhook.taken().len();
    let server = home.start();
    server.wait_for_log("ready");
    // The hold goes on, and everybody knows.
    let ids = |taken: &[Taken]| -> Vec<Value> {
        let mut ids: Vec<Value> = taken
            .iter()
            .map(|one| one.header("webhook-id").into())
            .collect();
        ids.sort_by_key(ToString::to_string);
        ids.dedup();
        ids
    };
    let took = server.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let taken = webhook.taken();
    assert_eq!(
        ids(&taken).len(),
        ids(&taken[..so_far]).len(),
        "{:?}",
        told(&taken)
    );
    let raised = told(&taken)
        .iter()
        .filter(|one| *one == "raised held/bad")
        .count();
    assert_eq!(raised, 1);
}

#[test]
fn a_receiver_that_is_away_is_told_after_the_restart_with_the_same_id() {
    let webhook = Receiver::that(Meet::Cut);
    let home = Home::new(&configuration(&webhook, "on = [\"held\"]"));
    let server = home.start();
    webhook.wait_for(1, PATIENCE);
    server.wait_for_log("an alert was not taken");
    server.stop();
    webhook.otherwise(Meet::status(204));
    let server = home.start();
    let taken = retry(PATIENCE, || {
        let taken = webhook.taken();
        let requests = webhook.taken().len();
        (requests > 1 && home.sent() == 1).then_some(taken)
    })
    .expect("it is told in the end");
    let mut ids: Vec<&str> = taken.iter().map(|one| one.header("webhook-id")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    server.stop();
}

#[test]
fn a_hanging_receiver_delays_neither_runs_nor_the_end() {
    let webhook = Receiver::that(Meet::Hang);
    let home = Home::new(&configuration(&webhook, ""));
    let server = home.start();
    webhook.wait_for(1, PATIENCE);
    let took = server.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_bot_whose_next_run_has_gone_far_away_is_told_of_until_it_is_back() {
    let webhook = Receiver::start();
    let bot = "[[actors]]\nname = \"far\"\nconfig_file = \"quiet.toml\"\n\
               [actors.schedule]\ntype = \"Interval\"\nseconds = 2\n";
    let home = Home::new(&format!(
        "{}{bot}",
        configuration(&webhook, "on = [\"stalled\"]")
    ));
    let moved = |to: &str| {
        let only = "WHERE task_id = 'far'";
        home.sql(&format!(
            "UPDATE actor_server_state SET next_run = '{to}' {only}"
        ));
    };
    let hears = |stage: &str| {
        let found = retry(PATIENCE, || {
            let taken = webhook.taken();
            let is = |one: &Taken| one.json()["type"] == stage;
            taken.into_iter().find(is).map(|one| one.json())
        });
        let notice = found.unwrap_or_else(|| panic!("{stage}: {:?}", webhook.taken().len()));
        assert_eq!(notice["data"]["incident"], "stalled/far");
        notice
    };
    home.start().stop();
    moved("2190-01-01 00:00:00.000000+00:00");
    let server = home.start();
    let raised = hears("alert.raised");
    let detail = raised["data"]["detail"].as_str().unwrap();
    assert!(detail.contains("2190-01-01T00:00:00Z"), "{detail}");
    server.stop();
    // Where it would be had nothing happened.
    moved(
        &chrono::Utc::now()
            .format("%Y-%m-%d %H:%M:%S%.6f+00:00")
            .to_string(),
    );
    let server = home.start();
    hears("alert.recovered");
    server.stop();
}

impl Home {
    /// Deliveries that are sent.
    fn sent(&self) -> i64 {
        use diesel::{
            Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
            sql_types::BigInt,
        };
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let path = self.path("bots.db");
        let mut database = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let sql = "SELECT count(*) AS n FROM actor_server_alerts WHERE status = 'sent'";
        let counted: Count = sql_query(sql).get_result(&mut database).unwrap();
        counted.n
    }
}
