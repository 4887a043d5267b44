//! `/metrics` of the real binary: what it says of bots is what the tables and the control API say.

use std::{io::Write, time::Duration};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    client::{connect, get, read_to_end},
    ledger::Ledger,
    scrape::Scrape,
    server::{DEADLINE, Home, LISTENERS, Server, retry},
};

fn bot(name: &str, file: &str, schedule: &str) -> String {
    format!(
        "\n[[actors]]\nname = \"{name}\"\nconfig_file = \"{file}\"\n[actors.retry]\nmax_attempts = 1\n[actors.schedule]\n{schedule}\n"
    )
}

const EVERY_SECOND: &str = "type = \"Interval\"\nseconds = 1";
const SOME_DAY: &str = "type = \"Once\"\nat = \"2096-01-01T00:00:00Z\"";
const HEAD: &str = "[server]\nshutdown_grace_seconds = 5\nmax_consecutive_failures = 2\ncheck_interval_seconds = 1\n";

fn scrape(server: &Server<'_>) -> Scrape {
    Scrape::from(server.address("metrics"))
}

/// Scrapes until what is seen is as wanted.
fn seen(server: &Server<'_>, what: &str, wanted: impl Fn(&Scrape) -> bool) -> Scrape {
    let found = retry(DEADLINE, || Some(scrape(server)).filter(&wanted));
    found.unwrap_or_else(|| panic!("never seen: {what}\n{}", scrape(server).text))
}

/// The slots of a bot that the tables account for, with this status.
fn slots(ledger: &Ledger, bot: &str, status: &str) -> f64 {
    let rows = ledger.with(bot, status).into_iter();
    let rows = rows.filter(|row| row.scheduled_for.is_some());
    rows.map(|row| row.slots).sum::<i64>() as f64
}

#[test]
fn counters_are_what_the_tables_say_and_states_what_the_api_says() {
    let home = Home::new(&format!(
        "{HEAD}{}{}{}",
        bot("good", "post.toml", EVERY_SECOND),
        bot("bad", "broken.toml", EVERY_SECOND),
        bot("later", "post.toml", SOME_DAY),
    ));
    let server = home.start();
    server.wait_for("a hold", |ledger| ledger.is_held("bad", "failures"));
    server.wait_for("posts", |ledger| {
        ledger.with("good", "succeeded").len() >= 3
    });
    seen(&server, "the trip", |page| {
        page.value("circuit_breaker_trips_total{actor=\"bad\"}") == Some(1.0)
    });
    let actors: Value = get(server.address("api"), "/api/v1/actors").json();
    let page = scrape(&server);
    for actor in actors.as_array().unwrap() {
        let name = actor["name"].as_str().unwrap();
        let state = |family: &str| page.value(&format!("{family}{{actor=\"{name}\"}}"));
        let paused = f64::from(u8::from(actor["is_paused"].as_bool().unwrap()));
        assert_eq!(state("actor_paused"), Some(paused), "{name}");
        assert_eq!(
            state("consecutive_failures"),
            actor["consecutive_failures"].as_f64()
        );
    }
    assert_eq!(
        page.value("next_run_timestamp{actor=\"later\"}"),
        Some(3_976_214_400.0)
    );
    assert_eq!(page.value("last_success_timestamp{actor=\"bad\"}"), None);
    assert!(page.value("last_success_timestamp{actor=\"good\"}") > Some(1.7e9));
    assert_eq!(page.value("tasks_paused"), Some(1.0));
    assert_eq!(page.value("tasks_scheduled"), Some(2.0));
    let equal = |page: &Scrape| {
        let ledger = home.ledger();
        ["good", "bad", "later"].into_iter().all(|bot| {
            ["succeeded", "failed", "skipped", "missed"]
                .into_iter()
                .all(|status| {
                    let series = format!("slots_total{{actor=\"{bot}\",outcome=\"{status}\"}}");
                    page.value(&series).unwrap_or(0.0) == slots(&ledger, bot, status)
                })
        })
    };
    let page = seen(&server, "the tables' counts", equal);
    let runs =
        |status: &str| format!("actor_executions_total{{actor=\"bad\",status=\"{status}\"}}");
    assert_eq!(page.value(&runs("failure")), Some(2.0));
    assert_eq!(page.value(&runs("success")), Some(0.0));
    assert!(page.value("skills_executed_total{actor=\"bad\",status=\"failed\"}") == Some(2.0));
    assert!(page.value("schedule_lateness_seconds_count") >= Some(5.0));
    server.stop();
}

