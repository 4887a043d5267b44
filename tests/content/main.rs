//! Knowledge from the command line, previews, and programs around the server: the real binary, and the examples.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the commands' clock is the real one"
)]

#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/server.rs"]
mod server;

mod beside;
mod files;
mod library;
mod preview;
mod tables;

use std::process::Output;

use server::Home;

/// One quiet bot.
const ONE_BOT: &str = "[[actors]]\nname = \"post\"\nconfig_file = \"post.toml\"\n[actors.schedule]\ntype = \"Once\"\nat = \"2096-01-01T00:00:00Z\"\n";

/// A folder with one bot in its configuration.
fn home() -> Home {
    Home::new(ONE_BOT)
}

/// What a command said, and its exit code.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a command that has to end well, and returns what it printed.
fn fine(home: &Home, arguments: &[&str]) -> String {
    let said = Said::from(home.run(arguments));
    assert_eq!(
        (said.code, said.err.as_str()),
        (Some(0), ""),
        "{arguments:?}: {said:?}"
    );
    said.out
}

/// Runs a command that has to be refused with this code, and returns what it complained of.
fn refused(home: &Home, code: i32, arguments: &[&str]) -> String {
    let said = Said::from(home.run(arguments));
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(code), ""),
        "{arguments:?}: {said:?}"
    );
    assert!(
        !said.err.is_empty() && !said.err.contains("panicked"),
        "{said:?}"
    );
    said.err
}
