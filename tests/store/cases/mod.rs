//! What every store promises, by noun.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backlogs;
pub(crate) mod batches;
pub(crate) mod breakers;
pub(crate) mod cancelling;
pub(crate) mod choices;
pub(crate) mod edits;
pub(crate) mod ends;
pub(crate) mod facts;
pub(crate) mod feeds;
pub(crate) mod finishes;
pub(crate) mod histories;
pub(crate) mod holds;
pub(crate) mod knowledge;
pub(crate) mod pages;
pub(crate) mod posted;
pub(crate) mod posts;
pub(crate) mod reading;
pub(crate) mod registration;
pub(crate) mod rescue;
pub(crate) mod slots;
pub(crate) mod starts;
pub(crate) mod triggers;
pub(crate) mod uses;
pub(crate) mod wishes;
