//! Where actors are at this moment. A restarted actor has a new address, so nobody keeps one.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use actix::{Actor, Addr};

use super::{
    alerting::AlertActor,
    coordinator::CoordinatorActor,
    health::HealthCheckActor,
    mail::{Addressee, Mailbox},
    persistence::PersistenceActor,
    scheduler::SchedulerActor,
    supervision::Child,
    task::TaskActor,
};
use crate::{
    domain::bot::BotName,
    telemetry::metrics::{ActorMetrics, ActorType},
};

/// The addresses of the living; kept by the coordinator, read by all.
pub struct AddressBook {
    entries: RwLock<Entries>,
    /// Where what is sent is counted.
    metrics: ActorMetrics,
}

/// One entry a place in the tree.
#[derive(Default)]
pub struct Entries {
    /// The supervisor.
    pub coordinator: Option<Addr<CoordinatorActor>>,
    /// Owns the store.
    pub persistence: Option<Addr<PersistenceActor>>,
    /// Holds the next slots.
    pub scheduler: Option<Addr<SchedulerActor>>,
    /// Looks after the others.
    pub health: Option<Addr<HealthCheckActor>>,
    /// Tells people what is wrong; `None` if there is nowhere to tell it.
    pub alert: Option<Addr<AlertActor>>,
    /// Bots with an actor; all others rest.
    pub tasks: HashMap<BotName, Addr<TaskActor>>,
}

impl Entries {
    /// Entries whose actor does not live any more.
    #[must_use]
    pub fn dead(&self) -> Vec<Child> {
        fn is_dead<A: Actor>(actor: &Option<Addr<A>>) -> bool {
            actor.as_ref().is_none_or(|actor| !actor.connected())
        }
        let core = [
            (Child::Persistence, is_dead(&self.persistence)),
            (Child::Scheduler, is_dead(&self.scheduler)),
            (Child::HealthCheck, is_dead(&self.health)),
            (Child::Alert, self.alert.is_some() && is_dead(&self.alert)),
        ];
        let core = core
            .into_iter()
            .filter(|(_, dead)| *dead)
            .map(|(child, _)| child);
        let tasks = self.tasks.iter().filter(|(_, task)| !task.connected());
        core.chain(tasks.map(|(bot, _)| Child::Task(bot.clone())))
            .collect()
    }
}

impl AddressBook {
    /// An empty book; what is sent by it is counted there.
    #[must_use]
    pub fn new(metrics: ActorMetrics) -> Self {
        let entries = RwLock::default();
        Self { entries, metrics }
    }

    /// Reads; the guard must not be held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes; the coordinator only.
    pub fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mailbox of an actor whose address is at hand, for whoever is `from` there.
    #[must_use]
    pub fn mailbox<A: Addressee>(&self, address: Addr<A>, from: ActorType) -> Mailbox<A> {
        Mailbox::new(address, from, &self.metrics)
    }

    /// The actor of a bot, unless it rests.
    #[must_use]
    pub fn task(&self, bot: &BotName, from: ActorType) -> Option<Mailbox<TaskActor>> {
        let address = self.read().tasks.get(bot).cloned();
        address.map(|address| self.mailbox(address, from))
    }

    /// The supervisor, unless it is being rebuilt.
    #[must_use]
    pub fn coordinator(&self, from: ActorType) -> Option<Mailbox<CoordinatorActor>> {
        let address = self.read().coordinator.clone();
        address.map(|address| self.mailbox(address, from))
    }

    /// The scheduler, unless it is being rebuilt.
    #[must_use]
    pub fn scheduler(&self, from: ActorType) -> Option<Mailbox<SchedulerActor>> {
        let address = self.read().scheduler.clone();
        address.map(|address| self.mailbox(address, from))
    }

    /// The owner of the store, unless it is being rebuilt.
    #[must_use]
    pub fn persistence(&self, from: ActorType) -> Option<Mailbox<PersistenceActor>> {
        let address = self.read().persistence.clone();
        address.map(|address| self.mailbox(address, from))
    }

    /// Who looks after the others, unless it is being rebuilt.
    #[must_use]
    pub fn health(&self, from: ActorType) -> Option<Mailbox<HealthCheckActor>> {
        let address = self.read().health.clone();
        address.map(|address| self.mailbox(address, from))
    }

    /// Who tells people, unless it is being rebuilt or there is nowhere to tell it.
    #[must_use]
    pub fn alert(&self, from: ActorType) -> Option<Mailbox<AlertActor>> {
        let address = self.read().alert.clone();
        address.map(|address| self.mailbox(address, from))
    }

    /// Messages that wait for an actor. Those of bots' actors are counted together, not for each.
    #[must_use]
    pub fn waiting(&self, child: &Child) -> Option<usize> {
        let counted = !matches!(child, Child::Task(_));
        counted.then(|| self.metrics.inbox(child.kind()).waiting())
    }

    /// What waits for an actor that hangs and is replaced does not count any more.
    pub fn write_off(&self, child: &Child) {
        self.metrics.inbox(child.kind()).write_off();
    }
}
