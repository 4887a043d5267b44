//! Where actors are at this moment. A restarted actor has a new address, so nobody keeps one.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use actix::{Actor, Addr};

use super::{
    alerting::AlertActor, coordinator::CoordinatorActor, health::HealthCheckActor,
    persistence::PersistenceActor, scheduler::SchedulerActor, supervision::Child, task::TaskActor,
};
use crate::domain::bot::BotName;

/// The addresses of the living; kept by the coordinator, read by all.
#[derive(Default)]
pub struct AddressBook(RwLock<Entries>);

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
    /// Reads; the guard must not be held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes; the coordinator only.
    pub fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The actor of a bot, unless it rests.
    #[must_use]
    pub fn task(&self, bot: &BotName) -> Option<Addr<TaskActor>> {
        self.read().tasks.get(bot).cloned()
    }

    /// The supervisor, unless it is being rebuilt.
    #[must_use]
    pub fn coordinator(&self) -> Option<Addr<CoordinatorActor>> {
        self.read().coordinator.clone()
    }

    /// The scheduler, unless it is being rebuilt.
    #[must_use]
    pub fn scheduler(&self) -> Option<Addr<SchedulerActor>> {
        self.read().scheduler.clone()
    }

    /// The owner of the store, unless it is being rebuilt.
    #[must_use]
    pub fn persistence(&self) -> Option<Addr<PersistenceActor>> {
        self.read().persistence.clone()
    }
}
