//! A collector that is away, slow or not wanted: nothing waits for it.

use std::{net::TcpListener, time::Duration};

use crate::{
    bots::Bot,
    collector::{Collector, Meeting},
    discord::FakeDiscord,
    stand::{home, poster, traced, trigger, waiting},
};

/// A bot with a run every second, which posts nothing.
fn quiet(name: &str) -> Bot {
    Bot::every(1, name).file("quiet.toml")
}

#[test]
fn without_an_endpoint_nothing_is_sent_and_nobody_is_told_of_traces() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = home(&discord, &[poster("bot"), waiting("asked")]);
    // Wrong for traces, but there are none.
    home.set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let server = home.start();
    trigger(
        &home,
        &server,
        "asked",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
    );
    let told = discord.wait_for_requests(2, crate::server::DEADLINE);
    assert!(told.iter().all(|request| request.traceparent.is_empty()));
    server.stop();
    assert_eq!(collector.requests(), 0);
    assert!(!home.stderr().contains("trace"), "{}", home.stderr());
    assert!(
        home.ledger()
            .rows
            .iter()
            .all(|row| !row.metadata.contains("trace"))
    );
}

#[test]
fn traces_that_are_switched_off_are_not_sent() {
    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let (collector, discord) = (Collector::start(), FakeDiscord::start());
        let home = traced(&collector, &discord, &[poster("bot")]);
        home.set(off.0, off.1);
        let server = home.start();
        server.wait_for("the run", |ledger| {
            !ledger.with("bot", "succeeded").is_empty()
        });
        server.stop();
        assert_eq!(collector.requests(), 0, "{off:?}");
    }
}

#[test]
fn an_outage_of_the_collector_is_logged_once_and_ends_by_itself() {
    let discord = FakeDiscord::start();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let home = home(&discord, &[quiet("bot")]);
    home.set("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}/"));
    home.set("OTEL_BSP_SCHEDULE_DELAY", "50");
    home.set("OTEL_EXPORTER_OTLP_TIMEOUT", "300");
    let server = home.start();
    server.wait_for_log("the collector does not take traces");
    server.wait_for("runs", |ledger| ledger.with("bot", "succeeded").len() >= 4);
    let collector = Collector::on(TcpListener::bind(address).unwrap());
    server.wait_for_log("the collector takes traces again");
    collector.trace_with("run", ("actor", "bot"));
    collector.meet(Meeting::Refuse(503));
    server.wait_for_log("it answered 503");
    collector.meet(Meeting::Take);
    let took = server.stop();
    assert!(took < Duration::from_secs(6), "{took:?}");
    let log = home.stderr();
    assert_eq!(log.matches("does not take traces").count(), 2, "{log}");
    home.ledger().assert_every_slot_ran("bot");
}

#[test]
fn a_collector_that_never_answers_delays_neither_runs_nor_the_stop() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    collector.meet(Meeting::Hang);
    let home = traced(&collector, &discord, &[quiet("bot")]);
    home.set("OTEL_BSP_MAX_QUEUE_SIZE", "4");
    let server = home.start();
    server.wait_for("runs", |ledger| ledger.with("bot", "succeeded").len() >= 4);
    let took = server.stop();
    assert!(took < Duration::from_secs(6), "{took:?}");
    let ledger = home.ledger();
    ledger.assert_every_slot_ran("bot");
    let late = ledger
        .with("bot", "succeeded")
        .iter()
        .map(|row| row.lateness())
        .max();
    assert!(late.unwrap() < chrono::TimeDelta::seconds(2), "{ledger}");
    assert!(
        home.stderr().contains("spans did not reach the collector"),
        "{}",
        home.stderr()
    );
}
