//! Alerts: what is wrong, what was told, and whether anybody hears it.

use chrono::{DateTime, Utc};

use super::{
    Failure, Output,
    arguments::Alert,
    table::{Look, Tone, Toned, plain, rows},
    times::relative_or_dash,
};
use crate::client::{AlertDelivery, AlertFilter, AlertTest, AlertTests, Alerts, Client, Incident};

pub(super) async fn alert(client: &Client, out: &Output, what: Alert) -> Result<(), Failure> {
    match what {
        Alert::List { limit } => {
            let filter = AlertFilter { limit: Some(limit) };
            out.show(&client.alerts(&filter).await?, incidents_and_deliveries)
        }
        Alert::Test { channel } => {
            let tests = client.test_alert(channel.as_deref()).await?;
            out.show(&tests, |tests, look, _| results(tests, look))?;
            verdict(&tests)
        }
    }
}

/// What each channel said.
pub(super) fn results(tests: &AlertTests, look: Look) -> String {
    let row = |test: &AlertTest| {
        let said = match test.sent {
            true => ("sent".to_owned(), Tone::Good),
            false => ("failed".to_owned(), Tone::Bad),
        };
        vec![plain(&test.channel), said, plain(why(test))]
    };
    let all = tests.channels.iter().map(row).collect();
    rows(look, &["CHANNEL", "TEST", "ERROR"], all)
}

fn why(test: &AlertTest) -> String {
    let error = test.error.as_deref();
    match (test.sent, error) {
        (true, _) => String::new(),
        (false, error) => error.unwrap_or("no reason given").to_owned(),
    }
}

/// A test of no channel proves nothing.
fn verdict(tests: &AlertTests) -> Result<(), Failure> {
    if tests.channels.is_empty() {
        let what = "no channel was tested; is one configured in `[alerts]`?";
        return Err(Failure::Other(what.into()));
    }
    let failed = tests.failed();
    let failed: Vec<String> = failed
        .map(|test| format!("{}: {}", test.channel, why(test)))
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Other(format!(
            "the test alert did not arrive: {}",
            failed.join("; ")
        ))),
    }
}

/// What is wrong, and below it what was told.
pub(super) fn incidents_and_deliveries(alerts: &Alerts, look: Look, now: DateTime<Utc>) -> String {
    let open = match alerts.open.is_empty() {
        true => "no incident is open\n".to_owned(),
        false => incidents(&alerts.open, look, now),
    };
    match alerts.deliveries.is_empty() {
        true => open,
        false => format!("{open}\n{}", deliveries(&alerts.deliveries, look, now)),
    }
}

fn incidents(open: &[Incident], look: Look, now: DateTime<Utc>) -> String {
    let row = |incident: &Incident| {
        vec![
            plain(&incident.incident),
            severity(&incident.severity),
            plain(relative_or_dash(incident.since, now)),
            plain(relative_or_dash(incident.reminded_at, now)),
            plain(&incident.title),
        ]
    };
    let headings = ["INCIDENT", "SEVERITY", "SINCE", "TOLD", "WHAT"];
    rows(look, &headings, open.iter().map(row).collect())
}

fn deliveries(all: &[AlertDelivery], look: Look, now: DateTime<Utc>) -> String {
    let row = |one: &AlertDelivery| {
        let attempts = one.attempts.map(|attempts| attempts.to_string());
        vec![
            plain(&one.channel),
            plain(&one.incident),
            plain(&one.stage),
            status(&one.status),
            plain(attempts.unwrap_or_default()),
            plain(relative_or_dash(one.sent_at.or(one.created_at), now)),
            plain(one.error.as_deref().unwrap_or_default()),
        ]
    };
    let headings = [
        "CHANNEL", "INCIDENT", "STEP", "STATUS", "ATTEMPTS", "WHEN", "ERROR",
    ];
    rows(look, &headings, all.iter().map(row).collect())
}

fn severity(word: &str) -> Toned {
    let tone = match word {
        "warning" => Tone::Notable,
        "error" | "critical" => Tone::Bad,
        _ => Tone::Plain,
    };
    (word.to_owned(), tone)
}

fn status(word: &str) -> Toned {
    let tone = match word {
        "sent" => Tone::Good,
        "pending" => Tone::Notable,
        "failed" => Tone::Bad,
        _ => Tone::Plain,
    };
    (word.to_owned(), tone)
}
