//! What the command line asks for, each as one blocking call.

use std::{future::Future, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::Instant as Monotonic,
};

use super::{ActorServer, AppError, configuration::ConfigurationFiles, hangups::Hangups};
use crate::{
    clock::Clock,
    config::{Settings, SkillCatalogue},
    domain::{
        need::Need,
        plan::{Comparison, Plan},
    },
    http,
    skills::SkillSet,
    store::{self, StoreError},
    telemetry::traces,
};

/// The built-in skills, as the configuration wants to know them.
pub struct BuiltInSkills(SkillSet);

impl Default for BuiltInSkills {
    fn default() -> Self {
        Self(SkillSet::built_in())
    }
}

impl BuiltInSkills {
    /// The skills.
    #[must_use]
    pub const fn set(&self) -> &SkillSet {
        &self.0
    }

    const fn catalogue(&self) -> Catalogue<'_> {
        Catalogue {
            skills: &self.0,
            platforms: &[],
        }
    }
}

impl SkillCatalogue for BuiltInSkills {
    fn names(&self) -> Vec<String> {
        self.catalogue().names()
    }

    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        self.catalogue().check(skill, settings)
    }

    fn shared(&self, skill: &str) -> Vec<String> {
        self.catalogue().shared(skill)
    }

    fn needs_knowledge(&self, skill: &str) -> bool {
        self.catalogue().needs_knowledge(skill)
    }

    fn needs(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, Need)> {
        self.catalogue().needs(skill, settings)
    }
}

/// Any skills and platforms, as the configuration wants to know them.
pub(super) struct Catalogue<'a> {
    pub(super) skills: &'a SkillSet,
    /// Beside the built-in ones.
    pub(super) platforms: &'a [String],
}

impl SkillCatalogue for Catalogue<'_> {
    fn names(&self) -> Vec<String> {
        let names = self.skills.names().into_iter();
        names.map(str::to_owned).collect()
    }

    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        self.skills.check(skill, settings)
    }

    fn shared(&self, skill: &str) -> Vec<String> {
        self.skills.shared(skill)
    }

    fn needs_knowledge(&self, skill: &str) -> bool {
        self.skills.needs_knowledge(skill)
    }

    fn platforms(&self) -> Vec<String> {
        self.platforms.to_vec()
    }

    fn needs(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, Need)> {
        let skill = self.skills.get(skill);
        skill.map(|skill| skill.needs(settings)).unwrap_or_default()
    }
}

/// The OpenAPI document of the control API, as JSON.
#[must_use]
pub fn openapi() -> String {
    String::from_utf8_lossy(&http::routes::openapi::text()).into_owned() + "\n"
}

/// Serves until SIGTERM or SIGINT; a second signal stops at once. SIGHUP reads `files` again. With `traces`, runs are traced;
/// what is left of them is sent last.
///
/// # Errors
/// See [`AppError`].
pub fn serve(
    settings: Settings,
    files: ConfigurationFiles,
    traces: Option<&traces::Settings>,
) -> Result<(), AppError> {
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    allow_connections();
    let server = ActorServer::builder(settings).files(files).build()?;
    let start = |wanted| traces::start(wanted, server.me.id.as_str());
    let _sent_last = traces.map(start).transpose().map_err(AppError::Build)?;
    until_signalled(server)
}

/// Runs a server in a system of its own until SIGTERM or SIGINT.
pub(super) fn until_signalled(server: ActorServer) -> Result<(), AppError> {
    in_actors_system(async move {
        let mut signals = Signals::listen(server.hangups.clone())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let twice = async move {
            let first = signals.next().await;
            drop(stop);
            signals.after(first).await;
        };
        tokio::select! {
            result = server.run_until_stopped(async { drop(stopped.await) }) => result,
            () = twice => Err(AppError::Interrupted),
        }
    })
}

/// Every connection takes file descriptors, and the usual limit is far below what the system allows.
fn allow_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Which way the schema goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// Apply what is missing.
    Up,
    /// Revert so many of the newest steps.
    Down(usize),
    /// Change nothing.
    Status,
}

/// Brings the database's schema up or down, or says where it is; answers a line for each step.
///
/// # Errors
/// See [`StoreError`].
pub fn migrate(url: &SecretString, migration: Migration) -> Result<Vec<String>, AppError> {
    let url = url.expose_secret();
    in_actors_system(async move {
        let lines = match migration {
            Migration::Up => store::migrate_up(url).await,
            Migration::Down(steps) => store::migrate_down(url, steps).await,
            Migration::Status => store::migration_status(url).await,
        };
        Ok(lines?)
    })
}

/// What a reload of these settings would change against what is stored. Only reads, also beside a running server; a database
/// that does not exist is not made.
///
/// # Errors
/// See [`StoreError`].
pub fn plan(settings: &Settings) -> Result<Plan, AppError> {
    let url = settings.server.database_url.expose_secret();
    let states = in_actors_system(store::states_beside(url))?.into_iter();
    let stored = states.map(|state| (state.bot.clone(), state)).collect();
    let wanted = settings.bots.iter();
    let wanted = wanted.map(|bot| (bot.name.clone(), Arc::clone(bot)));
    Ok(Comparison {
        stored: &stored,
        at_work: None,
        wanted: &wanted.collect(),
        now: Clock::process().now(),
    }
    .plan())
}

impl AppError {
    /// Whether it is the configuration that has to change.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Url(_)) | Self::Configuration(_)
        )
    }
}

pub(super) fn in_actors_system<T>(work: impl Future<Output = T>) -> T {
    actix_rt::System::new().block_on(work)
}

/// What counts as the same wish: process groups and `timeout` send one signal twice.
const SAME_WISH: Duration = Duration::from_millis(200);

/// SIGTERM and SIGINT, which stop; SIGHUP, which reloads.
struct Signals {
    term: Signal,
    interrupt: Signal,
    hangup: Signal,
    hangups: Hangups,
}

impl Signals {
    fn listen(hangups: Hangups) -> Result<Self, AppError> {
        let cannot = |error| AppError::Build(format!("cannot listen for signals: {error}"));
        let listen = |kind| signal(kind).map_err(cannot);
        Ok(Self {
            term: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
            hangups,
        })
    }

    /// Waits for the next signal to stop.
    async fn next(&mut self) -> SignalKind {
        loop {
            tokio::select! {
                _ = self.term.recv() => return SignalKind::terminate(),
                _ = self.interrupt.recv() => return SignalKind::interrupt(),
                _ = self.hangup.recv() => self.hangups.ring(),
            }
        }
    }

    /// Waits for a signal that is not the echo of the first one.
    async fn after(&mut self, first: SignalKind) {
        let at = Monotonic::now();
        loop {
            let kind = self.next().await;
            if kind != first || at.elapsed() > SAME_WISH {
                return;
            }
        }
    }
}
