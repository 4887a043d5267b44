//! What is kept of what happened, and who hears of it.

use std::time::Duration;

use actor_server::{
    actors::news::{Bounds, EventId, Gap, Happening, Heard, Interest, Kind, Listener, News},
    clock::Clock,
    domain::{
        hold::{Hold, HoldKind},
        outcome::Status,
        run::{ExecutionId, Trigger},
    },
};
use futures::FutureExt;
use tokio::time::timeout;

use super::bots::name;

pub(super) const SMALL: Bounds = Bounds {
    items: 100,
    bytes: 1 << 20,
    behind: 10,
    listeners: 3,
};

pub(super) fn started(bot: &str, n: i64) -> Happening {
    Happening::RunStarted {
        bot: name(bot),
        execution: ExecutionId(n),
        trigger: Trigger::Schedule,
        scheduled_for: None,
    }
}

pub(super) fn ended(bot: &str, n: i64, error: &str) -> Happening {
    Happening::RunEnded {
        bot: name(bot),
        execution: ExecutionId(n),
        status: Status::Failed,
        reason: None,
        error: Some(error.into()),
    }
}

pub(super) fn tell(news: &News, happening: Happening) {
    news.tell(Clock::process().now(), happening);
}

pub(super) fn tell_runs(news: &News, bot: &str, runs: impl IntoIterator<Item = i64>) {
    runs.into_iter().for_each(|n| tell(news, started(bot, n)));
}

pub(super) fn all(news: &News) -> Listener {
    news.subscribe(None, Interest::default()).unwrap()
}

fn of_bot(bot: &str) -> Interest {
    Interest {
        bot: Some(bot.into()),
        kinds: Vec::new(),
    }
}

/// What is there to be heard, and the id of the last.
pub(super) fn heard(listener: &mut Listener) -> (Vec<i64>, Option<EventId>) {
    let (mut runs, mut last) = (Vec::new(), None);
    while let Some(Heard::Told(told)) = listener.next().now_or_never() {
        last = Some(told.id);
        match &told.what {
            Happening::RunStarted { execution, .. } | Happening::RunEnded { execution, .. } => {
                runs.push(execution.0);
            }
            other => panic!("{other:?}"),
        }
    }
    (runs, last)
}

pub(super) fn numbers(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

#[actix_rt::test]
async fn a_listener_hears_everything_from_its_coming_in_order() {
    let news = News::bounded(SMALL);
    tell_runs(&news, "a", 0..5);
    let mut listener = all(&news);
    assert_eq!(heard(&mut listener).0, numbers(0..0));
    tell_runs(&news, "a", 5..12);
    assert_eq!(heard(&mut listener).0, numbers(5..12));
    assert_eq!(listener.gap(), None);
}

#[actix_rt::test]
async fn a_listener_that_waits_is_woken_by_the_next_happening() {
    let news = News::bounded(SMALL);
    let mut listener = all(&news);
    let hears = actix_rt::spawn(async move { listener.next().await });
    tokio::task::yield_now().await;
    tell_runs(&news, "a", [7]);
    let heard = timeout(Duration::from_secs(5), hears)
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(heard, Heard::Told(_)), "{heard:?}");
}

#[actix_rt::test]
async fn one_that_comes_back_hears_what_it_missed_and_then_goes_on() {
    let news = News::bounded(SMALL);
    let mut first = all(&news);
    tell_runs(&news, "a", 0..3);
    let id = heard(&mut first).1.unwrap().to_string();
    drop(first);
    tell_runs(&news, "a", 3..90);
    let mut again = news.subscribe(Some(&id), Interest::default()).unwrap();
    assert_eq!(again.gap(), None);
    assert_eq!(again.position(), None, "it has something to catch up with");
    assert_eq!(heard(&mut again).0, numbers(3..90));
    assert_eq!(
        again
            .position()
            .unwrap()
            .to_string()
            .split_once('-')
            .unwrap()
            .1,
        "90"
    );
    tell_runs(&news, "a", [90]);
    assert_eq!(heard(&mut again).0, [90]);
    assert_eq!(
        news.dropped(),
        0,
        "what it had to catch up with is not held against it"
    );
}