#[test]
fn the_process_and_its_machine_are_measured_from_the_start() {
    let home = Home::new(HEAD);
    let server = home.start();
    let page = seen(&server, "a schema", |page| {
        page.value("schema_version") > Some(0.0)
    });
    for series in [
        "memory_usage_bytes",
        "disk_free_bytes",
        "process_resident_memory_bytes",
        "process_open_fds",
        "heartbeat_timestamp",
    ] {
        assert!(page.value(series) > Some(0.0), "{series} in\n{}", page.text);
    }
    assert_eq!(page.value("replicas"), Some(1.0));
    assert_eq!(page.value("outbox_size"), Some(0.0));
    assert_eq!(
        page.value("connection_status{dependency=\"database\"}"),
        Some(1.0)
    );
    assert!(
        page.text
            .contains("# TYPE botticelli_cpu_usage_percent gauge")
    );
    server.stop();
}

#[test]
fn a_database_that_is_away_at_the_start_is_seen() {
    let home = Home::new(HEAD);
    let away = "postgres://nobody@127.0.0.1:1/none";
    let server = home.launch(&[("DATABASE_URL", away)]);
    server.wait_for_log("cannot be opened");
    let page = scrape(&server);
    let connected = page.value("connection_status{dependency=\"database\"}");
    assert_eq!(connected, Some(0.0), "{}", page.text);
    server.kill();
}

#[test]
fn a_removed_bot_is_not_scraped_any_more() {
    let both = [
        bot("stays", "post.toml", EVERY_SECOND),
        bot("gone", "post.toml", EVERY_SECOND),
    ];
    let home = Home::new(&format!("{HEAD}{}", both.concat()));
    let server = home.start();
    seen(&server, "both", |page| {
        ["stays", "gone"]
            .into_iter()
            .all(|bot| page.sum("execution_duration_seconds_count", bot) >= 1.0)
    });
    home.configure(&format!("{HEAD}{}", both[0]));
    server.signal(Signal::SIGHUP);
    server.wait_for_log("configuration reloaded");
    let page = seen(&server, "one", |page| !page.text.contains("actor=\"gone\""));
    assert!(page.sum("actor_executions_total", "stays") >= 0.0);
    assert_eq!(
        page.value("config_reloads_total{result=\"applied\"}"),
        Some(1.0)
    );
    server.stop();
}

#[test]
fn prometheus_asks_for_gzip_and_gets_it() {
    let home = Home::new(HEAD);
    let server = home.start();
    let address = server.address("metrics");
    let plain = get(address, "/metrics");
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert_eq!(plain.header("content-encoding"), None);
    let mut stream = connect(address);
    let request =
        "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let (answer, _) = read_to_end(&mut stream);
    assert!(answer.contains("content-encoding: gzip"), "{answer}");
    assert!(answer.len() < plain.body.len(), "{} bytes", answer.len());
    server.stop();
}

#[test]
fn without_their_listener_nothing_is_counted_and_all_else_works() {
    let home = Home::new(&format!("{HEAD}{}", bot("good", "post.toml", EVERY_SECOND)));
    home.set("ENABLE_METRICS", "0");
    let server = home.start();
    server.wait_for("posts", |ledger| {
        ledger.with("good", "succeeded").len() >= 2
    });
    let listening = |name: &str| server.stderr().contains(&format!("listener=\"{name}\""));
    let there: Vec<bool> = LISTENERS.iter().map(|(name, _)| listening(name)).collect();
    assert_eq!(there, [true, true, false]);
    assert_eq!(get(server.address("api"), "/metrics").status, 404);
    assert!(server.stop() < Duration::from_secs(5));
}
