//! Pages of the ledger.

use actor_server::{
    domain::{
        Instant,
        ledger::LedgerQuery,
        outcome::{Gap, Status},
        run::{ExecutionId, Trigger},
    },
    store::{LedgerRow, Start, Write},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    fixture::Fixture,
    process::{Process, ending, outcome, slot, starting},
};

fn all() -> LedgerQuery {
    LedgerQuery {
        all: true,
        limit: 100,
        ..LedgerQuery::default()
    }
}

fn runs() -> LedgerQuery {
    LedgerQuery {
        all: false,
        ..all()
    }
}

async fn ids(process: &Process, query: LedgerQuery) -> Vec<ExecutionId> {
    let rows = process.store.executions(&query).await.unwrap();
    assert!(rows.is_sorted_by(|newer, older| newer.id > older.id));
    rows.iter().map(|row| row.id).collect()
}

async fn newest(process: &Process) -> LedgerRow {
    process.store.ledger(None, 1).await.unwrap().remove(0)
}

/// Slots 0 (failed), 1 to 3 (a gap), 4 (succeeded), 5 (runs), 6 (waits).
async fn a_day(process: &Process, bot: &str) -> Vec<ExecutionId> {
    let bot = process.register(bot).await;
    process.finish(&bot, 0, Status::Failed).await;
    let failed = newest(process).await.id;
    process.skip(&bot, 1, 3, Gap::Overlap).await;
    let gap = newest(process).await.id;
    process.finish(&bot, 4, Status::Succeeded).await;
    let succeeded = newest(process).await.id;
    let runs = process.run(&bot, 5).await;
    let waits = process.claim(&bot, 6).await;
    vec![waits, runs, succeeded, gap, failed]
}

pub(crate) async fn a_page_has_runs_only_unless_all_is_asked_for(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let day = a_day(&a, "bot").await;
    assert_eq!(ids(&a, all()).await, day);
    let ran = [day[0], day[1], day[2], day[4]];
    assert_eq!(ids(&a, runs()).await, ran);
    let none = LedgerQuery { limit: 0, ..all() };
    assert!(ids(&a, none).await.is_empty());
    assert!(ids(&a, LedgerQuery::default()).await.is_empty());
}

pub(crate) async fn a_gate_that_said_no_is_among_the_runs(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.finish(&bot, 0, Status::Skipped).await;
    a.skip(&bot, 1, 1, Gap::Disabled).await;
    let skipped = LedgerQuery {
        status: Some(Status::Skipped),
        ..runs()
    };
    let found = a.store.executions(&skipped).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].success, Some(true));
    let both = LedgerQuery {
        all: true,
        ..skipped
    };
    assert_eq!(ids(&a, both).await.len(), 2);
}

pub(crate) async fn every_filter_holds_alone_and_with_the_others(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let one = a_day(&a, "one").await;
    let two = a_day(&a, "two").await;
    let bot = crate::process::name("one");
    let (event, manual) = (a.event(&bot, "k").await, a.trigger(&bot).await);
    let of_one = LedgerQuery {
        bot: Some(bot.clone()),
        ..all()
    };
    let mut expected = vec![manual, event];
    expected.extend(&one);
    assert_eq!(ids(&a, of_one.clone()).await, expected);
    for status in Status::ALL {
        let with = |query: LedgerQuery| LedgerQuery {
            status: Some(status),
            ..query
        };
        let has = |id: &ExecutionId, all: &[LedgerRow]| {
            all.iter().any(|row| row.id == *id && row.status == status)
        };
        let rows = a.store.ledger(None, 100).await.unwrap();
        let both: Vec<_> = rows.iter().map(|row| row.id).collect();
        let expect = |ids: &[ExecutionId]| -> Vec<ExecutionId> {
            let ids = ids.iter().filter(|id| has(id, &rows));
            ids.copied().collect()
        };
        assert_eq!(ids(&a, with(all())).await, expect(&both), "{status:?}");
        let found = ids(&a, with(of_one.clone())).await;
        assert_eq!(found, expect(&expected), "{status:?}");
    }
    for (trigger, expected) in [
        (Trigger::Event, vec![event]),
        (Trigger::Manual, vec![manual]),
    ] {
        let query = LedgerQuery {
            trigger: Some(trigger),
            ..all()
        };
        assert_eq!(ids(&a, query.clone()).await, expected);
        let bot = Some(crate::process::name("two"));
        assert!(ids(&a, LedgerQuery { bot, ..query }).await.is_empty());
    }
    let scheduled = LedgerQuery {
        trigger: Some(Trigger::Schedule),
        ..all()
    };
    assert_eq!(ids(&a, scheduled).await.len(), one.len() + two.len());
    let status = Some(Status::Running);
    let trigger = Some(Trigger::Event);
    let waits = LedgerQuery {
        status,
        trigger,
        ..of_one
    };
    assert_eq!(ids(&a, waits).await, [event]);
    let bot = Some(crate::process::name("nobody"));
    assert!(ids(&a, LedgerQuery { bot, ..all() }).await.is_empty());
}

