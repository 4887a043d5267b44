//! `migrate`: the schema up, down, or where it is.

use std::process::ExitCode;

use super::{Direction, Options, answer, configuration, ended};
use crate::app::{self, Migration};

pub(super) fn migrate(options: &Options, direction: Direction, steps: usize) -> ExitCode {
    let url = match configuration::read(options) {
        Ok(loaded) => loaded.settings.server.database_url,
        Err(code) => return code,
    };
    let migration = match direction {
        Direction::Up => Migration::Up,
        Direction::Down => Migration::Down(steps),
        Direction::Status => Migration::Status,
    };
    let said = |lines: Vec<String>| answer((lines.join("\n") + "\n").as_bytes());
    ended(app::migrate(&url, migration).map(said))
}
