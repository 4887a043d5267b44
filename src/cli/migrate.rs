//! `migrate`: the schema up, down, or where it is.

use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::{Direction, Options, WRONG, complain, configuration};
use crate::store::{self, StoreError};

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(super) fn migrate(options: &Options, direction: Direction, steps: usize) -> ExitCode {
    let url = match configuration::read(options) {
        Ok(loaded) => loaded.settings.server.database_url,
        Err(code) => return code,
    };
    let url = url.expose_secret().to_owned();
    let work = async move {
        match direction {
            Direction::Up => store::migrate_up(&url).await,
            Direction::Down => store::migrate_down(&url, steps).await,
            Direction::Status => store::migration_status(&url).await,
        }
    };
    match actix_rt::System::new().block_on(work) {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            if matches!(error, StoreError::Url(_)) {
                ExitCode::from(WRONG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
