//! What waits for a store that is away stays small, and in order.

use actor_server::domain::{
    alert::{AlertKind, Cause, News, Sign, Signs, Subject},
    bot::BotName,
};

use super::book::{at, failures, missed};

fn sign(bot: &str, news: News) -> Sign {
    let kind = match &news {
        News::Begins(cause) => cause.kind(),
        _ => AlertKind::Failures,
    };
    Sign {
        subject: Subject::Bot(BotName::parse(bot).unwrap()),
        kind,
        news,
        at: at(0),
    }
}

fn fails(bot: &str, in_a_row: u32) -> Sign {
    sign(bot, News::Begins(failures(in_a_row)))
}

fn news(signs: &mut Signs) -> Vec<News> {
    let mut all = Vec::new();
    loop {
        let taken = signs.take(100);
        if taken.is_empty() {
            return all;
        }
        signs.settle(&taken.iter().map(|(n, _)| *n).collect::<Vec<_>>());
        all.extend(taken.into_iter().map(|(_, sign)| sign.news));
    }
}

#[test]
fn the_same_news_twice_is_one_and_misses_add_up() {
    let mut signs = Signs::default();
    signs.push(fails("a", 3));
    signs.push(fails("a", 4));
    assert_eq!(news(&mut signs), [News::Begins(failures(4))]);
    signs.push(sign("a", News::Begins(missed(2, 10, 20))));
    signs.push(sign("a", News::Begins(missed(1, 30, 30))));
    assert_eq!(news(&mut signs), [News::Begins(missed(3, 10, 30))]);
    assert!(signs.is_empty());
}

#[test]
fn what_came_and_went_is_kept_and_what_kept_coming_and_going_is_thinned_out() {
    let mut signs = Signs::default();
    for _ in 0..1000 {
        signs.push(fails("a", 3));
        signs.push(sign("a", News::Ends));
    }
    let all = news(&mut signs);
    let begins = |news: &News| matches!(news, News::Begins(_));
    let turns: Vec<bool> = all.iter().map(begins).collect();
    assert_eq!(turns, [true, false, true, false]);
}

#[test]
fn one_key_is_taken_in_order_and_what_is_put_back_comes_first() {
    let mut signs = Signs::default();
    signs.push(fails("a", 3));
    signs.push(sign("a", News::Ends));
    signs.push(fails("b", 3));
    let taken = signs.take(10);
    assert_eq!(taken.len(), 2, "the end waits for the beginning");
    assert!(signs.take(10).is_empty());
    signs.push(fails("b", 4));
    let numbers: Vec<u64> = taken.iter().map(|(n, _)| *n).collect();
    signs.put_back(&numbers);
    let again = signs.take(10);
    assert_eq!(again, taken, "nothing is folded into what is on its way");
}

#[test]
fn the_oldest_of_too_many_go() {
    let mut signs = Signs::default();
    for n in 0..10_010 {
        signs.push(fails(&format!("bot_{n}"), 3));
    }
    assert_eq!(signs.lost(), 10);
    let (_, first) = signs.take(1).remove(0);
    let Subject::Bot(bot) = first.subject else {
        panic!("{first:?}");
    };
    assert_eq!(bot.as_str(), "bot_10");
    assert_eq!(Cause::BreakerOpen.kind(), AlertKind::BreakerOpen);
}
