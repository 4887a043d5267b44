//! The families, each with its type, its labels and its help: what dashboards and alerts rely on changes knowingly, and the
//! document tells of each.

use std::{collections::BTreeSet, fs, path::Path};

use actor_server::telemetry::metrics::{FamilyInfo, Metrics};

const NAMESPACE: &str = "botticelli_";

#[test]
fn every_family_has_its_type_labels_and_help() {
    let all: Vec<String> = Metrics::default().families().iter().map(line).collect();
    insta::assert_snapshot!(all.join("\n"));
}

fn line(family: &FamilyInfo) -> String {
    let FamilyInfo {
        name,
        help,
        kind,
        labels,
    } = family;
    format!("{name}{{{}}} {kind}: {help}", labels.join(","))
}

/// The rows of the document's tables: name, type, labels.
fn documented() -> BTreeSet<(String, String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert!(cells.len() == 8 || cells.len() == 4, "{line}");
        let bare = |cell: &str| cell.replace('`', "");
        (cells.len() == 8).then(|| (bare(cells[1]), cells[2].to_owned(), bare(cells[3])))
    });
    rows.collect()
}

#[test]
fn the_document_tells_of_every_family_and_of_no_other() {
    let families = Metrics::default().families();
    let real: BTreeSet<(String, String, String)> = families
        .iter()
        .map(|family| {
            let name = family.name.strip_prefix(NAMESPACE).unwrap_or(&family.name);
            (
                name.to_owned(),
                family.kind.to_owned(),
                family.labels.join(", "),
            )
        })
        .collect();
    let documented = documented();
    let missing: Vec<_> = real.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&real).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing: {missing:#?}\nnot there: {invented:#?}"
    );
}

#[test]
fn every_name_is_there_that_dashboards_and_alerts_know() {
    let families = Metrics::default().families();
    let shown: BTreeSet<String> = families
        .iter()
        .map(|family| format!("{}{{{}}}", family.name, family.labels.join(",")))
        .collect();
    for known in [
        "actor_executions_total{actor,status}",
        "active_actors{}",
        "circuit_breaker_trips_total{actor}",
        "execution_duration_seconds{actor}",
        "skills_executed_total{actor,status}",
        "actor_paused{actor}",
        "last_success_timestamp{actor}",
        "consecutive_failures{actor}",
        "actor_dependency_health_status{actor,dependency}",
        "schedule_lateness_seconds{}",
        "slots_total{actor,outcome}",
        "runs_waiting{}",
        "next_run_timestamp{actor}",
        "tasks_scheduled{}",
        "tasks_paused{}",
        "replicas{}",
        "connection_status{dependency}",
        "circuit_state{dependency}",
        "dependency_request_duration_seconds{dependency,outcome}",
        "reconnect_attempts_total{dependency}",
        "outbox_size{}",
        "dead_posts{}",
        "posts_total{platform,status}",
        "persistence_queue_size{}",
        "config_reloads_total{result}",
        "schema_version{}",
        "http_requests_total{route,method,status}",
        "http_request_duration_seconds{route}",
        "memory_usage_bytes{}",
        "cpu_usage_percent{}",
        "disk_free_bytes{}",
        "build_info{version,revision}",
        "metrics_dropped_labels{}",
    ] {
        let known = format!("{NAMESPACE}{known}");
        assert!(shown.contains(&known), "{known} is not in {shown:#?}");
    }
}
