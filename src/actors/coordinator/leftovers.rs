//! Posts that are stored and not known to have arrived, and whose run is over: they still go out, oldest first.
//!
//! Each destination is served by itself, one post after another: a channel that has to wait holds up no other.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix::{AsyncContext, Context};

use super::CoordinatorActor;
use crate::{
    actors::{delivery, env::Env, supervision::beside},
    domain::{post::Post, retry::RetryPolicy},
};

/// How often is looked for such posts.
const EVERY: Duration = Duration::from_secs(5);

/// Platform and destination.
type Destination = (String, String);

/// Destinations that are being served.
type Served = Arc<Mutex<HashSet<Destination>>>;

impl CoordinatorActor {
    /// Sends them now and from time to time.
    pub(super) fn send_leftover_posts(&mut self, ctx: &mut Context<Self>) {
        let (env, me, served) = (Arc::clone(&self.env), ctx.address(), Served::default());
        beside(&ctx.address(), async move {
            while me.connected() {
                serve_all(&env, &served).await;
                tokio::time::sleep(EVERY).await;
            }
        });
    }
}

async fn serve_all(env: &Arc<Env>, served: &Served) {
    let store = Arc::clone(&env.store);
    let Ok(Ok(posts)) = env
        .runtime
        .spawn(async move { store.unsent_posts().await })
        .await
    else {
        return;
    };
    let mut by_destination: HashMap<Destination, Vec<Post>> = HashMap::new();
    for post in posts
        .into_iter()
        .filter(|post| !env.runs.has(post.execution))
    {
        let destination = (post.platform.clone(), post.destination.clone());
        by_destination.entry(destination).or_default().push(post);
    }
    for (destination, posts) in by_destination {
        if let Some(turn) = Turn::take(served, destination) {
            env.runtime.spawn(serve(Arc::clone(env), posts, turn));
        }
    }
}

async fn serve(env: Arc<Env>, posts: Vec<Post>, _turn: Turn) {
    for post in posts {
        let retry = env
            .bot(&post.bot)
            .map_or_else(RetryPolicy::default, |bot| bot.policy.retry);
        let (actor, id) = (post.bot.clone(), post.id);
        let end = delivery::deliver(&env, post, &retry).await;
        tracing::info!(%actor, post = id, ?end, "a post that an earlier run left was taken up");
    }
    // The next look must find them marked.
    env.queue.drained().await;
}

/// The right to serve a destination; ends when it is dropped, also by a panic.
struct Turn(Served, Destination);

impl Turn {
    fn take(served: &Served, destination: Destination) -> Option<Self> {
        let mut destinations = served.lock().unwrap_or_else(PoisonError::into_inner);
        destinations
            .insert(destination.clone())
            .then(|| Self(Arc::clone(served), destination))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.1);
    }
}
