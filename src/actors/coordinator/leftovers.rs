//! Posts that are stored and not known to have arrived, and whose run is over: they still go out, oldest first.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::Context;

use super::CoordinatorActor;
use crate::{
    actors::{
        delivery::Delivered,
        env::Env,
        lanes::sending,
        leftovers::{Destination, Turn},
        supervision::beside,
    },
    domain::post::Post,
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
                env.leftovers.arrival(EVERY).await;
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

/// Each post in its turn: a run's own may stand between two of them.
async fn serve(env: Arc<Env>, posts: Vec<Post>, turn: Turn) {
    for post in posts {
        match sending::left_over(&env, post).await {
            Delivered::NotNow(_) => {
                // Nothing else would get through either: the destination rests.
                turn.rest();
                break;
            }
            Delivered::Waits(_) => break,
            Delivered::Sent(_) | Delivered::Failed(_) | Delivered::Forbidden(_) => {}
        }
    }
}
