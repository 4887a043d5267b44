//! The actors: thin, they receive, ask the domain, and tell others.
//!
//! ```text
//! CoordinatorActor            the supervisor and the one door for whoever is outside
//! ├── PersistenceActor        owns the store, writes in groups, beats, rescues
//! ├── SchedulerActor          the next slot of every bot; claims; hands claims on
//! ├── TaskActor × bot         one bot's runs; started on demand, rests when idle
//! ├── HealthCheckActor        asks everybody whether they are there
//! └── AlertActor              tells people what is wrong, if there is anywhere to tell it
//! ```
//!
//! Messages are typed, go by [`mail`], which counts them, and whoever waits for a reply sets a deadline. What an actor must not lose over its own death lives
//! outside it: writes in [`persistence::WriteQueue`], who did what in
//! [`audit::AuditQueue`], exit notices in [`supervision::Exits`], restart budgets in
//! [`roster::Roster`], addresses in [`address_book::AddressBook`].

pub mod address_book;
pub mod alarms;
pub mod alerting;
pub mod audit;
pub mod board;
pub mod breakers;
pub mod configuration;
pub mod coordinator;
mod counting;
pub mod delivery;
pub mod door;
pub mod env;
pub mod gauges;
pub mod health;
pub mod lanes;
pub mod leftovers;
pub mod mail;
pub mod messages;
pub mod news;
pub mod persistence;
pub mod reading;
mod reading_back;
pub mod registering;
pub mod roster;
pub mod runs;
pub mod scheduler;
pub mod shelf;
pub mod supervision;
pub mod task;
pub mod turns;
pub mod vitals;
