//! `run`: serve until a signal.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{Options, WRONG, complain, configuration};
use crate::{
    app::{ActorServer, AppError},
    config::Loaded,
    store::StoreError,
    telemetry::logs::{self, LogFormat},
};

pub(super) fn run(options: &Options) -> ExitCode {
    if let Err(error) = start_logs() {
        complain(&error);
        return ExitCode::from(WRONG);
    }
    let loaded = match configuration::read(options) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    match actix_rt::System::new().block_on(serve(loaded)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            let wrong = matches!(error, AppError::Store(StoreError::Url(_)));
            if wrong {
                ExitCode::from(WRONG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn start_logs() -> Result<(), String> {
    let variable = |name| std::env::var(name).ok();
    let format = LogFormat::parse(&variable("LOG_FORMAT").unwrap_or_default())?;
    logs::start(format, variable("RUST_LOG").as_deref())
}

async fn serve(Loaded { settings, warnings }: Loaded) -> Result<(), AppError> {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let server = ActorServer::builder(settings).build()?;
    let mut signals = Signals::listen()
        .map_err(|error| AppError::Build(format!("cannot listen for signals: {error}")))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let second = async move {
        signals.next().await;
        drop(stop);
        signals.next().await;
    };
    tokio::select! {
        result = server.run_until_stopped(async { drop(stopped.await) }) => result,
        () = second => Err(AppError::Interrupted),
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    term: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
