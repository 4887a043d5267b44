//! The command line: arguments become settings, and each command is one call.

mod columns;
mod configuration;
mod content;
#[cfg(feature = "client")]
mod ctl;
mod healthcheck;
mod migrate;
mod openapi;
mod plan;
mod preview;
mod run;
mod text;
mod token;

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

use crate::app::AppError;

/// Runs scheduled bots under supervision: every slot accounted for, every post exactly once.
#[derive(Debug, Parser)]
#[command(
    name = "actor-server",
    version,
    args_conflicts_with_subcommands = false
)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Configuration of a server")]
struct Options {
    /// The server file
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "ACTOR_SERVER_CONFIG",
        default_value = "config/actor_server.toml"
    )]
    config: PathBuf,
    /// Where state is kept: sqlite://PATH or postgres://…; wins over DATABASE_URL and the file
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<SecretString>,
    /// The Discord bot token; wins over DISCORD_TOKEN and the file
    #[arg(long, global = true, value_name = "TOKEN")]
    discord_token: Option<SecretString>,
    /// Validate everything and print each bot's next five slots, without starting
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; a second signal stops at once (the default)
    Run {
        /// The same as `check`
        #[arg(long)]
        dry_run: bool,
    },
    /// Validate everything and print each bot's next five slots, without starting
    Check,
    /// Show what a reload of the server file would change against the stored state; changes nothing
    Plan {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring the database's schema up or down, or show where it is
    Migrate {
        /// Which way
        #[arg(default_value = "up")]
        direction: Direction,
        /// How many steps down
        #[arg(long, default_value_t = 1)]
        steps: usize,
    },
    /// Fill, show, write down and empty knowledge tables, which bots choose from; also beside a running server
    Content(content::Content),
    /// Run a bot's skills up to the post, and show what each says and what would be posted; posts and stores nothing
    Preview(preview::Wish),
    /// Operate a running server: see, pause, resume and run its bots
    #[cfg(feature = "client")]
    Ctl(ctl::Ctl),
    /// Print a token for the control API, signed with a configured HMAC key
    Token(token::Wish),
    /// Ask the server on this machine whether it lives: exit code 0 or 1
    Healthcheck,
    /// Print the OpenAPI document of the control API; needs no configuration
    Openapi,
    /// Print a script that completes this command line
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Which way a migration goes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Direction {
    /// Apply what is missing
    Up,
    /// Revert the newest
    Down,
    /// Show what is applied
    Status,
}

/// Reads the arguments and carries the command out.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { options, command } = Cli::parse();
    match command {
        _ if options.dry_run => configuration::check(&options),
        None | Some(Command::Run { dry_run: false }) => run::run(&options),
        Some(Command::Check | Command::Run { dry_run: true }) => configuration::check(&options),
        Some(Command::Plan { json }) => plan::plan(&options, json),
        Some(Command::Migrate { direction, steps }) => migrate::migrate(&options, direction, steps),
        Some(Command::Preview(wish)) => preview::preview(&options, wish),
        Some(Command::Content(content)) => content::content(&options, content),
        #[cfg(feature = "client")]
        Some(Command::Ctl(ctl)) => ctl::ctl(ctl),
        Some(Command::Token(wish)) => token::token(&options, wish),
        Some(Command::Healthcheck) => healthcheck::healthcheck(&options),
        Some(Command::Openapi) => openapi::openapi(),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "actor-server", &mut script);
            answer(&script);
            ExitCode::SUCCESS
        }
    }
}

/// 2: wrong usage or configuration.
const WRONG: u8 = 2;

/// The exit code of a command that has ended so.
fn ended(result: Result<(), AppError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            if error.is_configuration() {
                ExitCode::from(WRONG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// One readable line (or more) on standard error; whether anybody reads it changes nothing.
fn complain(what: &dyn Display) {
    let _ = writeln!(io::stderr().lock(), "actor-server: {what}");
}

/// A command's answer on standard output; a reader that has seen enough is no error.
fn answer(text: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text).and_then(|()| out.flush());
}
