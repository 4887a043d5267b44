//! Reading the configuration for a command, and the `check` command itself.

use std::process::ExitCode;

use super::{Options, WRONG, answer, complain};
use crate::{
    app::BuiltInSkills,
    clock::Clock,
    config::{LoadInput, Loaded, check, load},
};

/// Reads everything, or prints every problem and gives the exit code.
pub(super) fn read(options: &Options) -> Result<Loaded, ExitCode> {
    let input = LoadInput {
        file: options.config.clone(),
        database_url: options.database_url.clone(),
        discord_token: options.discord_token.clone(),
        environment: &|name| std::env::var_os(name),
        skills: &BuiltInSkills::default(),
        now: Clock::process().now(),
    };
    load(input).map_err(|problems| {
        complain(&problems);
        ExitCode::from(WRONG)
    })
}

/// Prints what would run, or every problem.
pub(super) fn check(options: &Options) -> ExitCode {
    match read(options) {
        Ok(loaded) => {
            answer(check::render(&loaded, Clock::process().now()).as_bytes());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
