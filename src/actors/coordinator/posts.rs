//! Posts as operators see them, and sending again what was given up.

use std::sync::Arc;

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::{
        env::Env,
        messages::{ControlError, FindPost, FindPosts, ResendPost},
        reading::read,
    },
    domain::post::{Post, PostStatus},
};

impl Handler<FindPosts> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<Post>, ControlError>>;

    fn handle(&mut self, FindPosts(query): FindPosts, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(
            async move { read(&env, |store| async move { store.find_posts(&query).await }).await },
        )
    }
}

impl Handler<FindPost> for CoordinatorActor {
    type Result = ResponseFuture<Result<Post, ControlError>>;

    fn handle(&mut self, FindPost(id): FindPost, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { find(&env, id).await })
    }
}

impl Handler<ResendPost> for CoordinatorActor {
    type Result = ResponseFuture<Result<(Post, Post), ControlError>>;

    fn handle(&mut self, ResendPost(id): ResendPost, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { resend(&env, id).await })
    }
}

async fn find(env: &Env, id: i64) -> Result<Post, ControlError> {
    let found = read(env, move |store| async move { store.post(id).await }).await?;
    found.ok_or(ControlError::UnknownPost(id))
}

/// It is pending then, and goes out as what an earlier run has left: by the process that made it, or if that is gone by
/// the oldest one.
async fn resend(env: &Env, id: i64) -> Result<(Post, Post), ControlError> {
    let before = find(env, id).await?;
    if matches!(before.status, PostStatus::Pending | PostStatus::Sent) {
        return Err(ControlError::NotGivenUp(id, before.status));
    }
    let again = read(env, move |store| async move { store.resend_post(id).await }).await?;
    let Some(post) = again else {
        // Somebody else was faster.
        return Err(ControlError::NotGivenUp(id, PostStatus::Pending));
    };
    env.lanes.stored(&post);
    env.leftovers
        .look_now(&(post.platform.clone(), post.destination.clone()));
    Ok((before, post))
}
