//! `run`: serve until a signal.

use std::process::ExitCode;

use super::{Options, WRONG, complain, configuration, ended};
use crate::{
    app,
    config::Loaded,
    telemetry::logs::{self, LogFormat},
};

pub(super) fn run(options: &Options) -> ExitCode {
    if let Err(error) = app::outlive_hangups() {
        return ended(Err(error));
    }
    let written_last = match start_logs() {
        Ok(guard) => guard,
        Err(error) => {
            complain(&error);
            return ExitCode::from(WRONG);
        }
    };
    let traces = match configuration::traces() {
        Ok(traces) => traces,
        Err(code) => return code,
    };
    let Loaded { settings, warnings } = match configuration::read(options) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let served = app::serve(settings, options.files(), traces.as_ref());
    // What led to the end stands before it.
    drop(written_last);
    ended(served)
}

fn start_logs() -> Result<impl Drop, String> {
    let variable = |name| std::env::var(name).ok();
    let format = LogFormat::parse(&variable("LOG_FORMAT").unwrap_or_default())?;
    logs::start(format, variable("RUST_LOG").as_deref())
}