pub(crate) async fn a_window_of_time_has_what_touches_it(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let day = a_day(&a, "bot").await;
    let [waits, runs_, succeeded, gap, failed] = day[..] else {
        panic!("{day:?}")
    };
    let within = |since: Option<i64>, until: Option<i64>| LedgerQuery {
        since: since.map(slot),
        until: until.map(slot),
        ..all()
    };
    for (since, until, expected) in [
        (Some(5), None, vec![waits, runs_]),
        (Some(6), None, vec![waits]),
        (None, Some(1), vec![failed]),
        (None, Some(2), vec![gap, failed]),
        (Some(3), Some(5), vec![succeeded, gap]),
        (Some(2), Some(3), vec![gap]),
        (Some(4), Some(4), vec![]),
        (Some(5), Some(4), vec![]),
        (Some(7), None, vec![]),
        (None, Some(0), vec![]),
    ] {
        let query = within(since, until);
        let found = ids(&a, query.clone()).await;
        assert_eq!(found, expected, "{since:?} {until:?}");
        let bot = Some(crate::process::name("bot"));
        let of_bot = LedgerQuery {
            bot,
            ..query.clone()
        };
        assert_eq!(ids(&a, of_bot).await, expected);
        let only_runs = LedgerQuery {
            all: false,
            ..query
        };
        let ran: Vec<_> = expected.iter().copied().filter(|id| *id != gap).collect();
        assert_eq!(ids(&a, only_runs).await, ran, "{since:?} {until:?}");
    }
}

pub(crate) async fn a_window_goes_by_the_start_and_not_by_the_slot(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let late = slot(0) + TimeDelta::microseconds(1_500_000);
    a.write(Write::Start(starting(id, &bot, late))).await;
    let from = |since| LedgerQuery {
        since: Some(since),
        ..all()
    };
    assert_eq!(ids(&a, from(late)).await, [id]);
    let after = late + TimeDelta::microseconds(1);
    assert!(ids(&a, from(after)).await.is_empty());
    // A trigger has no slot: while it waits it stands where it was made.
    let trigger = a.trigger(&bot).await;
    let made = a.row(&bot, trigger).await.created_at;
    assert_eq!(ids(&a, from(made)).await, [trigger]);
    let start = Start {
        scheduled: false,
        ..starting(trigger, &bot, slot(9))
    };
    a.write(Write::Start(start)).await;
    assert!(ids(&a, from(made)).await.is_empty());
}

pub(crate) async fn windows_at_the_end_of_time_are_no_errors(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let day = a_day(&a, "bot").await;
    let (first, last): (Instant, Instant) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    for (since, until, found) in [
        (Some(first), Some(last), day.len()),
        (Some(first), None, day.len()),
        (None, Some(last), day.len()),
        (Some(last), Some(first), 0),
        (Some(last), None, 0),
        (None, Some(first), 0),
    ] {
        let query = LedgerQuery {
            since,
            until,
            ..all()
        };
        assert_eq!(ids(&a, query).await.len(), found, "{since:?} {until:?}");
    }
}

pub(crate) async fn a_cursor_goes_on_where_the_last_page_ended(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let mut expected = a_day(&a, "one").await;
    let page = LedgerQuery { limit: 2, ..all() };
    let mut seen = ids(&a, page.clone()).await;
    // What arrives meanwhile is newer than the page.
    a_day(&a, "two").await;
    loop {
        let after = seen.last().copied();
        let next = ids(
            &a,
            LedgerQuery {
                after,
                ..page.clone()
            },
        )
        .await;
        if next.is_empty() {
            break;
        }
        assert!(next.len() <= 2);
        seen.extend(next);
    }
    assert_eq!(seen, expected);
    let third = LedgerQuery { offset: 7, ..page };
    assert_eq!(
        ids(&a, third).await,
        expected.drain(2..4).collect::<Vec<_>>()
    );
    for after in [i64::MIN, -1, 0] {
        let after = Some(ExecutionId(after));
        assert!(ids(&a, LedgerQuery { after, ..all() }).await.is_empty());
    }
    let after = Some(ExecutionId(i64::MAX));
    assert_eq!(ids(&a, LedgerQuery { after, ..all() }).await.len(), 10);
    let offset = u32::MAX;
    assert!(ids(&a, LedgerQuery { offset, ..all() }).await.is_empty());
}

pub(crate) async fn one_row_is_found_by_its_id(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    a.write(ending(id, &bot, 0, outcome(Status::TimedOut)))
        .await;
    let row = a.store.execution(id).await.unwrap().unwrap();
    assert_eq!(format!("{row:?}"), format!("{:?}", a.row(&bot, id).await));
    for nobody in [i64::MIN, -1, 0, id.0 + 1, i64::MAX] {
        let found = a.store.execution(ExecutionId(nobody)).await.unwrap();
        assert!(found.is_none(), "{found:?}");
    }
}
