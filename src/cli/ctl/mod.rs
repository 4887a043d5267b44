//! `ctl`: the control API from a terminal.
//!
//! Tables are for people; `--json` prints what the API answered. Nothing that a server says reaches the terminal with
//! control characters in it.

mod alerts;
mod arguments;
mod bots;
mod failure;
mod history;
mod output;
mod posts;
mod running;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod token;
mod watch;

use std::process::ExitCode;

use super::{complain, text};
use crate::client::Client;

pub(super) use arguments::Ctl;
use arguments::{Action, Resumption};
use failure::Failure;
use output::Output;

/// Carries the command out.
pub(super) fn ctl(ctl: Ctl) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(act(ctl)),
        Err(error) => Err(Failure::Other(format!("cannot start: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            failure.code()
        }
    }
}

async fn act(ctl: Ctl) -> Result<(), Failure> {
    let client = Client::new(ctl.url(), token::from_environment()?)?;
    let output = Output::new(ctl.json);
    let (client, out) = (&client, &output);
    match ctl.action {
        Action::List(which) => bots::list(client, out, which).await,
        Action::Status { bot } => bots::status(client, out, &bot).await,
        Action::Pause(pause) => bots::pause(client, out, pause).await,
        Action::Resume(Resumption { bot: Some(bot), .. }) => bots::resume(client, out, &bot).await,
        Action::Resume(Resumption { kind, .. }) => bots::resume_all(client, out, kind).await,
        Action::Trigger(trigger) => running::trigger(client, out, trigger).await,
        Action::Cancel { id } => running::cancel(client, out, id).await,
        Action::History(which) => history::history(client, out, which).await,
        Action::Posts(which) => posts::posts(client, out, which).await,
        Action::Resend { id } => posts::resend(client, out, id).await,
        Action::Reload { dry_run } => server::reload(client, out, dry_run).await,
        Action::Tree => server::tree(client, out).await,
        Action::Replicas => server::replicas(client, out).await,
        Action::Alert(what) => alerts::alert(client, out, what).await,
        Action::Watch { bot, since_id } => watch::watch(client, out, bot, since_id).await,
    }
}