#[actix_rt::test]
async fn what_is_not_kept_or_not_known_any_more_is_a_gap_and_what_comes_then_is_heard() {
    let news = News::bounded(SMALL);
    let mut first = all(&news);
    tell_runs(&news, "a", 0..1);
    let old = heard(&mut first).1.unwrap().to_string();
    drop(first);
    tell_runs(&news, "a", 1..101);
    let kept = news.subscribe(Some(&old), Interest::default()).unwrap();
    assert_eq!(kept.gap(), None, "exactly what followed is kept still");
    drop(kept);
    tell_runs(&news, "a", 101..102);
    let (epoch, _) = old.split_once('-').unwrap();
    let other = News::bounded(SMALL)
        .subscribe(None, Interest::default())
        .unwrap();
    let other = other.position().unwrap().to_string();
    for (id, gap) in [
        (old.as_str(), Gap::TooOld),
        (&format!("{epoch}-5000"), Gap::Unknown),
        (&format!("{epoch}-{}", u64::MAX), Gap::Unknown),
        (&format!("{epoch}-007"), Gap::Unknown),
        (&format!("+{epoch}-7"), Gap::Unknown),
        (&format!("{epoch}-"), Gap::Unknown),
        (&format!("{epoch}--1"), Gap::Unknown),
        (&other, Gap::Unknown),
        ("", Gap::Unknown),
        ("17", Gap::Unknown),
        ("\u{1f980}-1", Gap::Unknown),
    ] {
        let mut listener = news.subscribe(Some(id), Interest::default()).unwrap();
        assert_eq!(listener.gap(), Some(gap), "{id}");
        assert!(
            listener.position().is_some(),
            "{id}: it starts at the newest"
        );
        assert!(heard(&mut listener).0.is_empty(), "{id}");
        tell_runs(&news, "a", [1000]);
        assert_eq!(heard(&mut listener).0, [1000], "{id}");
    }
}

#[actix_rt::test]
async fn what_a_listener_does_not_want_neither_reaches_it_nor_counts_against_it() {
    let news = News::bounded(SMALL);
    let mut mine = news.subscribe(None, of_bot("mine")).unwrap();
    let kinds = Interest {
        bot: None,
        kinds: vec![Kind::RunEnded],
    };
    let mut ends = news.subscribe(None, kinds).unwrap();
    tell_runs(&news, "other", 0..500);
    assert_eq!(news.dropped(), 0);
    let position = mine.position().unwrap().to_string();
    assert!(position.ends_with("-500"), "{position}");
    tell_runs(&news, "mine", [7]);
    tell(&news, ended("mine", 7, "no luck"));
    tell_runs(&news, "other", [8]);
    assert_eq!(heard(&mut mine).0, [7, 7]);
    assert_eq!(heard(&mut ends).0, [7]);
    drop((mine, ends));
    let mut back = news.subscribe(Some(&position), of_bot("mine")).unwrap();
    assert_eq!(heard(&mut back).0, [7, 7]);
    assert!(back.position().unwrap().to_string().ends_with("-503"));
}

#[actix_rt::test]
async fn an_actor_of_a_bot_is_about_the_bot() {
    let news = News::bounded(SMALL);
    let mut mine = news.subscribe(None, of_bot("mine")).unwrap();
    for child in ["task/other", "scheduler", "mine", "task/mine"] {
        let died = Happening::ActorRestarted {
            child: child.into(),
            reason: "panic".into(),
            given_up: false,
        };
        tell(&news, died);
    }
    let Heard::Told(told) = mine.next().await else {
        panic!("nothing was told");
    };
    assert_eq!(told.what.bot(), Some("mine"));
    assert!(mine.next().now_or_never().is_none());
}

#[actix_rt::test]
async fn the_same_hold_is_told_once_however_often_it_is_learned() {
    let (news, now) = (News::bounded(SMALL), Clock::process().now());
    let mut listener = all(&news);
    let hold = |reason| Hold::by_server(HoldKind::Manual, reason);
    for (hold, told) in [
        (None, None),
        (Some(hold("one")), Some(Kind::HoldSet)),
        (Some(hold("one")), None),
        (Some(hold("two")), Some(Kind::HoldSet)),
        (None, Some(Kind::HoldCleared)),
        (None, None),
    ] {
        news.hold_is(now, &name("a"), hold.as_ref());
        let heard = listener.next().now_or_never();
        let kind = heard.map(|heard| match heard {
            Heard::Told(told) => told.what.kind(),
            other => panic!("{other:?}"),
        });
        assert_eq!(kind, told, "{hold:?}");
    }
}
