//! What answers look like: plain structs made from the domain's values.

pub mod happening;
