//! What is bounded: how far a listener may be behind, how many there may be, how much is kept.

use std::time::Duration;

use actor_server::actors::news::{Bounds, Gap, Happening, Heard, Interest, News, Refused};
use tokio::time::timeout;

use super::news::{SMALL, all, ended, heard, numbers, tell, tell_runs};

#[actix_rt::test]
async fn one_that_does_not_keep_up_is_dropped_and_counted_and_the_others_hear_everything() {
    let news = News::bounded(SMALL);
    let (mut slow, mut quick) = (all(&news), all(&news));
    for n in 0..50 {
        tell_runs(&news, "a", [n]);
        assert_eq!(heard(&mut quick).0, [n]);
        let late = u64::from(n >= 10);
        assert_eq!(news.dropped(), late, "it may be behind by ten");
    }
    assert!(matches!(slow.next().await, Heard::Dropped));
    assert_eq!(
        slow.position(),
        None,
        "its id must not pass over what it missed"
    );
    assert_eq!(news.listeners(), 2);
    drop(slow);
    assert_eq!((news.listeners(), news.dropped()), (1, 1));
}

#[actix_rt::test]
async fn one_that_catches_up_and_then_falls_behind_is_dropped_as_well() {
    let news = News::bounded(SMALL);
    let id = all(&news).position().unwrap().to_string();
    tell_runs(&news, "a", 0..80);
    let mut back = news.subscribe(Some(&id), Interest::default()).unwrap();
    assert_eq!(heard(&mut back).0, numbers(0..80));
    tell_runs(&news, "a", 80..90);
    assert_eq!(news.dropped(), 0);
    tell_runs(&news, "a", 90..91);
    assert_eq!(news.dropped(), 1);
}

#[actix_rt::test]
async fn one_whose_next_happening_is_not_kept_any_more_is_dropped() {
    let bounds = Bounds { items: 5, ..SMALL };
    let news = News::bounded(bounds);
    let mut slow = all(&news);
    tell_runs(&news, "a", 0..5);
    assert_eq!(news.dropped(), 0);
    tell_runs(&news, "a", 5..6);
    assert_eq!(news.dropped(), 1);
    assert!(matches!(slow.next().await, Heard::Dropped));
}

#[actix_rt::test]
async fn bytes_are_bounded_and_long_texts_are_cut() {
    let bytes = 100_000;
    let news = News::bounded(Bounds {
        bytes,
        items: 10_000,
        behind: 10_000,
        listeners: 3,
    });
    let id = all(&news).position().unwrap().to_string();
    let mut listener = all(&news);
    tell(&news, ended("a", 1, &"é".repeat(100_000)));
    let Heard::Told(told) = listener.next().await else {
        panic!("nothing was told");
    };
    let Happening::RunEnded {
        error: Some(error), ..
    } = &told.what
    else {
        panic!("{told:?}");
    };
    assert_eq!(error.chars().count(), 2000);
    for n in 2..200 {
        tell(&news, ended("a", n, &"x".repeat(2000)));
    }
    let back = news.subscribe(Some(&id), Interest::default()).unwrap();
    assert_eq!(back.gap(), Some(Gap::TooOld));
    let mut kept = news.subscribe(Some(&id), Interest::default()).unwrap();
    assert!(heard(&mut kept).0.is_empty());
}

#[actix_rt::test]
async fn closing_ends_all_listening_at_once_and_for_good() {
    let news = News::bounded(SMALL);
    let (mut waits, mut behind) = (all(&news), all(&news));
    let waits = actix_rt::spawn(async move { waits.next().await });
    tokio::task::yield_now().await;
    tell_runs(&news, "a", [1]);
    news.close();
    tell_runs(&news, "a", [2]);
    assert!(matches!(behind.next().await, Heard::Closed));
    timeout(Duration::from_secs(5), waits)
        .await
        .unwrap()
        .unwrap();
    let refused = news.subscribe(None, Interest::default()).err();
    assert_eq!(refused, Some(Refused::Closed));
}

#[actix_rt::test]
async fn no_more_may_listen_than_there_are_places() {
    let news = News::bounded(SMALL);
    let listeners = [all(&news), all(&news), all(&news)];
    let refused = news.subscribe(None, Interest::default()).err();
    assert_eq!(refused, Some(Refused::Full(3)));
    drop(listeners);
    assert_eq!(news.listeners(), 0);
    drop(all(&news));
}
