//! Incidents and the notices about them.

use std::collections::BTreeMap;

use actor_server::{
    domain::{
        Instant,
        alert::{
            AlertKind, Delivery, DeliveryStatus, Incident, Memory, Notice, Outbox, Severity, Stage,
        },
        bot::BotName,
    },
    store::{AlertStore, DeliveryMark, IncidentChange, NewDelivery},
};

use crate::{
    fixture::Fixture,
    process::{Process, slot},
};

fn alerts(process: &Process) -> &dyn AlertStore {
    process.store.alerts().unwrap()
}

fn incident(key: &str) -> Incident {
    Incident {
        id: 0,
        revision: 0,
        key: key.into(),
        kind: AlertKind::Missed,
        bot: Some(BotName::parse("daily").unwrap()),
        severity: Severity::Warning,
        title: "daily: 3 slots were missed".into(),
        detail: "from \"then\"\nto then".into(),
        since: slot(1),
        reminded_at: Some(slot(1)),
        count: 3,
        recovered_at: None,
        memory: Memory {
            told: BTreeMap::from([("webhook".to_owned(), slot(1))]),
            first: Some(slot(0)),
            last: Some(slot(1)),
            returns: 2,
            calm_since: None,
        },
    }
}

fn notice(incident: &Incident, stage: Stage, id: &str) -> Notice {
    Notice {
        id: id.into(),
        incident: incident.key.clone(),
        kind: incident.kind,
        stage,
        severity: incident.severity,
        bot: incident.bot.clone(),
        title: incident.title.clone(),
        detail: incident.detail.clone(),
        since: incident.since,
        at: slot(1),
        runbook: Some("https://example.org/missed.md".into()),
    }
}

fn change(incident: &Incident, stage: Stage, id: &str) -> IncidentChange {
    let delivery = NewDelivery {
        channel: "webhook".into(),
        notice: notice(incident, stage, id),
        is_sent: false,
    };
    IncidentChange {
        incident: incident.clone(),
        deliveries: vec![delivery],
    }
}

/// Stores one with one notice. Answers it as it is stored, if it is.
async fn keep(process: &Process, one: &Incident, stage: Stage, id: &str) -> Option<Incident> {
    let changes = [change(one, stage, id)];
    let kept = alerts(process).keep_incidents(&changes, slot(1)).await;
    let (id, revision) = kept.unwrap().remove(0)?;
    Some(Incident {
        id,
        revision,
        ..one.clone()
    })
}

async fn due(process: &Process, now: Instant) -> Outbox {
    let due = alerts(process).due_alerts(&process.id, "webhook", now);
    due.await.unwrap()
}

/// The ids of the notices that are due, each with whether the beginning was sent and whether it is behind another.
async fn waiting(process: &Process, now: Instant) -> Vec<(String, bool, bool)> {
    let all = due(process, now).await.due;
    all.into_iter()
        .map(|one| (one.delivery.notice.id, one.raise_was_sent, one.is_behind))
        .collect()
}

async fn mark(process: &Process, delivery: &Delivery, status: DeliveryStatus, next: i64) {
    let sent = status == DeliveryStatus::Sent;
    let mark = DeliveryMark {
        id: delivery.id,
        status,
        tried: true,
        next_attempt_at: slot(next),
        error: (!sent).then(|| "no".into()),
        sent_at: sent.then(|| slot(next)),
    };
    alerts(process)
        .mark_alert(&process.id, &mark)
        .await
        .unwrap();
}

async fn claim(process: &Process, delivery: &Delivery, now: i64) -> bool {
    let claimed = alerts(process).claim_alert(&process.id, delivery.id, slot(now + 60), slot(now));
    claimed.await.unwrap()
}

pub(crate) async fn an_incident_and_its_notices_come_back_as_they_were(fixture: &dyn Fixture) {
    let process = fixture.join("a").await;
    let one = incident("missed/daily");
    let stored = keep(&process, &one, Stage::Raised, "n1").await.unwrap();
    assert!(stored.id > 0 && stored.revision == 1);
    let all = alerts(&process).incidents(slot(0)).await.unwrap();
    assert_eq!(all, [stored]);
    let found = alerts(&process).deliveries(10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].notice, notice(&one, Stage::Raised, "n1"));
    assert_eq!(
        (found[0].status, found[0].attempts),
        (DeliveryStatus::Pending, 0)
    );
    assert_eq!(alerts(&process).pending_alerts().await.unwrap(), 1);
}

