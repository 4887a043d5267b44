//! Posts that are stored and not known to have arrived, and whose run is over: they still go out, oldest first.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::Context;

use super::CoordinatorActor;
use crate::{
    actors::{
        breakers::Downstream,
        delivery::{self, Delivered, Insistence},
        env::Env,
        leftovers::{Destination, Turn},
        supervision::beside,
    },
    domain::{post::Post, retry::RetryPolicy},
};

/// How often is looked for such posts.
const EVERY: Duration = Duration::from_secs(2);

impl CoordinatorActor {
    /// Sends them now and from time to time.
    pub(super) fn send_leftover_posts(&mut self, ctx: &mut Context<Self>) {
        let (env, me) = (Arc::clone(&self.env), self.me(ctx));
        beside(&self.me(ctx), async move {
            while me.connected() {
                serve_all(&env).await;
                tokio::time::sleep(EVERY).await;
            }
        });
    }
}

async fn serve_all(env: &Arc<Env>) {
    let store = Arc::clone(&env.store);
    let posts = env
        .runtime
        .spawn(async move { store.unsent_posts().await })
        .await;
    let mut by_destination: HashMap<Destination, Vec<Post>> = HashMap::new();
    for post in posts
        .into_iter()
        .flatten()
        .flatten()
        .filter(|post| !env.runs.has(post.execution))
    {
        let destination = (post.platform.clone(), post.destination.clone());
        by_destination.entry(destination).or_default().push(post);
    }
    for (destination, posts) in by_destination {
        if let Some(turn) = env.leftovers.take(destination) {
            env.runtime.spawn(serve(Arc::clone(env), posts, turn));
        }
    }
}

async fn serve(env: Arc<Env>, posts: Vec<Post>, turn: Turn) {
    for post in posts {
        let retry = env
            .bot(&post.bot)
            .map_or_else(RetryPolicy::default, |bot| bot.policy.retry);
        let (actor, id) = (post.bot.clone(), post.id);
        let downstream = Downstream::new(&post.platform, &post.destination);
        if !downstream.as_ref().is_none_or(|one| env.may_ask(one)) {
            break;
        }
        match delivery::deliver(&env, post, &retry, Insistence::None).await {
            Delivered::NotNow(error) => {
                // Nothing else would get through either: the destination rests.
                tracing::warn!(%actor, post = id, error, "a post that an earlier run left cannot be sent now");
                let now = env.clock.now();
                if downstream.is_none_or(|one| env.breakers.would_let_through(&one, now)) {
                    turn.rest();
                }
                break;
            }
            end => {
                tracing::info!(%actor, post = id, ?end, "a post that an earlier run left was taken up")
            }
        }
    }
    // The next look must find them marked.
    env.queue.caught_up().await;
}
