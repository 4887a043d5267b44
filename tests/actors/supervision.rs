//! However an actor ends, its supervisor hears of it exactly once, and its neighbours live on.

use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, MailboxError,
    Message, ResponseActFuture, WrapFuture,
};
use actix_rt::Arbiter;
use actor_server::{
    actors::{
        mail::{Addressee, Answer, Mailbox, Mailed},
        messages::{DEADLINE, Ping, Pong},
        supervision::{Child, Crash, Exit, ExitNotice, Exits, beside, panic_text, spawn},
    },
    telemetry::metrics::{ActorType, Metrics},
};
use tokio::time::timeout;

/// Where an actor is told to meet its end.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[rtype(result = "()")]
enum End {
    InBuild,
    InStarted,
    InHandler,
    InReply,
    InSpawned,
    InRunLater,
    InRunInterval,
    InBeside,
    ByStop,
}

const PANICS: [End; 8] = [
    End::InBuild,
    End::InStarted,
    End::InHandler,
    End::InReply,
    End::InSpawned,
    End::InRunLater,
    End::InRunInterval,
    End::InBeside,
];

/// An actor that ends as it is told.
struct Mortal(Option<End>);

impl Mortal {
    fn build(end: Option<End>) -> Self {
        assert!(end != Some(End::InBuild), "{:?}", End::InBuild);
        Self(end)
    }
}

impl Actor for Mortal {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        assert!(self.0 != Some(End::InStarted), "{:?}", End::InStarted);
    }
}

impl Handler<Ping> for Mortal {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        Pong
    }
}

impl Addressee for Mortal {
    const TYPE: ActorType = ActorType::Task;
}

impl Handler<Mailed<Crash>> for Mortal {
    type Result = Answer<()>;

    fn handle(&mut self, mail: Mailed<Crash>, ctx: &mut Self::Context) -> Self::Result {
        Handler::<Crash>::handle(self, mail.open(), ctx);
        Answer(())
    }
}

impl Handler<Crash> for Mortal {
    type Result = ();

    fn handle(&mut self, crash: Crash, _: &mut Self::Context) {
        crash.die();
    }
}

impl Handler<End> for Mortal {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, end: End, ctx: &mut Self::Context) -> Self::Result {
        let soon = Duration::from_millis(1);
        match end {
            End::InReply => {
                let work = tokio::task::yield_now().into_actor(self);
                return Box::pin(work.map(move |(), _, _| panic!("{end:?}")));
            }
            End::InSpawned => {
                let work = tokio::task::yield_now().into_actor(self);
                ctx.spawn(work.map(move |(), _, _| panic!("{end:?}")));
            }
            End::InRunLater => {
                ctx.run_later(soon, move |_, _| panic!("{end:?}"));
            }
            End::InRunInterval => {
                ctx.run_interval(soon, move |_, _| panic!("{end:?}"));
            }
            End::InBeside => {
                beside(&mailbox(ctx.address()), async move { panic!("{end:?}") });
            }
            End::ByStop => ctx.stop(),
            End::InHandler | End::InBuild | End::InStarted => panic!("{end:?}"),
        }
        Box::pin(async {}.into_actor(self))
    }
}

fn mailbox(address: Addr<Mortal>) -> Mailbox<Mortal> {
    Mailbox::new(address, ActorType::Task, &Metrics::default().actors)
}

fn child(name: &str) -> Child {
    Child::Task(actor_server::domain::bot::BotName::parse(name).unwrap())
}

fn start(arbiter: &Arbiter, name: &str, n: u64, exits: &Exits, end: Option<End>) -> Addr<Mortal> {
    let build = move || Mortal::build(end);
    spawn(&arbiter.handle(), child(name), n, exits, build)
}

async fn answers(actor: &Addr<Mortal>) -> bool {
    actor.send(Ping).timeout(DEADLINE).await.is_ok()
}

async fn notice(exits: &Exits) -> (Child, u64, Exit) {
    let notice = timeout(DEADLINE, exits.next()).await;
    let ExitNotice {
        child,
        incarnation,
        exit,
    } = notice.expect("nobody heard of the end");
    (child, incarnation, exit)
}

/// Ends an actor that has a neighbour on its thread; what its supervisor hears first, and then, when the neighbour stops.
async fn story_of(end: End, incarnation: u64) -> [(Child, u64, Exit); 2] {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    let neighbour = start(&arbiter, "neighbour", 1, &exits, None);
    let mortal = start(&arbiter, "mortal", incarnation, &exits, Some(end));
    let _ = mortal.send(end).timeout(DEADLINE).await;
    let first = notice(&exits).await;
    assert!(
        !mortal.connected(),
        "{end:?}: its address still takes messages"
    );
    assert!(answers(&neighbour).await, "{end:?}: its neighbour is gone");
    neighbour.try_send(End::ByStop).unwrap();
    let second = notice(&exits).await;
    arbiter.stop();
    [first, second]
}