pub(crate) async fn a_key_is_open_once_and_may_come_again_after_its_end(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let one = incident("missed/daily");
    let stored = keep(&a, &one, Stage::Raised, "n1").await.unwrap();
    assert_eq!(keep(&b, &one, Stage::Raised, "n2").await, None);
    assert_eq!(waiting(&b, slot(1)).await, [("n1".into(), false, false)]);
    let over = Incident {
        recovered_at: Some(slot(2)),
        ..stored
    };
    let over = keep(&a, &over, Stage::Recovered, "n3").await.unwrap();
    assert!(keep(&b, &one, Stage::Raised, "n4").await.is_some());
    let open = |all: Vec<Incident>| all.iter().filter(|one| one.is_open()).count();
    let all = alerts(&a).incidents(slot(2)).await.unwrap();
    assert_eq!((all.len(), open(all.clone())), (2, 1));
    let late = alerts(&a).incidents(slot(3)).await.unwrap();
    assert_eq!(
        (late.len(), open(late)),
        (1, 1),
        "what was over before is not told of"
    );
    assert_eq!(
        keep(&a, &over, Stage::Reminder, "n5").await,
        None,
        "it is over"
    );
}

pub(crate) async fn of_two_changes_from_one_revision_one_is_stored(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let one = incident("missed/daily");
    let stored = keep(&a, &one, Stage::Raised, "n1").await.unwrap();
    let next = keep(&b, &stored, Stage::Reminder, "n2").await.unwrap();
    assert_eq!((next.id, next.revision), (stored.id, 2));
    assert_eq!(keep(&a, &stored, Stage::Reminder, "n3").await, None);
    let ids: Vec<String> = waiting(&a, slot(1))
        .await
        .into_iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(ids, ["n1", "n2"]);
    // One that is stale takes nothing of the others with it.
    let changes = [
        change(&stored, Stage::Reminder, "n4"),
        change(&incident("missed/other"), Stage::Raised, "n5"),
    ];
    let kept = alerts(&a).keep_incidents(&changes, slot(1)).await.unwrap();
    assert!(kept[0].is_none() && kept[1].is_some());
}

pub(crate) async fn a_delivery_is_claimed_by_one_until_its_time_is_over(fixture: &dyn Fixture) {
    let process = fixture.join("a").await;
    keep(&process, &incident("k/1"), Stage::Raised, "n1").await;
    let one = due(&process, slot(1)).await.due.remove(0).delivery;
    assert!(claim(&process, &one, 1).await);
    assert!(!claim(&process, &one, 2).await);
    let outbox = due(&process, slot(2)).await;
    assert_eq!(
        (outbox.due.len(), outbox.sent),
        (0, 1),
        "on its way, it counts"
    );
    assert!(claim(&process, &one, 61).await);
    mark(&process, &one, DeliveryStatus::Pending, 100).await;
    let outbox = due(&process, slot(99)).await;
    assert_eq!((outbox.due.len(), outbox.next_at), (0, Some(slot(100))));
    let again = due(&process, slot(100)).await.due.remove(0).delivery;
    assert_eq!((again.attempts, again.error.as_deref()), (1, Some("no")));
    assert_eq!(again.notice, one.notice);
    assert!(claim(&process, &again, 100).await);
    mark(&process, &again, DeliveryStatus::Sent, 101).await;
    let outbox = due(&process, slot(102)).await;
    assert_eq!((outbox.due.len(), outbox.sent), (0, 1));
    assert_eq!(
        due(&process, slot(101 + 3600)).await.sent,
        0,
        "an hour later"
    );
    mark(&process, &again, DeliveryStatus::Failed, 103).await;
    let found = alerts(&process).deliveries(1).await.unwrap().remove(0);
    assert_eq!(
        (found.status, found.sent_at),
        (DeliveryStatus::Sent, Some(slot(101)))
    );
}

pub(crate) async fn the_end_of_an_incident_knows_what_became_of_its_beginning(
    fixture: &dyn Fixture,
) {
    let process = fixture.join("a").await;
    let stored = keep(&process, &incident("k/1"), Stage::Raised, "n1")
        .await
        .unwrap();
    let over = Incident {
        recovered_at: Some(slot(2)),
        ..stored
    };
    keep(&process, &over, Stage::Recovered, "n2").await;
    let first = ("n1".to_owned(), false, false);
    let second = |raised, behind| ("n2".to_owned(), raised, behind);
    assert_eq!(
        waiting(&process, slot(1)).await,
        [first, second(false, true)]
    );
    let one = due(&process, slot(1)).await.due.remove(0).delivery;
    claim(&process, &one, 1).await;
    mark(&process, &one, DeliveryStatus::Sent, 2).await;
    assert_eq!(waiting(&process, slot(2)).await, [second(true, false)]);
}

