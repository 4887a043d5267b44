//! What the process says about itself. Decides nothing.

pub mod collector;
pub mod logs;
pub mod metrics;
pub mod traces;