#[actix_rt::test]
async fn a_panic_anywhere_becomes_one_notice_with_its_text_and_costs_no_neighbour() {
    for (end, incarnation) in PANICS.into_iter().zip(7..) {
        let panic = Exit::Panic(format!("{end:?}"));
        let expected = [
            (child("mortal"), incarnation, panic),
            (child("neighbour"), 1, Exit::Normal),
        ];
        assert_eq!(story_of(end, incarnation).await, expected);
    }
}

#[actix_rt::test]
async fn a_stop_on_purpose_is_one_notice_of_a_normal_end() {
    let [first, second] = story_of(End::ByStop, 3).await;
    assert_eq!(first, (child("mortal"), 3, Exit::Normal));
    assert_eq!(second, (child("neighbour"), 1, Exit::Normal));
}

#[actix_rt::test]
async fn an_arbiter_that_stops_is_the_end_of_each_actor_on_it() {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    let both = ["a", "b"].map(|name| start(&arbiter, name, 2, &exits, None));
    for actor in &both {
        assert!(answers(actor).await);
    }
    arbiter.stop();
    let mut heard = [notice(&exits).await, notice(&exits).await];
    heard.sort_by_key(|(child, ..)| child.to_string());
    let gone = |name| (child(name), 2, Exit::ArbiterGone);
    assert_eq!(heard, [gone("a"), gone("b")]);
}

#[actix_rt::test]
async fn an_actor_that_finds_no_thread_to_live_on_is_reported_as_well() {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    let handle = arbiter.handle();
    arbiter.stop();
    arbiter.join().unwrap();
    let actor = spawn(&handle, child("late"), 9, &exits, || Mortal::build(None));
    assert_eq!(notice(&exits).await, (child("late"), 9, Exit::ArbiterGone));
    assert!(!answers(&actor).await);
}

#[actix_rt::test]
async fn whoever_waits_for_an_actor_that_dies_is_told_at_once() {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    for end in [End::InHandler, End::InReply] {
        let actor = start(&arbiter, "mortal", 1, &exits, None);
        let answer = actor.send(end).timeout(DEADLINE).await;
        assert_eq!(answer.unwrap_err(), MailboxError::Closed);
    }
    arbiter.stop();
}

#[actix_rt::test]
async fn the_next_incarnation_has_an_address_of_its_own() {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    let first = start(&arbiter, "mortal", 1, &exits, None);
    let _ = first.send(End::InHandler).timeout(DEADLINE).await;
    assert_eq!(notice(&exits).await.1, 1);
    let second = start(&arbiter, "mortal", 2, &exits, None);
    assert!(first != second && !answers(&first).await);
    assert!(answers(&second).await);
    arbiter.stop();
}

#[actix_rt::test]
async fn notices_wait_in_order_while_nobody_reads_them() {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    for n in 0..100 {
        let actor = start(&arbiter, "mortal", n, &exits, None);
        let _ = actor.send(End::ByStop).timeout(DEADLINE).await;
        let _ = actor.send(Ping).timeout(DEADLINE).await;
    }
    for n in 0..100 {
        assert_eq!(notice(&exits).await.1, n);
    }
    arbiter.stop();
}

#[actix_rt::test]
async fn a_reader_that_gives_up_waiting_takes_no_notice_with_it() {
    let exits = Exits::default();
    for n in 0..50 {
        {
            let reader = exits.next();
            tokio::pin!(reader);
            assert!(futures::poll!(reader.as_mut()).is_pending());
            exits.push(ExitNotice {
                child: Child::Scheduler,
                incarnation: n,
                exit: Exit::Normal,
            });
        }
        assert_eq!(notice(&exits).await.1, n);
    }
}

#[actix_rt::test]
async fn a_future_beside_an_actor_that_is_gone_hurts_nobody_by_its_panic() {
    let (arbiter, exits) = (Arbiter::new(), Exits::default());
    let gone = start(&arbiter, "gone", 1, &exits, None);
    let neighbour = start(&arbiter, "neighbour", 1, &exits, None);
    let _ = gone.send(End::ByStop).timeout(DEADLINE).await;
    assert_eq!(notice(&exits).await.0, child("gone"));
    beside(&mailbox(gone), async { panic!("too late") });
    assert!(answers(&neighbour).await);
    let nothing = timeout(Duration::from_millis(50), exits.next()).await;
    assert!(nothing.is_err());
    arbiter.stop();
}

#[test]
fn what_a_panic_said_becomes_one_bounded_line() {
    assert_eq!(panic_text(&"static"), "static");
    assert_eq!(panic_text(&String::from("a\nb\u{7}c")), "a b c");
    assert_eq!(panic_text(&7), "a panic without a text");
    assert_eq!(panic_text(&"ä".repeat(100_000)).chars().count(), 500);
}
