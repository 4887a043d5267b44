//! The limit within the hour: nothing that was raised stays unmentioned, and what matters most is never held back.

use actor_server::domain::alert::{
    AlertKind, AlertRules, Delivery, DeliveryStatus, Due, Next, Notice, Outbox, Severity, Stage,
    digest,
};

use super::book::at;

const NOTHING: [i64; 0] = [];

fn delivery(id: i64, stage: Stage, severity: Severity) -> Delivery {
    Delivery {
        id,
        channel: "webhook".into(),
        notice: Notice {
            id: format!("n{id}"),
            incident: format!("failures/bot_{id}"),
            kind: AlertKind::Failures,
            stage,
            severity,
            bot: None,
            title: format!("bot_{id} fails"),
            detail: String::new(),
            since: at(id),
            at: at(id),
            runbook: None,
        },
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_attempt_at: at(id),
        error: None,
        created_at: at(id),
        sent_at: None,
    }
}

fn due(id: i64, stage: Stage, severity: Severity) -> Due {
    Due {
        delivery: delivery(id, stage, severity),
        raise_was_sent: false,
        is_behind: false,
    }
}

fn raised(id: i64) -> Due {
    due(id, Stage::Raised, Severity::Warning)
}

fn next(due: Vec<Due>, sent: u32, most: u32) -> Vec<i64> {
    let outbox = Outbox {
        due,
        sent,
        next_at: None,
    };
    match outbox.next(most) {
        Next::Wait => vec![],
        Next::Send(one) => vec![one.id],
        Next::Digest(all) => all.into_iter().map(|one| -one.id).collect(),
    }
}

#[test]
fn they_go_one_by_one_and_the_last_place_mentions_all_that_are_left() {
    let waiting = || vec![raised(1), raised(2), raised(3)];
    assert_eq!(next(waiting(), 0, 30), [1]);
    assert_eq!(next(waiting(), 28, 30), [1]);
    assert_eq!(next(waiting(), 29, 30), [-1, -2, -3]);
    assert_eq!(next(vec![raised(1)], 29, 30), [1], "one needs no digest");
    assert_eq!(next(waiting(), 30, 30), NOTHING);
    assert_eq!(next(waiting(), 10_000, 0), [1], "no limit");
}

#[test]
fn critical_ones_and_the_ends_of_what_was_told_are_never_held_back() {
    let critical = due(2, Stage::Raised, Severity::Critical);
    assert_eq!(next(vec![raised(1), critical], 30, 30), [2]);
    let mut end = due(3, Stage::Recovered, Severity::Warning);
    assert_eq!(next(vec![raised(1), end.clone()], 30, 30), NOTHING);
    end.raise_was_sent = true;
    assert_eq!(next(vec![raised(1), end], 30, 30), [3]);
}

#[test]
fn the_end_of_an_incident_is_never_told_before_its_beginning() {
    let mut end = due(2, Stage::Recovered, Severity::Critical);
    end.is_behind = true;
    assert_eq!(next(vec![end.clone()], 0, 30), NOTHING);
    assert_eq!(next(vec![raised(1), end], 0, 30), [1]);
}

#[test]
fn a_digest_mentions_no_end_whose_beginning_is_still_to_be_sent() {
    // The beginning of bot_3's incident is to be tried again later: it is not due.
    let behind = |id: i64, incident: &str, stage| {
        let mut one = due(id, stage, Severity::Warning);
        one.is_behind = true;
        one.delivery.notice.incident = incident.into();
        one
    };
    let end = behind(3, "failures/bot_0", Stage::Recovered);
    assert_eq!(
        next(vec![raised(1), raised(2), end.clone()], 29, 30),
        [-1, -2]
    );
    assert_eq!(next(vec![raised(1), end], 29, 30), [1]);
    let whole = behind(4, "failures/bot_1", Stage::Recovered);
    assert_eq!(
        next(vec![raised(1), whole], 29, 30),
        [-1, -4],
        "both are due"
    );
}

#[test]
fn a_digest_says_how_many_and_what_the_first_are() {
    let all: Vec<Delivery> = (1..=25).map(|id| raised(id).delivery).collect();
    let notice = digest("webhook", &all, at(100), &AlertRules::default());
    assert_eq!(notice.title, "25 more alerts");
    assert_eq!((notice.kind, notice.since), (AlertKind::Digest, at(1)));
    let lines: Vec<&str> = notice.detail.lines().collect();
    assert_eq!(
        (lines.len(), lines[0]),
        (21, "raised (warning): bot_1 fails")
    );
    assert_eq!(lines[20], "and 5 more");
}
