//! Holds that somebody sets or ends.

use actor_server::{
    domain::{
        bot::BotName,
        hold::{Hold, HoldKind},
        outcome::Status,
        state::BotState,
    },
    store::{Write, Written},
};
use chrono::TimeDelta;

use crate::{
    fixture::Fixture,
    process::{Process, name, slot},
};

async fn set(process: &Process, bot: &BotName, hold: &Hold, replace: bool) -> BotState {
    let write = Write::SetHold {
        bot: bot.clone(),
        hold: hold.clone(),
        replace,
    };
    stored(process, bot, process.write(write).await).await
}

async fn clear(process: &Process, bot: &BotName, kind: Option<HoldKind>) -> BotState {
    let bot_name = bot.clone();
    let answer = process
        .write(Write::ClearHold {
            bot: bot_name,
            kind,
        })
        .await;
    stored(process, bot, answer).await
}

/// The state in the answer, which is what the store has.
async fn stored(process: &Process, bot: &BotName, answer: Written) -> BotState {
    match answer {
        Written::State(state) => {
            assert_eq!(*state, process.state(bot).await);
            *state
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_hold_comes_back_as_it_was_set(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for kind in HoldKind::ALL {
        let hold = Hold {
            kind,
            reason: "it's \"lunch\" 🥪".into(),
            until: Some(slot(60) + TimeDelta::microseconds(7)),
            by: "alice@example.org".into(),
        };
        assert_eq!(set(&a, &bot, &hold, true).await.hold, Some(hold));
    }
}

pub(crate) async fn a_hold_of_the_same_kind_is_renewed(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    set(&a, &bot, &Hold::by_server(HoldKind::Manual, "one"), false).await;
    let two = Hold::by_server(HoldKind::Manual, "two");
    assert_eq!(set(&a, &bot, &two, false).await.hold, Some(two));
}

pub(crate) async fn a_hold_of_another_kind_stays_unless_it_is_replaced(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (old, new) = (
        Hold::by_server(HoldKind::Refused, "404"),
        Hold::by_server(HoldKind::Manual, "pause"),
    );
    set(&a, &bot, &old, false).await;
    assert_eq!(set(&a, &bot, &new, false).await.hold, Some(old));
    assert_eq!(set(&a, &bot, &new, true).await.hold, Some(new));
}

pub(crate) async fn clearing_ends_the_hold_and_forgives_the_failures(fixture: &dyn Fixture) {
    for kind in [None, Some(HoldKind::Failures)] {
        let a = fixture.join("a").await;
        let bot = a.register(if kind.is_some() { "one" } else { "two" }).await;
        for n in 0..3 {
            a.finish(&bot, n, Status::Failed).await;
        }
        let state = a.state(&bot).await;
        assert_eq!(state.hold.unwrap().kind, HoldKind::Failures);
        let state = clear(&a, &bot, kind).await;
        assert_eq!((state.hold, state.consecutive_failures), (None, 0));
    }
}

pub(crate) async fn clearing_another_kind_changes_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.finish(&bot, 0, Status::Failed).await;
    a.hold(&bot, HoldKind::Manual).await;
    let before = a.state(&bot).await;
    assert_eq!(clear(&a, &bot, Some(HoldKind::Refused)).await, before);
    let free = a.register("free").await;
    a.finish(&free, 0, Status::Failed).await;
    let before = a.state(&free).await;
    assert_eq!(clear(&a, &free, Some(HoldKind::Refused)).await, before);
}

pub(crate) async fn clearing_without_a_hold_forgives_the_failures(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.finish(&bot, 0, Status::Failed).await;
    let state = clear(&a, &bot, None).await;
    assert_eq!((state.hold, state.consecutive_failures), (None, 0));
}

pub(crate) async fn an_invalid_hold_ends_only_by_its_name(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.finish(&bot, 0, Status::Failed).await;
    a.hold(&bot, HoldKind::Invalid).await;
    let before = a.state(&bot).await;
    assert_eq!(clear(&a, &bot, None).await, before);
    let state = clear(&a, &bot, Some(HoldKind::Invalid)).await;
    assert_eq!((state.hold, state.consecutive_failures), (None, 0));
}

pub(crate) async fn a_hold_of_an_unknown_bot_is_stale(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let hold = Hold::by_server(HoldKind::Manual, "");
    let bot = name("ghost");
    let set = Write::SetHold {
        bot: bot.clone(),
        hold,
        replace: true,
    };
    let clear = Write::ClearHold { bot, kind: None };
    for write in [set, clear] {
        let answer = a.write(write).await;
        assert!(matches!(answer, Written::Stale(None)), "{answer:?}");
    }
}
