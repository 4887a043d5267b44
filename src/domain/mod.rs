//! The rules, and nothing else: no async, no clock reads, no input or output.
//!
//! Every decision that the actors carry out is made here, so that it can be tested with a table of values:
//! when slots are ([`schedule`]), what becomes of them ([`slots`]), why a bot does not run ([`hold`]), how a run
//! may end ([`outcome`]), how long to wait before trying again ([`retry`], [`restart`]).

pub mod alert;
pub mod audit;
pub mod bot;
pub mod breaker;
pub mod choice;
pub mod content;
pub mod fact;
pub mod health;
pub mod hold;
pub mod import;
pub mod input;
pub mod json;
pub mod ledger;
pub mod likeness;
pub mod need;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod post;
pub mod reach;
pub mod registration;
pub mod replica;
pub mod restart;
pub mod retry;
pub mod run;
pub mod schedule;
pub mod slots;
pub mod start;
pub mod state;
pub mod text;
pub mod wall;
pub mod window;

/// A moment in UTC; everything that is stored or compared is one.
pub type Instant = chrono::DateTime<chrono::Utc>;
