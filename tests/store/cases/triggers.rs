//! Claims that no slot made.

use actor_server::{
    domain::{
        outcome::{Gap, Status},
        run::Trigger,
    },
    store::{Start, Write, Written},
};
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{claimed, fate, slot, starting},
};

pub(crate) async fn a_trigger_makes_a_row_without_a_slot(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for trigger in [Trigger::Manual, Trigger::Event] {
        let metadata = json!({"note": "it's \"now\"", "event": {"n": 1.5}});
        let write = Write::Insert {
            bot: bot.clone(),
            trigger,
            metadata: metadata.clone(),
            key: None,
        };
        let id = claimed(a.write(write).await).unwrap();
        let row = a.row(&bot, id).await;
        assert_eq!((row.trigger, row.status), (trigger, Status::Running));
        assert_eq!((row.scheduled_for, row.started_at), (None, None));
        assert_eq!((row.slots, row.slot_last), (1, None));
        assert_eq!((row.attempt, row.replica.as_deref()), (1, Some("a")));
        assert_eq!(row.metadata, metadata);
    }
    assert_eq!(a.state(&bot).await.next_run, Some(slot(0)));
}

pub(crate) async fn triggers_are_not_counted_against_max_runs(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let start = Start {
        scheduled: false,
        max_runs: Some(1),
        ..starting(a.trigger(&bot).await, &bot, slot(0))
    };
    match a.write(Write::Start(start)).await {
        Written::Started { finished, .. } => assert!(!finished),
        other => panic!("{other:?}"),
    }
    let state = a.state(&bot).await;
    assert_eq!((state.runs, state.next_run), (0, Some(slot(0))));
}

pub(crate) async fn a_trigger_that_starts_is_the_last_run(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.trigger(&bot).await;
    assert_eq!(a.state(&bot).await.last_run, None);
    let start = Start {
        scheduled: false,
        ..starting(id, &bot, slot(3))
    };
    a.write(Write::Start(start)).await;
    let state = a.state(&bot).await;
    assert_eq!((state.last_run, state.runs), (Some(slot(3)), 0));
}

pub(crate) async fn a_declined_trigger_keeps_its_row(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 0, Gap::Overlap).await;
    let execution = a.trigger(&bot).await;
    let gap = Gap::Overlap;
    a.write(Write::Decline { execution, gap }).await;
    let row = a.row(&bot, execution).await;
    assert_eq!(fate(&row), "skipped/overlap");
    assert_eq!((row.slots, row.slot_last, row.success), (1, None, None));
    assert_eq!(a.slots(&bot).await.len(), 1);
}
