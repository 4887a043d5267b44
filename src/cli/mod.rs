//! What the program prints for people.

pub mod check;
