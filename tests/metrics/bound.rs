//! At most 10,000 series, whatever the number of bots and whatever happens to them.

use std::time::Duration;

use actor_server::telemetry::metrics::{
    Metrics, Picture,
    bots::{OTHER, RUN_STATUSES, SKILL_STATUSES, SLOT_OUTCOMES},
    bound::{MOST_BOTS, MOST_SERIES},
    downstreams::Answer,
    states::{BotRow, Circuit},
};

use crate::scrape::Scrape;

const ANSWERS: [Answer; 5] = [
    Answer::Ok,
    Answer::Refused,
    Answer::RateLimited,
    Answer::Timeout,
    Answer::Error,
];

fn names(bots: usize) -> Vec<String> {
    (0..bots).map(|n| format!("bot{n:05}")).collect()
}

/// Everything that can happen has happened to every bot.
fn eventful(names: &[String], max_actor_labels: usize) -> Metrics {
    let metrics = Metrics::new("botticelli", max_actor_labels);
    metrics.bots.configure(names.iter().map(String::as_str));
    for name in names {
        let bot = metrics.bots.of(name);
        RUN_STATUSES.iter().for_each(|status| bot.run(status));
        SKILL_STATUSES
            .iter()
            .for_each(|status| bot.skills(status, 2));
        SLOT_OUTCOMES
            .iter()
            .for_each(|outcome| bot.slots(outcome, 3));
        bot.tripped();
        bot.took(0.5);
    }
    metrics
}

/// Every bot has a channel of its own; every third is not well, and stands first.
fn picture(names: &[String]) -> Picture<'_> {
    let mut bots: Vec<BotRow<'_>> = names
        .iter()
        .enumerate()
        .map(|(n, name)| BotRow {
            name,
            paused: n % 3 == 0,
            failures: 0,
            last_success: Some(1_790_000_000),
            next_run: Some(1_790_000_060),
            dependencies: vec![("database", true), ("discord", n % 3 != 0)],
        })
        .collect();
    bots.sort_by_key(|bot| !bot.paused);
    let circuits = names.iter().map(|name| (name.as_str(), Circuit::Open));
    let circuits = circuits.collect();
    Picture { bots, circuits }
}

fn scrape(names: &[String], metrics: &Metrics) -> Scrape {
    Scrape::of(metrics.render(&picture(names)))
}

#[test]
fn two_thousand_bots_with_every_outcome_stay_below_the_bound() {
    let names = names(2_000);
    let metrics = eventful(&names, 200);
    let page = scrape(&names, &metrics);
    assert!(page.len() <= MOST_SERIES, "{}", page.len());
    for (family, shown) in [
        ("actor_paused", MOST_BOTS),
        ("consecutive_failures", MOST_BOTS),
        ("last_success_timestamp", MOST_BOTS),
        ("next_run_timestamp", MOST_BOTS),
        ("circuit_breaker_trips_total", 201),
        ("actor_executions_total", 201 * 3),
        ("execution_duration_seconds_count", 201),
    ] {
        assert_eq!(page.family(family).len(), shown, "{family}");
    }
    assert_eq!(page.value("metrics_dropped_labels"), Some(1_000.0));
    // All 667 that are not well are among those that are shown.
    assert_eq!(page.sum("actor_paused", ""), 667.0);
    assert!(page.family("circuit_state").len() >= 50);
    assert!(
        page.sum("actor_dependency_health_status", "")
            < page.family("actor_dependency_health_status").len() as f64
    );
}

#[test]
fn whoever_shares_a_label_is_counted_all_the_same() {
    let names = names(2_000);
    let metrics = eventful(&names, 200);
    let page = scrape(&names, &metrics);
    assert_eq!(page.sum("actor_executions_total", "success"), 2_000.0);
    assert_eq!(page.sum("slots_total", "missed"), 6_000.0);
    assert_eq!(page.sum("circuit_breaker_trips_total", ""), 2_000.0);
    let other = format!("execution_duration_seconds_count{{actor=\"{OTHER}\"}}");
    assert_eq!(page.value(&other), Some(1_800.0));
}

#[test]
fn no_configuration_passes_the_bound() {
    for bots in [
        0, 1, 199, 200, 201, 250, 319, 320, 400, 999, 1_000, 1_001, 10_000,
    ] {
        let names = names(bots);
        for labels in [0, 200, 10_000] {
            let metrics = eventful(&names, labels);
            for n in 0..400 {
                for method in ["GET", "POST", "BREW"] {
                    let route = format!("/route/{n}");
                    metrics
                        .http
                        .answered(&route, method, 404, Duration::from_millis(1));
                }
            }
            for dependency in [
                "database",
                "discord",
                "console",
                "alert_webhook",
                "healthchecks",
            ] {
                for answer in ANSWERS {
                    metrics
                        .downstreams
                        .asked(dependency, answer, Duration::from_millis(1));
                }
            }
            let page = scrape(&names, &metrics);
            let series = page.len();
            assert!(
                series <= MOST_SERIES,
                "{bots} bots, {labels} labels: {series}"
            );
            let named = page.family("circuit_breaker_trips_total").len();
            assert!(
                named >= bots.min(labels).min(200),
                "{bots} bots, {labels} labels: {named}"
            );
            let runs = page.sum("actor_executions_total", "failure");
            assert_eq!(runs, bots as f64, "{labels} labels");
        }
    }
}

#[test]
fn the_shared_label_never_falls_and_labels_of_removed_bots_go() {
    let all = names(300);
    let metrics = eventful(&all, 200);
    let before = scrape(&all, &metrics);
    let left: Vec<String> = all.iter().skip(150).cloned().collect();
    metrics.bots.configure(left.iter().map(String::as_str));
    let after = scrape(&left, &metrics);
    let shared = format!("actor_executions_total{{actor=\"{OTHER}\",status=\"success\"}}");
    assert_eq!(before.value(&shared), Some(100.0));
    assert_eq!(after.value(&shared), Some(100.0));
    for gone in all.iter().take(150) {
        assert!(!after.text.contains(gone.as_str()), "{gone}");
    }
    let kept = "actor_executions_total{actor=\"bot00150\",status=\"success\"}";
    assert_eq!(after.value(kept), Some(1.0));
    let new = "actor_executions_total{actor=\"bot00299\",status=\"success\"}";
    assert_eq!(
        after.value(new),
        Some(0.0),
        "it has a label now, and begins anew"
    );
}
