//! What is counted of requests, and that clients cannot invent labels.

use crate::{
    client::{get, send},
    home,
    server::{Home, LISTENERS},
};

#[test]
fn requests_are_counted_by_the_pattern_of_their_route() {
    let home = home();
    let server = home.start();
    let [api, health, metrics] = LISTENERS.map(|(name, _)| server.address(name));
    get(health, "/health/live");
    get(api, "/health/live?noise=1");
    get(api, "/invented/path");
    send(api, "BREW /another HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = get(metrics, "/metrics").body;
    for line in [
        "botticelli_http_requests_total{method=\"GET\",route=\"/health/live\",status=\"200\"} 2",
        "botticelli_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "botticelli_http_requests_total{method=\"other\",route=\"unmatched\",status=\"404\"} 1",
        "botticelli_http_request_duration_seconds_count{route=\"/health/live\"} 2",
        "# TYPE botticelli_config_reloads_total counter",
        "# TYPE process_resident_memory_bytes gauge",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"} 1")));
    assert!(
        !text.contains("invented") && !text.contains("BREW"),
        "{text}"
    );
    server.stop();
}

#[test]
fn the_namespace_is_configured() {
    let home = Home::new("[server]\n[metrics]\nnamespace = \"pinacoteca\"\n");
    let server = home.start();
    let reply = get(server.address("metrics"), "/metrics");
    assert!(
        reply
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    assert!(
        reply.body.contains("\npinacoteca_http_requests_total")
            || reply
                .body
                .contains("# TYPE pinacoteca_http_requests_total counter")
    );
    assert!(!reply.body.contains("botticelli_"));
    server.stop();
}
