//! What the environment says about traces.

use crate::{
    bots::{Bot, config},
    collector::{Collector, Request},
    discord::FakeDiscord,
    server::Home,
    stand::{poster, traced},
};

#[test]
fn wrong_settings_are_wrong_configuration_and_all_of_them_are_said() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    home.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317");
    home.set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    home.set("OTEL_TRACES_SAMPLER", "sometimes");
    home.set("OTEL_EXPORTER_OTLP_HEADERS", "pass-word");
    for command in ["run", "check"] {
        let output = home.run(&[command]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in [
            "http/protobuf",
            "4318",
            "OTEL_TRACES_SAMPLER",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("pass-word"), "{said}");
    }
}

#[test]
fn names_headers_and_compression_are_as_they_are_set_and_no_secret_is_logged() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[poster("bot")]);
    home.set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a-secret%20key");
    home.set("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    home.set("OTEL_SERVICE_NAME", "bots");
    home.set(
        "OTEL_RESOURCE_ATTRIBUTES",
        "deployment.environment.name=test",
    );
    home.set("RUST_LOG", "trace");
    let server = home.start();
    let trace = collector.trace_with("run", ("actor", "bot"));
    let run = trace.only("run");
    assert_eq!(run.resource["service.name"], "bots");
    assert_eq!(run.resource["deployment.environment.name"], "test");
    server.stop();
    let as_set = |it: &Request| it.key == "a-secret key" && it.encoding == "gzip";
    assert!(collector.headers().iter().all(as_set));
    assert!(!home.stderr().contains("a-secret"));
}

#[test]
fn a_sampler_that_takes_no_trace_sends_none_and_tells_so() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[poster("bot")]);
    home.set("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
    home.set("OTEL_TRACES_SAMPLER_ARG", "0");
    let server = home.start();
    let told = discord.wait_for_requests(1, crate::server::DEADLINE);
    assert!(told[0].traceparent.ends_with("-00"), "{told:?}");
    server.stop();
    assert_eq!(collector.requests(), 0);
}
