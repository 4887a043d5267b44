//! Reading the configuration for a command, and the `check` command itself.

use std::process::ExitCode;

use super::{Options, WRONG, answer, complain};
use crate::{
    app::{BuiltInSkills, ConfigurationFiles},
    clock::Clock,
    config::{Loaded, check},
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
