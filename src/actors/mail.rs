//! How actors send each other messages: in envelopes that are counted and timed, for every actor and from whoever.
//!
//! An [`Addr`] says where an actor is; only a [`Mailbox`] sends (the lints see to that), and it knows who does.

use std::sync::Arc;

use actix::{
    Actor, Addr, Context, Handler, Message,
    dev::{MessageResponse, OneshotSender, Request, SendError},
};

use crate::telemetry::metrics::{ActorMetrics, ActorType, Inbox, Slip};

#[cfg(test)]
mod tests;

/// An actor that takes mail: a `Handler<Mailed<M>>` wherever it is a `Handler<M>`.
pub trait Addressee: Actor<Context = Context<Self>> {
    /// What kind of actor it is.
    const TYPE: ActorType;
}

/// A message on its way.
pub struct Mailed<M> {
    message: M,
    slip: Slip,
}

impl<M: Message + 'static> Message for Mailed<M> {
    type Result = M::Result;
}

impl<M: 'static> Mailed<M> {
    /// Its handling begins.
    pub fn open(self) -> M {
        self.slip.handled::<M>();
        self.message
    }
}

/// What a handler replies, to whoever sent the envelope.
pub struct Answer<R>(pub R);

impl<A, M, R> MessageResponse<A, Mailed<M>> for Answer<R>
where
    A: Actor,
    M: Message + 'static,
    R: MessageResponse<A, M>,
{
    fn handle(self, ctx: &mut A::Context, asker: Option<OneshotSender<M::Result>>) {
        self.0.handle(ctx, asker);
    }
}

/// Lets an actor take in envelopes whatever it takes without: `takes_mail!(SchedulerActor, ActorType::Scheduler);`
macro_rules! takes_mail {
    ($actor:ty, $kind:expr) => {
        impl $crate::actors::mail::Addressee for $actor {
            const TYPE: $crate::telemetry::metrics::ActorType = $kind;
        }

        impl<M> ::actix::Handler<$crate::actors::mail::Mailed<M>> for $actor
        where
            M: ::actix::Message + 'static,
            $actor: ::actix::Handler<M>,
        {
            type Result = $crate::actors::mail::Answer<<$actor as ::actix::Handler<M>>::Result>;

            fn handle(
                &mut self,
                mail: $crate::actors::mail::Mailed<M>,
                ctx: &mut Self::Context,
            ) -> Self::Result {
                $crate::actors::mail::Answer(::actix::Handler::handle(self, mail.open(), ctx))
            }
        }
    };
}
pub(super) use takes_mail;

/// The way to an actor, in the hands of one who sends.
pub struct Mailbox<A: Actor> {
    address: Addr<A>,
    inbox: Arc<Inbox>,
    from: ActorType,
}

impl<A: Actor> Clone for Mailbox<A> {
    fn clone(&self) -> Self {
        Self {
            address: self.address.clone(),
            inbox: Arc::clone(&self.inbox),
            from: self.from,
        }
    }
}

impl<A: Addressee> Mailbox<A> {
    /// Of the actor at this address; what it sends comes `from` there.
    #[must_use]
    pub fn new(address: Addr<A>, from: ActorType, metrics: &ActorMetrics) -> Self {
        Self {
            address,
            inbox: metrics.inbox(A::TYPE),
            from,
        }
    }

    /// Whether the actor lives.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.address.connected()
    }

    /// Sends, and waits for the reply; a `timeout` limits that.
    #[expect(clippy::disallowed_methods, reason = "the one place that sends")]
    pub fn send<M>(&self, message: M) -> Request<A, Mailed<M>>
    where
        A: Handler<Mailed<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.address.send(self.seal(message))
    }

    /// Sends without waiting for a reply.
    ///
    /// # Errors
    /// The mailbox is full, or nobody's any more; the message comes back.
    #[expect(clippy::disallowed_methods, reason = "the one place that sends")]
    pub fn try_send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        A: Handler<Mailed<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let sent = self.address.try_send(self.seal(message));
        sent.map_err(|error| match error {
            SendError::Full(mail) => SendError::Full(mail.message),
            SendError::Closed(mail) => SendError::Closed(mail.message),
        })
    }

    fn seal<M>(&self, message: M) -> Mailed<M> {
        let slip = self.inbox.posted(self.from);
        Mailed { message, slip }
    }
}
