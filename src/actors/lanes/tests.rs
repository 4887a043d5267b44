use std::time::Duration;

use futures::FutureExt;
use serde_json::json;

use super::*;
use crate::domain::{
    Instant,
    bot::BotName,
    post::{Message, PostStatus},
    run::ExecutionId,
};

fn post(id: i64) -> Post {
    Post {
        id,
        execution: ExecutionId(id),
        bot: BotName::parse("bot").unwrap(),
        position: 0,
        platform: "stub".into(),
        destination: "1".into(),
        message: Message {
            body: String::new(),
            options: json!({}),
        },
        nonce: id.to_string(),
        status: PostStatus::Pending,
        attempts: 0,
        platform_message_id: None,
        error: None,
        created_at: Instant::default(),
        posted_at: None,
        turn: id,
    }
}

fn has_turn(seat: &Seat) -> bool {
    seat.turn().now_or_never().is_some()
}

#[tokio::test]
async fn turns_go_by_the_order_of_being_stored_whoever_asks_first() {
    let lanes = Lanes::default();
    let seats = [3, 1, 2].map(|id| lanes.join(&post(id)));
    let [third, first, second] = seats;
    assert!(!has_turn(&third) && has_turn(&first) && !has_turn(&second));
    drop(first);
    assert!(!has_turn(&third) && has_turn(&second));
    let late = lanes.join(&post(1));
    assert!(!has_turn(&late), "nobody is interrupted");
    drop(second);
    assert!(has_turn(&late) && !has_turn(&third));
}

#[tokio::test]
async fn whoever_waits_is_woken_when_the_turn_comes_and_a_dropped_seat_holds_up_nobody() {
    let lanes = Lanes::default();
    let (first, second, third) = (
        lanes.join(&post(1)),
        lanes.join(&post(2)),
        lanes.join(&post(3)),
    );
    first.turn().await;
    let waiting = tokio::spawn(async move { third.turn().await });
    tokio::task::yield_now().await;
    drop(second);
    drop(first);
    tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap();
}

#[test]
fn another_destination_has_another_lane() {
    let lanes = Lanes::default();
    let elsewhere = Post {
        destination: "2".into(),
        ..post(2)
    };
    let (one, other) = (lanes.join(&post(1)), lanes.join(&elsewhere));
    assert!(has_turn(&one) && has_turn(&other));
}

#[test]
fn a_line_is_clear_once_it_was_read_and_all_that_goes_first_is_settled() {
    let lanes = Lanes::default();
    lanes.stored(&post(2));
    let seat = lanes.join(&post(2));
    assert!(!seat.outlook().is_clear && seat.outlook().is_fresh);
    seat.read(&[post(1), post(2)], true);
    assert!(!seat.outlook().is_clear);
    seat.tries(&post(1));
    lanes.settled(&post(1));
    assert!(seat.outlook().is_clear);
    assert_eq!(seat.outlook().settled, HashSet::from([1]));
    lanes.fate_is_stored(1);
    assert!(seat.outlook().is_clear && seat.outlook().settled.is_empty());
    lanes.stored(&post(3));
    assert!(seat.outlook().is_clear, "what was stored later goes later");
    assert!(!lanes.join(&post(4)).outlook().is_clear);
}

#[test]
fn a_post_that_somebody_else_has_tried_or_settled_is_not_as_its_run_knows_it() {
    let lanes = Lanes::default();
    lanes.stored(&post(1));
    let seat = lanes.join(&post(2));
    seat.tries(&post(1));
    assert!(!lanes.join(&post(1)).outlook().is_fresh);
    lanes.stored(&post(1));
    assert!(
        !lanes.join(&post(1)).outlook().is_fresh,
        "a later attempt of its run finds it tried"
    );
    lanes.settled(&post(1));
    lanes.fate_is_stored(1);
    assert!(!lanes.join(&post(1)).outlook().is_fresh);
}

#[test]
fn what_the_store_has_no_more_goes_out_of_the_line() {
    let lanes = Lanes::default();
    for id in [1, 2] {
        lanes.stored(&post(id));
    }
    let seat = lanes.join(&post(2));
    seat.read(&[post(2)], true);
    assert!(seat.outlook().is_clear);
}

#[test]
fn of_many_idle_lanes_none_is_kept() {
    let lanes = Lanes::default();
    let seats: Vec<Seat> = (0..3000)
        .map(|n| {
            lanes.join(&Post {
                destination: n.to_string(),
                ..post(n)
            })
        })
        .collect();
    drop(seats);
    assert_eq!(lanes.all().lanes.len(), IDLE_LANES);
}
