//! The AlertActor: what is wrong becomes incidents, and incidents become notices at the channels.
//!
//! What it must not lose over its own death is in [`Alerting`] and in the store. It holds up nobody: it hears of things
//! through [`Alarms`](super::alarms::Alarms), which never make anybody wait, stores beside the write queue, and each channel
//! has its own turn, so that a slow one delays neither runs nor other channels.

mod book;
mod direct;
mod eye;
mod finding;
mod keeping;
mod listening;
mod ping_desk;
mod pinging;
mod sending;
mod state;
mod testing;
mod watching;
mod winding;

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};

pub(super) use self::{finding::find, testing::test};
pub use self::{
    pinging::{PingPlan, Pinger},
    state::{Alerting, Outward},
    winding::tell_what_is_due,
};
use super::{
    env::Env,
    mail::takes_mail,
    messages::{Ping, Pong},
};
use crate::telemetry::metrics::ActorType;

/// Tells people what is wrong.
pub struct AlertActor {
    env: Arc<Env>,
}

impl AlertActor {
    /// Builds one; what waits is its first work.
    #[must_use]
    pub const fn new(env: Arc<Env>) -> Self {
        Self { env }
    }
}

takes_mail!(AlertActor, ActorType::Alert);

impl Actor for AlertActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("alert.started");
        let env = || Arc::clone(&self.env);
        ctx.spawn(listening::keep_listening(env()).into_actor(self));
        if self.env.alerting.has_pings() {
            ctx.spawn(pinging::keep_pinging(env()).into_actor(self));
        }
        if !self.env.alerting.has_channels() {
            return;
        }
        ctx.spawn(keeping::keep_storing(env()).into_actor(self));
        ctx.spawn(watching::keep_watching(env()).into_actor(self));
        for place in 0..self.env.alerting.posts().len() {
            ctx.spawn(sending::keep_sending(env(), place).into_actor(self));
        }
    }
}

impl Handler<Ping> for AlertActor {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        fail::fail_point!("alert.handle");
        Pong
    }
}
