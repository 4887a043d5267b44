//! SIGHUP: a wish to reload. It never ends the process, and several that come together are one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

use super::AppError;
use crate::{
    actors::{
        env::Env,
        messages::{NoteAudit, ReloadConfiguration, ReloadError},
    },
    domain::audit::AuditEntry,
    telemetry::metrics::ActorType,
};

/// How long to wait for a coordinator that is being rebuilt.
const AGAIN: Duration = Duration::from_millis(50);

/// From now on the process does not end by SIGHUP: once a handler is there it stays, also while nobody listens.
///
/// # Errors
/// The machine gives no handler.
pub fn outlive_hangups() -> Result<(), AppError> {
    let cannot = |error| AppError::Build(format!("cannot listen for signals: {error}"));
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(cannot)?;
    let _inside = runtime.enter();
    signal(SignalKind::hangup()).map(drop).map_err(cannot)
}

/// From the signal to the actors; clones share it.
#[derive(Clone, Default)]
pub(super) struct Hangups(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Whether there is anything that can be reloaded.
    open: AtomicBool,
    rung: Notify,
}

impl Hangups {
    /// The signal has come.
    pub(super) fn ring(&self) {
        if self.0.open.load(Ordering::Acquire) {
            self.0.rung.notify_one();
        } else {
            tracing::warn!("SIGHUP is ignored while the server starts or stops");
        }
    }

    /// From now on signals are ignored again.
    pub(super) fn close(&self) {
        self.0.open.store(false, Ordering::Release);
    }

    /// Reloads whenever the signal has come; what comes during a reload leads to one more.
    pub(super) async fn serve(self, env: Arc<Env>) {
        self.0.open.store(true, Ordering::Release);
        loop {
            self.0.rung.notified().await;
            tracing::info!(subject = "SIGHUP", "reloading the configuration");
            reload(&env).await;
        }
    }
}

async fn reload(env: &Env) {
    loop {
        let dry_run = false;
        if let Some(coordinator) = env.book.coordinator(ActorType::Outside)
            && let Ok(result) = coordinator.send(ReloadConfiguration { dry_run }).await
        {
            let note = NoteAudit(Box::new(entry(env, &result.err())));
            return drop(coordinator.try_send(note));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn entry(env: &Env, error: &Option<ReloadError>) -> AuditEntry {
    AuditEntry {
        at: env.clock.now(),
        subject: "SIGHUP".into(),
        role: None,
        action: "reload".into(),
        target: None,
        remote: None,
        request_id: None,
        before: None,
        after: None,
        outcome: match error {
            None => "ok".into(),
            Some(error) => error.to_string(),
        },
    }
}
