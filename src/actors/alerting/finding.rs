//! What people ask about alerts.

use crate::{
    actors::{
        env::Env,
        messages::{AlertsFound, ControlError},
        reading,
    },
    domain::alert::Incident,
    store::StoreError,
};

/// What is open, and what was told lately.
///
/// # Errors
/// The store is away, or keeps no alerts.
pub(in crate::actors) async fn find(env: &Env, limit: i64) -> Result<AlertsFound, ControlError> {
    let now = env.clock.now();
    reading::read(env, move |store| async move {
        let Some(alerts) = store.alerts() else {
            return Err(StoreError::Failed("this store keeps no alerts".into()));
        };
        let mut open = alerts.incidents(now).await?;
        open.retain(Incident::is_open);
        let deliveries = alerts.deliveries(limit).await?;
        Ok(AlertsFound { open, deliveries })
    })
    .await
}
