//! Runs scheduled bots under supervision: every slot accounted for, every post exactly once.

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod platforms;
pub mod skills;
pub mod store;
