//! Telling at once, without the store: for what may mean that nothing will be stored any more.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use super::{keeping::new_delivery, sending::attempt};
use crate::{
    actors::env::Env,
    domain::alert::{BotAlerts, News, Sign, begins},
    store::NewDelivery,
};

/// How long channels may take; those that did not answer are told again from the store.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells all channels, and then has it stored: whoever was told is not told again.
pub(super) fn tell_at_once(env: &Arc<Env>, sign: Sign) {
    if env.alerting.may_be_open(&sign.key()) {
        return env.alerting.hear(sign);
    }
    let (inner, telling) = (Arc::clone(env), env.alerting.telling());
    env.runtime.spawn(async move {
        let told = tell(&inner, &sign).await;
        inner.alerting.told(sign.key(), told);
        inner.alerting.hear(sign);
        drop(telling);
    });
}

async fn tell(env: &Arc<Env>, sign: &Sign) -> Vec<NewDelivery> {
    let nobodys = BotAlerts::default();
    let ground = env.alerting.ground(&nobodys, sign.at);
    let News::Begins(cause) = &sign.news else {
        return Vec::new();
    };
    let step = begins(None, &sign.subject, cause, ground);
    let tell = step.map(|step| step.tell).unwrap_or_default();
    let each = tell.into_iter().map(|(channel, notice)| async {
        let mut delivery = new_delivery(channel, notice);
        let posts = env.alerting.posts();
        if let Some(post) = posts
            .iter()
            .find(|post| post.rules.name == delivery.channel)
        {
            let told = attempt(env, post, &delivery.notice);
            let told = tokio::time::timeout(PATIENCE, told).await;
            delivery.is_sent = matches!(told, Ok(Ok(())));
        }
        delivery
    });
    join_all(each).await
}
