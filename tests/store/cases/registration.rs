//! Storing what a start or reload makes of a bot.

use actor_server::{
    domain::{
        hold::{Hold, HoldKind},
        outcome::{Gap, Status},
        state::BotState,
    },
    store::{Write, Written},
};
use chrono::TimeDelta;

use crate::{
    fixture::Fixture,
    process::{change, change_at, ending, insertion, name, outcome, range, slot, state},
};

fn stored(answer: Written) -> BotState {
    match answer {
        Written::State(state) => *state,
        other => panic!("{other:?}"),
    }
}

fn stale(answer: Written) -> Option<BotState> {
    match answer {
        Written::Stale(state) => state.map(|state| *state),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_first_registration_comes_back_as_it_was_stored(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let full = BotState {
        last_run: Some(slot(0) + TimeDelta::microseconds(123_456)),
        last_success: None,
        consecutive_failures: 2,
        runs: 7,
        hold: Some(Hold {
            kind: HoldKind::Manual,
            reason: "it's \"quoted\" 🦀".into(),
            until: Some(slot(9) + TimeDelta::microseconds(1)),
            by: "alice".into(),
        }),
        removed: true,
        next_run: None,
        schedule: None,
        ..state("full")
    };
    for state in [state("plain"), full] {
        assert_eq!(stored(a.write(insertion(&state)).await), state);
        assert_eq!(a.state(&state.bot).await, state);
    }
}

pub(crate) async fn whoever_registers_second_is_told_what_the_first_stored(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let first = state("bot");
    a.write(insertion(&first)).await;
    let second = BotState {
        anchor: slot(5),
        ..first.clone()
    };
    assert_eq!(
        stale(b.write(insertion(&second)).await),
        Some(first.clone())
    );
    assert_eq!(b.state(&first.bot).await, first);
}

pub(crate) async fn a_plan_made_from_an_older_state_changes_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let now = state("bot");
    a.write(insertion(&now)).await;
    let older = [
        BotState {
            schedule: None,
            ..now.clone()
        },
        BotState {
            next_run: Some(slot(1)),
            ..now.clone()
        },
        BotState {
            next_run: None,
            ..now.clone()
        },
        BotState {
            removed: true,
            ..now.clone()
        },
        BotState {
            hold: Some(Hold::by_server(HoldKind::Manual, "")),
            ..now.clone()
        },
    ];
    let planned = BotState {
        actor_name: "Another".into(),
        next_run: Some(slot(7)),
        ..now.clone()
    };
    for seen in older {
        let plan = change_at(&seen, &planned, 6, vec![range(0, 6, Gap::Late)]);
        assert_eq!(stale(a.write(plan).await), Some(now.clone()));
    }
    assert_eq!(a.state(&now.bot).await, now);
    assert!(a.rows(&now.bot).await.is_empty());
}

pub(crate) async fn a_bot_that_is_expected_but_not_there_is_stale_without_a_state(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let ghost = state("ghost");
    assert_eq!(stale(a.write(change(&ghost, &ghost)).await), None);
    assert!(a.store.states().await.unwrap().is_empty());
}

pub(crate) async fn slots_that_the_old_schedule_owes_are_recorded_with_the_new_one(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 1, Gap::Window).await;
    let old = a.state(&bot).await;
    let new = BotState {
        schedule: Some("another".into()),
        next_run: Some(slot(10)),
        anchor: slot(10),
        ..old.clone()
    };
    let gaps = vec![range(2, 4, Gap::Window), range(5, 9, Gap::Late)];
    let plan = change_at(&old, &new, 9, gaps);
    assert_eq!(stored(a.write(plan).await), new);
    let rows = a.rows(&bot).await;
    assert_eq!(rows.iter().map(|row| row.slots).collect::<Vec<_>>(), [5, 5]);
    assert_eq!(a.slots(&bot).await.len(), 10);
}

pub(crate) async fn what_runs_wrote_meanwhile_survives_a_registration(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let seen = a.state(&bot).await;
    for (n, status) in [(0, Status::Succeeded), (1, Status::Failed)] {
        let id = if n == 0 { id } else { a.trigger(&bot).await };
        a.write(ending(id, &bot, n, outcome(status))).await;
    }
    let planned = BotState {
        actor_name: "New title".into(),
        ..seen.clone()
    };
    let after = stored(a.write(change(&seen, &planned)).await);
    assert_eq!(after.actor_name, "New title");
    assert_eq!(after.consecutive_failures, 1);
    assert_eq!(after.last_run, Some(slot(1)));
    let end = slot(0) + TimeDelta::milliseconds(500);
    assert_eq!(after.last_success, Some(end));
    assert_eq!(after.runs, 1);
}

pub(crate) async fn what_an_operator_wrote_meanwhile_survives_a_registration(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.hold(&bot, HoldKind::Manual).await;
    let seen = a.state(&bot).await;
    let renewed = Hold {
        until: Some(slot(100)),
        ..Hold::by_server(HoldKind::Manual, "until noon")
    };
    a.write(Write::SetHold {
        bot: bot.clone(),
        hold: renewed.clone(),
        replace: false,
    })
    .await;
    let after = stored(a.write(change(&seen, &seen)).await);
    assert_eq!(after.hold, Some(renewed));
}

pub(crate) async fn an_invalid_hold_tells_of_the_file_as_it_is_now(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut seen = a.state(&bot).await;
    for reason in [Some("line 3"), Some("line 4"), None] {
        let planned = BotState {
            hold: reason.map(|reason| Hold::by_server(HoldKind::Invalid, reason)),
            ..seen.clone()
        };
        seen = stored(a.write(change(&seen, &planned)).await);
        assert_eq!(seen.hold, planned.hold);
    }
}

pub(crate) async fn a_retired_bot_has_no_next_run_and_can_come_back(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = name("bot");
    let old = state("bot");
    a.write(insertion(&old)).await;
    let retired = BotState {
        next_run: None,
        removed: true,
        ..old.clone()
    };
    assert_eq!(stored(a.write(change(&old, &retired)).await), retired);
    let back = BotState {
        next_run: Some(slot(50)),
        ..old
    };
    assert_eq!(stored(a.write(change(&retired, &back)).await), back);
    assert_eq!(a.state(&bot).await, back);
}