/// A digest has mentioned the beginning, but a reminder was sent: where incidents stay open, this one does.
pub(crate) async fn the_end_of_an_incident_knows_of_its_reminders(fixture: &dyn Fixture) {
    let process = fixture.join("a").await;
    let stored = keep(&process, &incident("k/1"), Stage::Raised, "n1").await;
    let one = due(&process, slot(1)).await.due.remove(0).delivery;
    let digest = change(&incident("digest/webhook"), Stage::Raised, "d").deliveries;
    let folded = alerts(&process)
        .fold_alerts(&process.id, &[one.id], &digest[0], slot(60), slot(1))
        .await;
    folded.unwrap();
    let reminded = keep(&process, &stored.unwrap(), Stage::Reminder, "n2").await;
    let two = due(&process, slot(1)).await.due.remove(0).delivery;
    claim(&process, &two, 1).await;
    mark(&process, &two, DeliveryStatus::Sent, 2).await;
    let over = Incident {
        recovered_at: Some(slot(2)),
        ..reminded.unwrap()
    };
    keep(&process, &over, Stage::Recovered, "n3").await;
    let end = ("n3".to_owned(), true, false);
    assert_eq!(waiting(&process, slot(2)).await, [end]);
    // A later incident of the same name is another one.
    let next = keep(&process, &incident("k/1"), Stage::Raised, "n4").await;
    assert!(next.is_some());
    let found = waiting(&process, slot(2)).await;
    assert!(!found.last().unwrap().1, "{found:?}");
}

pub(crate) async fn many_deliveries_fold_into_one_or_none_does(fixture: &dyn Fixture) {
    let process = fixture.join("a").await;
    for n in 0..3 {
        let key = format!("k/{n}");
        keep(&process, &incident(&key), Stage::Raised, &key).await;
    }
    let all: Vec<Delivery> = due(&process, slot(1))
        .await
        .due
        .into_iter()
        .map(|one| one.delivery)
        .collect();
    let ids: Vec<i64> = all.iter().map(|one| one.id).collect();
    let digest = change(&incident("digest/webhook"), Stage::Raised, "d")
        .deliveries
        .remove(0);
    let (store, until) = (alerts(&process), slot(60));
    claim(&process, &all[1], 1).await;
    mark(&process, &all[1], DeliveryStatus::Sent, 1).await;
    let folded = store
        .fold_alerts(&process.id, &ids, &digest, until, slot(1))
        .await;
    assert!(folded.is_err(), "one of them is sent already");
    assert_eq!(due(&process, slot(1)).await.due.len(), 2);
    let folded = store
        .fold_alerts(&process.id, &[ids[0], ids[2]], &digest, until, slot(1))
        .await;
    let folded = folded.unwrap();
    assert_eq!(folded.notice.id, "d");
    assert_eq!(due(&process, slot(2)).await.due.len(), 0, "it is claimed");
    let found = store.deliveries(10).await.unwrap();
    let dropped: Vec<_> = found
        .iter()
        .filter(|one| one.status == DeliveryStatus::Dropped)
        .collect();
    assert_eq!(dropped.len(), 2);
    assert!(dropped[0].error.as_deref().unwrap().ends_with("digest d"));
}

pub(crate) async fn any_text_may_be_told(fixture: &dyn Fixture) {
    let process = fixture.join("a").await;
    let mut one = incident("breaker_open/discord:\0'; DROP TABLE x; --\u{1f4a5}");
    one.title = "\0\n\u{202e}".into();
    one.detail = "x".repeat(100_000);
    one.bot = None;
    assert!(keep(&process, &one, Stage::Raised, "n\0").await.is_some());
    assert_eq!(alerts(&process).incidents(slot(0)).await.unwrap().len(), 1);
    assert_eq!(waiting(&process, slot(1)).await.len(), 1);
}

pub(crate) async fn what_is_over_and_told_is_forgotten_and_nothing_else(fixture: &dyn Fixture) {
    let process = fixture.join("a").await;
    let stored = keep(&process, &incident("k/1"), Stage::Raised, "n1")
        .await
        .unwrap();
    keep(&process, &incident("k/2"), Stage::Raised, "n2").await;
    let over = Incident {
        recovered_at: Some(slot(2)),
        ..stored
    };
    keep(&process, &over, Stage::Recovered, "n3").await;
    let one = due(&process, slot(1)).await.due.remove(0).delivery;
    claim(&process, &one, 1).await;
    mark(&process, &one, DeliveryStatus::Sent, 2).await;
    assert_eq!(alerts(&process).forget_alerts(slot(1)).await.unwrap(), 0);
    assert_eq!(alerts(&process).forget_alerts(slot(10)).await.unwrap(), 2);
    let left = alerts(&process).incidents(slot(0)).await.unwrap();
    assert_eq!((left.len(), left[0].key.as_str()), (1, "k/2"));
    assert_eq!(alerts(&process).pending_alerts().await.unwrap(), 2);
}
