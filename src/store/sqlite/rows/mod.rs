//! Rows in, domain values out: the only place where a table's columns are given their meaning.

pub(super) mod audit;
pub(super) mod content;
pub(super) mod ledger;
pub(super) mod post;
pub(super) mod state;
