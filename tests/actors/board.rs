//! What lists show: bots from memory, at once, and never an empty list as the truth.

use actor_server::{
    actors::{
        door::{Door, Unanswered},
        messages::{Bots, ChildState, ControlError, DescribeBot, Inspect, ListBots},
        supervision::Child,
    },
    domain::{hold::HoldKind, outcome::Status},
};
use chrono::TimeDelta;
use tempfile::tempdir;

use super::{
    bots::{bot, every, name, with},
    server::Server,
    stand::{Setting, Stand, eventually},
};

fn names(bots: &Bots) -> Vec<String> {
    let cards = bots.cards.iter();
    cards.map(|card| card.bot.name.to_string()).collect()
}

#[actix_rt::test]
async fn bots_are_known_before_any_actor_lives() {
    let folder = tempdir().unwrap();
    let mut off = bot("off", "succeed");
    off.enabled = false;
    let mut broken = bot("broken", "succeed");
    broken.quarantine = Some("its file cannot be read".into());
    let setting = Setting::of([bot("b", "succeed"), off, broken, bot("a", "succeed")]);
    let stand = Stand::on(folder.path(), setting).await;
    let list = stand.env.board.list();
    assert_eq!(names(&list), ["a", "b", "broken", "off"]);
    assert!(list.cards[0].state.next_run.is_some());
    let hold = list.cards[2].state.hold.as_ref().unwrap();
    assert_eq!(hold.kind, HoldKind::Invalid);
}

#[actix_rt::test]
async fn a_removed_bot_is_not_listed() {
    let folder = tempdir().unwrap();
    let both = Setting::of([bot("a", "succeed"), bot("b", "succeed")]);
    let server = Server::start(folder.path(), both).await;
    server.stop(std::time::Duration::ZERO).await;
    let server = Server::start(folder.path(), Setting::of([bot("b", "succeed")])).await;
    assert_eq!(names(&server.ask(ListBots).await), ["b"]);
    let unknown = server.ask(DescribeBot(name("a"))).await;
    assert_eq!(unknown.err(), Some(ControlError::UnknownBot(name("a"))));
}

#[actix_rt::test]
async fn a_list_that_nothing_has_changed_is_the_same_list() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("a", "succeed")])).await;
    eventually("nothing changes any more", || async {
        let (first, second) = (server.ask(ListBots).await, server.ask(ListBots).await);
        let same = std::sync::Arc::ptr_eq(&first.cards, &second.cards);
        (same && first.version == second.version).then_some(())
    })
    .await;
    let before = server.ask(ListBots).await;
    server.pause("a", None).await.unwrap();
    let after = server.ask(ListBots).await;
    assert!(after.version > before.version);
    assert!(before.cards[0].state.hold.is_none());
    assert!(after.cards[0].state.hold.is_some(), "a pause shows at once");
}

#[actix_rt::test]
async fn a_run_shows_while_it_is_on_and_its_end_counts() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([bot("bot", "hang"), bot("bad", "fail")]);
    let server = Server::start(folder.path(), setting).await;
    let run = server.trigger("bot").await.unwrap();
    let row = server.run("bot", run, Status::Running).await;
    let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
    assert_eq!(card.running, [run]);
    let off = card.state.last_run.unwrap() - row.started_at.unwrap();
    assert!(off.abs() < TimeDelta::milliseconds(1));
    server.cancel(run).await.unwrap();
    server.run("bot", run, Status::Cancelled).await;
    eventually("the run has left", || async {
        let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
        card.running.is_empty().then_some(())
    })
    .await;
    let failed = server.trigger("bad").await.unwrap();
    server.run("bad", failed, Status::Failed).await;
    eventually("the failure is counted", || async {
        let card = server.ask(DescribeBot(name("bad"))).await.unwrap();
        (card.state.consecutive_failures == 1).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn failures_in_a_row_show_as_a_hold() {
    let folder = tempdir().unwrap();
    let once = |bot| with(bot, |policy| policy.retry.max_attempts = 1);
    let server = Server::start(folder.path(), Setting::of([once(every(1, "bot", "fail"))])).await;
    let card = eventually("the bot is held", || async {
        let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
        card.state.hold.is_some().then_some(card)
    })
    .await;
    assert_eq!(card.state.hold.as_ref().unwrap().kind, HoldKind::Failures);
    assert_eq!(card.state.consecutive_failures, 5);
    server.resume("bot").await.unwrap();
    let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
    assert_eq!(
        (card.state.consecutive_failures, &card.state.hold),
        (0, &None)
    );
}

#[actix_rt::test]
async fn a_slot_that_is_claimed_ahead_shows_until_it_starts() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([every(3, "bot", "succeed")])).await;
    eventually("a claim shows", || async {
        let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
        let claimed = card.claimed?;
        (card.state.next_run? > claimed).then_some(())
    })
    .await;
    eventually("it has started", || async {
        let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
        card.claimed.is_none().then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn a_rebuilt_scheduler_shows_what_the_store_says() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([every(1, "bot", "succeed")])).await;
    server.runs("bot", 1, Status::Succeeded).await;
    server
        .ask(actor_server::actors::messages::Unresponsive(
            Child::Scheduler,
        ))
        .await;
    let before = server.ledger("bot").await.len();
    server.runs("bot", before + 2, Status::Succeeded).await;
    eventually("memory and store agree", || async {
        let card = server.ask(DescribeBot(name("bot"))).await.unwrap();
        (card.state.next_run == server.state("bot").await.next_run).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn the_tree_shows_bots_that_rest() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    let tree = server.ask(Inspect).await.children;
    let bot = tree
        .iter()
        .find(|one| one.child == Child::Task(name("bot")));
    assert_eq!(bot.unwrap().state, ChildState::Resting);
    assert!(
        tree.iter()
            .any(|one| one.child == Child::Persistence && one.mailbox.is_some())
    );
}

#[actix_rt::test]
async fn the_door_is_closed_until_the_actors_are_there() {
    let folder = tempdir().unwrap();
    let door = Door::default();
    assert_eq!(door.ask(ListBots).await.err(), Some(Unanswered::Starting));
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    door.open(std::sync::Arc::clone(&server.stand.env));
    let bots = eventually("the coordinator is in the book", || async {
        door.ask(ListBots).await.ok()
    })
    .await;
    assert_eq!(names(&bots), ["bot"]);
    let unknown = door.ask(DescribeBot(name("ghost"))).await.unwrap();
    assert!(matches!(unknown, Err(ControlError::UnknownBot(_))));
}
