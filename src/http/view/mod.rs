//! What answers look like: plain structs made from the domain's values.
//!
//! A view is made of what is handed to it: it asks nobody and reads no clock. Field names are a promise to clients.

pub mod actor;
pub mod alert;
pub mod audit;
pub mod content;
pub mod gallery;
pub mod happening;
pub mod outline;
pub mod run;
pub mod status;
pub mod time;
pub mod tree;
pub mod words;
