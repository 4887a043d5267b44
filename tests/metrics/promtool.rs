//! Prometheus's own tool reads what we write. It is Debian's package `prometheus`; where it is missing, this is passed over,
//! unless `ACTOR_SERVER_TEST_PROMTOOL=required`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use actor_server::telemetry::metrics::{Metrics, Picture};

use crate::{client::get, server::Home};

/// What the tool would have otherwise, and what dashboards and alerts know under this name.
const KNOWN: [&str; 1] = ["cpu_usage_percent"];

/// Has the tool check a text; answers what it complains about.
fn complaints(text: &str) -> Option<Vec<String>> {
    let mut tool = match Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    {
        Ok(tool) => tool,
        Err(error) => {
            let required =
                std::env::var("ACTOR_SERVER_TEST_PROMTOOL").is_ok_and(|it| it == "required");
            assert!(!required, "promtool: {error}");
            eprintln!("passed over: promtool: {error}");
            return None;
        }
    };
    tool.stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let done = tool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    // 3 is what it ends with when it only has wishes.
    assert!(matches!(done.status.code(), Some(0 | 3)), "{said}\n{text}");
    let wishes = said
        .lines()
        .filter(|line| !KNOWN.iter().any(|known| line.contains(known)));
    Some(wishes.map(str::to_owned).collect())
}

#[test]
fn a_real_scrape_is_what_prometheus_wants() {
    let home = Home::new(concat!(
        "[[actors]]\nname = \"poster\"\nconfig_file = \"post.toml\"\n[actors.schedule]\ntype = \"Interval\"\nseconds = 1\n",
        "[[actors]]\nname = \"broken\"\nconfig_file = \"broken.toml\"\n[actors.schedule]\ntype = \"Immediate\"\n",
    ));
    let server = home.start();
    server.wait_for("a post", |ledger| {
        !ledger.with("poster", "succeeded").is_empty()
    });
    server.wait_for("a failure", |ledger| {
        !ledger.with("broken", "failed").is_empty()
    });
    get(server.address("api"), "/api/v1/actors");
    let text = get(server.address("metrics"), "/metrics").body;
    assert!(
        complaints(&text).is_none_or(|said| said.is_empty()),
        "{:?}",
        complaints(&text)
    );
    server.stop();
}

#[test]
fn no_namespace_and_no_name_breaks_the_format() {
    let hostile = [
        "",
        "9",
        "a b",
        "x\"} 1\n# TYPE",
        "naïve",
        "a:b{c=\"d\"}",
        "\u{0}",
        "process",
    ];
    for namespace in hostile {
        let metrics = Metrics::new(namespace, 200);
        metrics.bots.configure(hostile);
        for bot in hostile {
            metrics.bots.of(bot).run("success");
            metrics.bots.of(bot).took(0.1);
        }
        let text = metrics.render(&Picture::default());
        // The tool may not like such names, but it reads them.
        complaints(&text);
    }
}
