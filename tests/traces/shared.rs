//! Traces of runs on a database that is shared, and that goes away.

use crate::{
    bots::Bot,
    collector::Collector,
    discord::{FakeDiscord, Reply},
    postgres::TestCluster,
    server::DEADLINE,
    stand::{poster, traced, trigger, waiting},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
fn a_run_that_another_replica_takes_over_stays_in_the_trace_of_its_caller() {
    let cluster = TestCluster::start();
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    discord.otherwise(Some(Reply::Hang));
    let bot: Bot = waiting("bot").with("recover_in_flight = true");
    let home = traced(&collector, &discord, &[bot]);
    home.set("DATABASE_URL", &cluster.url());
    let first = home.start();
    let headers = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\n");
    trigger(&home, &first, "bot", &headers);
    discord.wait_for_requests(1, DEADLINE);
    let second = home.start();
    discord.otherwise(None);
    first.kill();
    let trace = collector.trace_with("run", ("outcome", "succeeded"));
    let run = trace.only("run");
    assert_eq!((run.trace.as_str(), run.says("attempt")), (TRACE, "2"));
    let request = trace.only("POST /api/v1/actors/{id}/trigger");
    assert_eq!(run.parent, request.id);
    let processes = [run, request].map(|span| &span.resource["service.instance.id"]);
    assert_ne!(processes[0], processes[1]);
    second.stop();
}

#[test]
fn a_run_goes_on_until_the_database_has_its_result() {
    let mut cluster = TestCluster::start();
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    discord.script([Reply::rate_limited(2.0, false)]);
    let home = traced(&collector, &discord, &[poster("bot")]);
    home.set("DATABASE_URL", &cluster.url());
    let server = home.start();
    discord.wait_for_requests(1, DEADLINE);
    cluster.stop();
    let before = collector.trace_with("attempt", ("outcome", "succeeded"));
    assert!(before.named("run").is_empty(), "{before:#?}");
    server.wait_for_log("the run has ended");
    cluster.start_again();
    let trace = collector.trace_with("run", ("outcome", "succeeded"));
    let (run, storing) = (trace.only("run"), trace.only("store result"));
    assert_eq!(storing.error, None);
    assert!(run.end >= storing.end && storing.start >= before.only("attempt").end);
    server.stop();
}
