use secrecy::ExposeSecret;

use super::*;

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, Vec<String>> {
    Settings::read(&|name| {
        let set = variables.iter().rfind(|(set, _)| *set == name);
        set.map(|(_, value)| value.into())
    })
}

fn on(variables: &[(&str, &str)]) -> Settings {
    read(&[&[ENDPOINT], variables].concat()).unwrap().unwrap()
}

fn problems(variables: &[(&str, &str)]) -> Vec<String> {
    read(&[&[ENDPOINT], variables].concat()).unwrap_err()
}

#[test]
fn without_an_endpoint_nothing_is_on_and_nothing_is_wrong() {
    assert!(read(&[]).unwrap().is_none());
    assert!(
        read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")])
            .unwrap()
            .is_none()
    );
    assert!(
        read(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")])
            .unwrap()
            .is_none()
    );
    for off in [
        ("OTEL_SDK_DISABLED", "TRUE"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        assert!(read(&[ENDPOINT, off]).unwrap().is_none(), "{off:?}");
    }
}

#[test]
fn the_address_of_all_signals_gets_the_path_and_the_one_of_traces_is_as_it_is() {
    assert_eq!(on(&[]).endpoint.as_str(), "http://collector:4318/v1/traces");
    let below = on(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://host/otlp/")]);
    assert_eq!(below.endpoint.as_str(), "https://host/otlp/v1/traces");
    let own = on(&[(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "https://host/in?key=k",
    )]);
    assert_eq!(own.endpoint.as_str(), "https://host/in?key=k");
    assert_eq!(own.shown_endpoint(), "https://host/in");
}

#[test]
fn defaults_are_those_of_the_specification() {
    let settings = on(&[]);
    assert_eq!(settings.service, "actor-server");
    assert_eq!(settings.timeout, Duration::from_secs(10));
    assert!(!settings.compressed && settings.headers.is_empty());
    let queue = Queue {
        longest: 2048,
        batch: 512,
        delay: Duration::from_secs(5),
    };
    assert_eq!(settings.queue, queue);
    assert_eq!(format!("{:?}", settings.sampler), "ParentBased(AlwaysOn)");
}

#[test]
fn everything_that_is_set_is_taken() {
    let settings = on(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1,"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,deployment.environment.name=test%2C1",
        ),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1000"),
    ]);
    let headers = settings.headers.iter();
    let headers: Vec<_> = headers
        .map(|(k, v)| (k.as_str(), v.expose_secret()))
        .collect();
    assert_eq!(headers, [("api-key", "a b"), ("x", "1")]);
    assert_eq!(settings.timeout, Duration::from_secs(1));
    assert!(settings.compressed);
    assert_eq!(settings.service, "other");
    let pair = ("deployment.environment.name".into(), "test,1".into());
    assert_eq!(settings.resource, [pair]);
    assert_eq!(format!("{:?}", settings.sampler), "TraceIdRatioBased(0.25)");
    assert_eq!((settings.queue.longest, settings.queue.batch), (100, 100));
    let named = [
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a"),
        ("OTEL_SERVICE_NAME", "b"),
    ];
    assert_eq!(on(&named).service, "b");
}

#[test]
fn a_wrong_value_is_a_problem_that_says_what_would_be_right() {
    for (name, value, said) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "http/json",
            "http/protobuf",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http://"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://me:pass-word@host",
            "HEADERS",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "grpc://host",
            "http://",
        ),
        ("OTEL_EXPORTER_OTLP_HEADERS", "pass-word", "key=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=pass-word%zz", "key=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=pass-word", "`a b`"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=pass-word%0A", "`a`"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "`gzip`"),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/nowhere/ca.pem",
            "/nowhere/ca.pem",
        ),
        ("OTEL_RESOURCE_ATTRIBUTES", "a", "key=value"),
        ("OTEL_SDK_DISABLED", "yes", "`true`"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "`otlp`"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "`traceidratio`"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "from 1"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "2048"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", "milliseconds"),
    ] {
        let found = problems(&[(name, value)]);
        let [problem] = &found[..] else {
            panic!("{name}={value}: {found:?}")
        };
        assert!(
            problem.starts_with(name) && problem.contains(said),
            "{problem}"
        );
        assert!(!problem.contains("pass-word"), "{problem}");
    }
    let ratio = [
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "10"),
    ];
    assert!(problems(&ratio)[0].starts_with("OTEL_TRACES_SAMPLER_ARG"));
    assert_eq!(
        problems(&[("OTEL_SDK_DISABLED", "?"), ("OTEL_BSP_SCHEDULE_DELAY", "?")]).len(),
        2
    );
}
