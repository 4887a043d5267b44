//! What is asked of the store: the ledger, the audit trail, the replicas, the knowledge tables.

use std::{collections::HashMap, sync::Arc};

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::{
        messages::{
            AddContent, ControlError, FindAudit, FindContent, FindReplicas, FindRun, FindRuns,
            FindTables, RemoveContent,
        },
        reading::{MANY_ROWS, read, read_within},
    },
    domain::{
        audit::AuditRow,
        content::{StoredItem, TableSummary},
        ledger::LedgerRow,
        post::Post,
        replica::ReplicaRow,
        run::ExecutionId,
    },
    store::{StatePersistence, StoreError},
};

/// A run with what it posted.
type Found = (LedgerRow, Vec<Post>);

impl Handler<FindRuns> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<Found>, ControlError>>;

    fn handle(&mut self, FindRuns(query): FindRuns, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            read(&env, |store| async move {
                let rows = store.executions(&query).await?;
                with_posts(store.as_ref(), rows).await
            })
            .await
        })
    }
}

impl Handler<FindRun> for CoordinatorActor {
    type Result = ResponseFuture<Result<Found, ControlError>>;

    fn handle(&mut self, FindRun(id): FindRun, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            let found = read(&env, move |store| async move {
                let row = store.execution(id).await?;
                with_posts(store.as_ref(), row.into_iter().collect()).await
            });
            found.await?.pop().ok_or(ControlError::UnknownRun(id))
        })
    }
}

/// Slots that did not run have no posts, and are not asked about.
async fn with_posts(
    store: &dyn StatePersistence,
    rows: Vec<LedgerRow>,
) -> Result<Vec<Found>, StoreError> {
    let ran = rows.iter().filter(|row| row.started_at.is_some());
    let ids: Vec<ExecutionId> = ran.map(|row| row.id).collect();
    let mut posts: HashMap<ExecutionId, Vec<Post>> = HashMap::new();
    if !ids.is_empty() {
        for post in store.posts_of(&ids).await? {
            posts.entry(post.execution).or_default().push(post);
        }
    }
    let found = rows.into_iter().map(|row| {
        let posts = posts.remove(&row.id).unwrap_or_default();
        (row, posts)
    });
    Ok(found.collect())
}

impl Handler<FindAudit> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<AuditRow>, ControlError>>;

    fn handle(&mut self, FindAudit(query): FindAudit, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { read(&env, |store| async move { store.audit(&query).await }).await })
    }
}

impl Handler<FindReplicas> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<ReplicaRow>, ControlError>>;

    fn handle(&mut self, _: FindReplicas, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { read(&env, |store| async move { store.replicas().await }).await })
    }
}

impl Handler<FindTables> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<TableSummary>, ControlError>>;

    fn handle(&mut self, _: FindTables, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            let now = env.clock.now();
            read(
                &env,
                move |store| async move { store.content_tables(now).await },
            )
            .await
        })
    }
}

impl Handler<FindContent> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<StoredItem>, ControlError>>;

    fn handle(&mut self, FindContent(query): FindContent, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(
            async move { read(&env, |store| async move { store.content(&query).await }).await },
        )
    }
}

impl Handler<AddContent> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<i64>, ControlError>>;

    fn handle(&mut self, add: AddContent, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            let (AddContent { table, items }, now) = (add, env.clock.now());
            let adding = move |store: Arc<dyn StatePersistence>| async move {
                store.add_content(&table, &items, now).await
            };
            read_within(&env, MANY_ROWS, adding).await
        })
    }
}

impl Handler<RemoveContent> for CoordinatorActor {
    type Result = ResponseFuture<Result<u64, ControlError>>;

    fn handle(&mut self, remove: RemoveContent, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            let RemoveContent { table, id } = remove;
            let removing = move |store: Arc<dyn StatePersistence>| async move {
                store.remove_content(&table, id).await
            };
            read_within(&env, MANY_ROWS, removing).await
        })
    }
}
