//! Whatever becomes of a message, it is counted once, and nothing stays in the mailbox that is not there.

use std::time::Duration;

use actix::{Actor, ActorContext, Context, Handler, MailboxError, Message, ResponseFuture};
use tokio::task::yield_now;

use super::{Mailbox, takes_mail};
use crate::telemetry::metrics::{ActorType, Metrics};

struct Reader;

impl Actor for Reader {
    type Context = Context<Self>;
}

takes_mail!(Reader, ActorType::Scheduler);

#[derive(Message)]
#[rtype(result = "u32")]
struct Letter(u32);

impl Handler<Letter> for Reader {
    type Result = ResponseFuture<u32>;

    fn handle(&mut self, Letter(n): Letter, _: &mut Self::Context) -> Self::Result {
        Box::pin(async move { n })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct End;

impl Handler<End> for Reader {
    type Result = ();

    fn handle(&mut self, _: End, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Boom;

impl Handler<Boom> for Reader {
    type Result = ();

    fn handle(&mut self, _: Boom, _: &mut Self::Context) {
        panic!("as arranged");
    }
}

fn reader(metrics: &Metrics) -> Mailbox<Reader> {
    Mailbox::new(Reader.start(), ActorType::Task, &metrics.actors)
}

/// What a series says now; 0 if there is none.
fn value(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.render(&Default::default());
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let line = lines.find(|(name, _)| *name == format!("botticelli_{series}"));
    line.map_or(0.0, |(_, value)| value.parse().unwrap())
}

fn waiting(metrics: &Metrics) -> (usize, f64) {
    let inbox = metrics.actors.inbox(ActorType::Scheduler);
    let gauge = value(metrics, "actor_mailbox_size{actor_type=\"scheduler\"}");
    (inbox.waiting(), gauge)
}

fn handled(metrics: &Metrics, message: &str) -> f64 {
    let labels = format!("actor_type=\"scheduler\",message=\"{message}\"");
    value(metrics, &format!("actor_messages_total{{{labels}}}"))
}

/// Lets the actors of this thread come to rest.
async fn rest() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[actix_rt::test]
async fn a_reply_comes_back_and_the_message_is_counted_under_its_name_and_its_sender() {
    let metrics = Metrics::default();
    let mailbox = reader(&metrics);
    assert_eq!(mailbox.send(Letter(7)).await, Ok(7));
    assert_eq!(handled(&metrics, "Letter"), 1.0);
    let between = "inter_actor_message_latency_seconds_count{from_actor=\"task\",message_type=\"Letter\",to_actor=\"scheduler\"}";
    assert_eq!(value(&metrics, between), 1.0);
    let latency = "actor_message_latency_seconds_count{actor_type=\"scheduler\"}";
    assert_eq!(value(&metrics, latency), 1.0);
    assert_eq!(waiting(&metrics), (0, 0.0));
}

#[actix_rt::test]
async fn latency_is_the_time_that_a_message_waits() {
    tokio::time::pause();
    let metrics = Metrics::default();
    let mailbox = reader(&metrics);
    mailbox.try_send(Letter(1)).unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    rest().await;
    let sum = "actor_message_latency_seconds_sum{actor_type=\"scheduler\"}";
    assert_eq!(value(&metrics, sum), 2.0);
}

#[actix_rt::test]
async fn a_full_mailbox_gives_the_message_back_and_counts_what_it_took() {
    let metrics = Metrics::default();
    let mailbox = reader(&metrics);
    let taken = (1..).find_map(|n| mailbox.try_send(Letter(n)).err());
    let Letter(refused) = taken.unwrap().into_inner();
    let taken = usize::try_from(refused - 1).unwrap();
    assert_eq!(waiting(&metrics), (taken, f64::from(refused - 1)));
    rest().await;
    assert_eq!(waiting(&metrics), (0, 0.0));
    assert_eq!(handled(&metrics, "Letter"), f64::from(refused - 1));
}

#[actix_rt::test]
async fn a_dead_actors_mailbox_is_empty_and_takes_nothing() {
    let metrics = Metrics::default();
    for last in ["stop", "panic"] {
        let mailbox = reader(&metrics);
        match last {
            "stop" => mailbox.try_send(End).unwrap(),
            _ => mailbox.try_send(Boom).unwrap(),
        }
        for n in 0..5 {
            mailbox.try_send(Letter(n)).unwrap();
        }
        assert_eq!(waiting(&metrics).0, 6, "{last}");
        rest().await;
        assert!(!mailbox.connected(), "{last}");
        assert_eq!(mailbox.send(Letter(9)).await, Err(MailboxError::Closed));
        assert!(mailbox.try_send(Letter(9)).is_err());
        assert_eq!(waiting(&metrics), (0, 0.0), "{last}");
    }
    assert_eq!(handled(&metrics, "End"), 1.0);
    assert_eq!(handled(&metrics, "Boom"), 1.0);
}

#[actix_rt::test]
async fn a_message_that_nobody_waits_for_any_more_leaves_the_mailbox_uncounted() {
    let metrics = Metrics::default();
    let mailbox = reader(&metrics);
    drop(mailbox.send(Letter(1)));
    assert_eq!(waiting(&metrics).0, 1);
    rest().await;
    assert_eq!(waiting(&metrics), (0, 0.0));
    assert_eq!(handled(&metrics, "Letter"), 0.0);
}

#[actix_rt::test]
async fn what_a_hung_actor_never_reads_is_written_off_once() {
    let metrics = Metrics::default();
    let hung = reader(&metrics);
    for n in 0..3 {
        hung.try_send(Letter(n)).unwrap();
    }
    metrics.actors.inbox(ActorType::Scheduler).write_off();
    assert_eq!(waiting(&metrics), (0, 0.0));
    let successor = reader(&metrics);
    successor.try_send(Letter(4)).unwrap();
    assert_eq!(waiting(&metrics), (1, 1.0));
    // The hung one goes on after all.
    rest().await;
    assert_eq!(waiting(&metrics), (0, 0.0));
}
