//! What is said of a reload: to whoever asked, and to the log.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    actors::{configuration::Offer, env::Env, messages::ReloadError},
    domain::plan::Plan,
};

/// The plan as a document.
pub(super) fn report(plan: &Plan, offer: &Offer, dry_run: bool) -> Value {
    let mut report = plan.document();
    if let Value::Object(report) = &mut report {
        report.insert("dry_run".into(), json!(dry_run));
        report.insert("settings".into(), json!(offer.changed));
        report.insert("needs_restart".into(), json!(offer.needs_restart));
        report.insert("warnings".into(), json!(offer.warnings));
        if !dry_run {
            let message = "Configuration reload triggered";
            report.insert("message".into(), json!(message));
        }
    }
    report
}

/// Counts how the reload ended, and tells the log.
pub(super) fn tell(env: &Env, result: &Result<Value, ReloadError>, took: Duration) {
    match result {
        Ok(report) => {
            env.configuration.count_applied();
            let count = |key: &str| report[key].as_array().map_or(0, Vec::len);
            tracing::info!(
                added = count("added"),
                removed = count("removed"),
                changed = count("changed"),
                duration_ms = took.as_millis(),
                "configuration reloaded"
            );
            lines(&report["needs_restart"], "takes effect after a restart");
            lines(
                &report["warnings"],
                "the configuration has something that is probably not meant",
            );
        }
        Err(ReloadError::Problems(problems)) => {
            env.configuration.count_refused();
            tracing::error!(
                problems = problems.len(),
                "the configuration was not reloaded; the one in force stays"
            );
            for problem in problems {
                tracing::error!("{problem}");
            }
        }
        Err(ReloadError::Unavailable(error)) => {
            env.configuration.count_unavailable();
            tracing::error!(
                error,
                "the configuration was not reloaded; the one in force stays"
            );
        }
    }
}

fn lines(list: &Value, what: &str) {
    for line in list.as_array().into_iter().flatten() {
        let line = line.as_str().unwrap_or_default();
        tracing::warn!("{what}: {line}");
    }
}
