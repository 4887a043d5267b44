//! `migrate`: the schema up, down, or where it is.

use std::process::ExitCode;

use super::{Direction, Options, configuration, ended};
use crate::app::{self, Migration};

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
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
    ended(
        app::migrate(&url, migration).map(|lines| lines.iter().for_each(|line| println!("{line}"))),
    )
}
