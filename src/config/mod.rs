//! What the operator wrote: one struct per concern, read with every problem collected and its place in the file.

use std::{path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::domain::{bot::Bot, restart::RestartPolicy};

/// Everything that `run` needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server file.
    pub file: PathBuf,
    /// `[server]`.
    pub server: ServerSettings,
    /// `[discord]`.
    pub discord: DiscordSettings,
    /// `[supervision]`.
    pub supervision: RestartPolicy,
    /// `[history] retention_days` (30).
    pub retention: Duration,
    /// `[health] interval_seconds` (10).
    pub health_interval: Duration,
    /// `[[actors]]`, in the order of the file.
    pub bots: Vec<Arc<Bot>>,
}

/// `[server]`.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// How often memory is reconciled with the store (60 s); slots fire on exact timers.
    pub check_interval: Duration,
    /// So many failed runs in a row set the hold `failures` (5).
    pub max_consecutive_failures: u32,
    /// Runs in flight in this process (8).
    pub max_parallel_tasks: usize,
    /// How long running work may drain on a stop (30 s).
    pub shutdown_grace: Duration,
    /// How many results are kept in memory while the store is away (100,000).
    pub results_in_memory: usize,
    /// Where state is kept; may contain a password.
    pub database_url: SecretString,
}

/// `[discord]`.
#[derive(Clone, Debug)]
pub struct DiscordSettings {
    /// The origin of the REST API (`https://discord.com`): a proxy or a test server may stand in.
    pub api_url: String,
    /// The bot token, without the `Bot ` prefix.
    pub token: Option<SecretString>,
}
