//! Lists of bots are drawn once: they must never show what was.

use std::sync::Arc;

use actor_server::{
    actors::messages::BotCard,
    domain::{Instant, hold::HoldKind, policy::Policy},
    http::view::gallery::Gallery,
};
use serde_json::Value;

use super::cards::{at, bot, card, held};

type Cards = Arc<Vec<Arc<BotCard>>>;

fn cards(names: &[&str]) -> Cards {
    Arc::new(names.iter().map(|name| Arc::new(card(bot(name)))).collect())
}

fn drawn(gallery: &Gallery, cards: &Cards, now: Instant) -> Value {
    let bytes = gallery.whole(cards, now);
    let bytes = bytes.unwrap_or_else(|| gallery.draw_whole(cards, now));
    serde_json::from_slice(&bytes).unwrap()
}

fn first_slots(list: &Value) -> Vec<&str> {
    let slots = list[0]["next_slots"].as_array().unwrap();
    slots.iter().map(|slot| slot.as_str().unwrap()).collect()
}

#[test]
fn the_whole_list_is_the_same_bytes_until_a_slot_passes() {
    let (gallery, cards) = (Gallery::default(), cards(&["a", "b"]));
    assert!(gallery.whole(&cards, at(130)).is_none());
    let list = drawn(&gallery, &cards, at(130));
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(first_slots(&list)[0], "2026-03-01T12:03:00.000000Z");
    assert_eq!(first_slots(&list).len(), 5);
    assert!(gallery.whole(&cards, at(180)).is_some());
    assert!(
        gallery.whole(&cards, at(181)).is_none(),
        "a slot has passed"
    );
    let list = drawn(&gallery, &cards, at(181));
    assert_eq!(first_slots(&list)[0], "2026-03-01T12:04:00.000000Z");
}

#[test]
fn a_changed_card_is_drawn_anew_and_a_bot_that_is_gone_is_forgotten() {
    let (gallery, before) = (Gallery::default(), cards(&["a", "b", "c"]));
    drawn(&gallery, &before, at(130));
    let paused = Arc::new(held((*before[1]).clone(), HoldKind::Manual));
    let after: Cards = Arc::new(vec![Arc::clone(&before[0]), paused]);
    let list = drawn(&gallery, &after, at(130));
    let held: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|bot| &bot["is_paused"])
        .collect();
    assert_eq!(held, [false, true]);
    assert_eq!(list[1]["hold"]["by"], "ann");
    assert_eq!(list, drawn(&Gallery::default(), &after, at(130)));
}

#[test]
fn some_bots_and_one_bot_look_like_in_the_whole_list() {
    let (gallery, cards) = (Gallery::default(), cards(&["a", "b", "c"]));
    let whole = drawn(&gallery, &cards, at(130));
    let some = gallery.some(cards.iter().skip(1), at(130));
    let one = gallery.one(&cards[2], at(130));
    let some: Value = serde_json::from_slice(&some).unwrap();
    assert_eq!(some, Value::from(whole.as_array().unwrap()[1..].to_vec()));
    assert_eq!(serde_json::from_slice::<Value>(&one).unwrap(), whole[2]);
    assert_eq!(&gallery.some([].iter(), at(130))[..], b"[]");
}

#[test]
fn the_coming_slots_are_those_that_the_bot_will_still_run() {
    let picture = |card: BotCard, now| -> Value {
        serde_json::from_slice(&Gallery::default().one(&Arc::new(card), now)).unwrap()
    };
    let mut claimed = card(bot("a"));
    (claimed.claimed, claimed.state.next_run) = (Some(at(180)), Some(at(240)));
    let shown = picture(claimed, at(179));
    assert_eq!(shown["next_run"], "2026-03-01T12:03:00.000000Z");
    assert_eq!(shown["next_slots"][1], "2026-03-01T12:04:00.000000Z");

    let mut few = bot("a");
    few.policy = Policy {
        max_runs: Some(4),
        ..Policy::default()
    };
    assert_eq!(
        picture(card(few), at(130))["next_slots"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let mut finished = card(bot("a"));
    finished.state.next_run = None;
    let shown = picture(finished, at(130));
    assert_eq!(shown["next_slots"], Value::Array(Vec::new()));
    assert_eq!(shown["next_run"], Value::Null);

    let mut broken = bot("a");
    (broken.schedule, broken.quarantine) = (None, Some("no schedule".into()));
    let shown = picture(held(card(broken), HoldKind::Invalid), at(130));
    assert_eq!(
        (&shown["schedule_type"], &shown["schedule"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn ten_thousand_bots_make_one_list() {
    let names: Vec<String> = (0..10_000).map(|n| format!("bot_{n:05}")).collect();
    let cards = cards(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let list = drawn(&Gallery::default(), &cards, at(130));
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 10_000);
    assert!(
        list.iter()
            .zip(names)
            .all(|(bot, name)| bot["name"] == *name)
    );
}
