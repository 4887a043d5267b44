//! Posts that are stored and not known to have arrived, and whose run is over: they still go out, oldest first.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::{AsyncContext, Context};

use super::CoordinatorActor;
use crate::{
    actors::{delivery, env::Env, supervision::beside},
    domain::{post::Post, retry::RetryPolicy},
};

/// How often is looked for such posts.
const EVERY: Duration = Duration::from_secs(5);

impl CoordinatorActor {
    /// Sends them now and from time to time, one round after another.
    pub(super) fn send_leftover_posts(&mut self, ctx: &mut Context<Self>) {
        let (env, me) = (Arc::clone(&self.env), ctx.address());
        beside(&ctx.address(), async move {
            while me.connected() {
                let round = Arc::clone(&env);
                // A round that panics is over; the next one tries again.
                let _ = env
                    .runtime
                    .spawn(async move { send_round(&round).await })
                    .await;
                tokio::time::sleep(EVERY).await;
            }
        });
    }
}

async fn send_round(env: &Arc<Env>) {
    let Ok(posts) = env.store.unsent_posts().await else {
        return;
    };
    let mut by_destination: HashMap<(String, String), Vec<Post>> = HashMap::new();
    for post in posts
        .into_iter()
        .filter(|post| !env.runs.has(post.execution))
    {
        by_destination
            .entry((post.platform.clone(), post.destination.clone()))
            .or_default()
            .push(post);
    }
    let rounds = by_destination
        .into_values()
        .map(|posts| send_in_order(env, posts));
    futures::future::join_all(rounds).await;
}

async fn send_in_order(env: &Arc<Env>, posts: Vec<Post>) {
    for post in posts {
        let retry = env
            .bots
            .iter()
            .find(|bot| bot.name == post.bot)
            .map_or_else(RetryPolicy::default, |bot| bot.policy.retry);
        let (actor, id) = (post.bot.clone(), post.id);
        let end = delivery::deliver(env, post, &retry).await;
        tracing::info!(%actor, post = id, ?end, "a post that an earlier run left was taken up");
    }
    env.queue.drained().await;
}
