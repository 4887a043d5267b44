//! Reading the configuration for a command, and the `check` command itself.

use std::process::ExitCode;

use super::{Options, WRONG, answer, complain};
use crate::{
    app::{BuiltInSkills, ConfigurationFiles},
    clock::Clock,
    config::{Loaded, check},
    telemetry::traces,
};

impl Options {
    /// Where the configuration comes from.
    pub(super) fn files(&self) -> ConfigurationFiles {
        ConfigurationFiles {
            file: self.config.clone(),
            database_url: self.database_url.clone(),
            discord_token: self.discord_token.clone(),
        }
    }
}

/// Reads everything, or prints every problem and gives the exit code.
pub(super) fn read(options: &Options) -> Result<Loaded, ExitCode> {
    let loaded = options.files().load(BuiltInSkills::default().set());
    loaded.map_err(|problems| {
        complain(&problems);
        ExitCode::from(WRONG)
    })
}

/// How runs are to be traced, or every problem is printed and gives the exit code.
pub(super) fn traces() -> Result<Option<traces::Settings>, ExitCode> {
    let read = traces::Settings::read(&|name| std::env::var_os(name));
    read.map_err(|problems| {
        problems.iter().for_each(|problem| complain(problem));
        ExitCode::from(WRONG)
    })
}

/// Prints what would run, or every problem.
pub(super) fn check(options: &Options) -> ExitCode {
    let (loaded, traces) = (read(options), traces());
    match loaded.and_then(|loaded| traces.map(|_| loaded)) {
        Ok(loaded) => {
            answer(check::render(&loaded, Clock::process().now()).as_bytes());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
