//! One suite for every store, instantiated per backend, and what is special about each backend beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod cases;
#[path = "../support/postgres.rs"]
mod cluster;
mod fixture;
mod postgres;
mod process;
mod shelf;
#[macro_use]
mod suite;
mod sqlite;
#[path = "../support/tally.rs"]
mod tally;

suite!(on_sqlite, crate::sqlite::SqliteFixture);
suite!(on_postgres, crate::postgres::PostgresFixture);
