//! What is asked of the store, and what is said while it is away.

use actor_server::{
    actors::messages::{
        AddContent, ControlError, FindContent, FindReplicas, FindRun, FindRuns, ListBots,
        RemoveContent, ResumeAll,
    },
    domain::{
        content::{ContentItem, ContentQuery},
        hold::HoldKind,
        ledger::LedgerQuery,
        outcome::Status,
        run::ExecutionId,
    },
};
use tempfile::tempdir;

use super::{
    bots::{bot, name},
    server::Server,
    stand::Setting,
};

fn of_bot() -> LedgerQuery {
    LedgerQuery {
        bot: Some(name("bot")),
        limit: 10,
        ..LedgerQuery::default()
    }
}

#[actix_rt::test]
async fn runs_are_found_with_their_posts() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "post")])).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Succeeded).await;
    let found = server.ask(FindRuns(of_bot())).await.unwrap();
    assert_eq!((found.len(), found[0].0.id), (1, run));
    assert_eq!(found[0].1.len(), 1);
    assert_eq!(found[0].1[0].message.body, "hello");
    let (row, posts) = server.ask(FindRun(run)).await.unwrap();
    assert_eq!((row.id, posts.len()), (run, 1));
    let unknown = ExecutionId(4711);
    let answer = server.ask(FindRun(unknown)).await.err();
    assert_eq!(answer, Some(ControlError::UnknownRun(unknown)));
}

#[actix_rt::test]
async fn this_process_is_among_the_replicas() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([])).await;
    let replicas = server.ask(FindReplicas).await.unwrap();
    assert_eq!(replicas[0].id, server.stand.env.me.id.as_str());
}

#[actix_rt::test]
async fn knowledge_is_added_found_and_removed() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([])).await;
    let item = |body: &str| ContentItem {
        key: None,
        title: None,
        body: body.into(),
        source: None,
        tags: Vec::new(),
        priority: 0.5,
        not_before: None,
        expires_at: None,
        media: Vec::new(),
        metadata: serde_json::json!({}),
    };
    let (table, items) = ("facts".to_owned(), vec![item("one"), item("two")]);
    let rows = server
        .ask(AddContent {
            table: table.clone(),
            items,
        })
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    let query = ContentQuery {
        table: table.clone(),
        after: None,
        limit: 10,
    };
    let found = server.ask(FindContent(query)).await.unwrap();
    assert_eq!(found[0].item.body, "two");
    let removed = server.ask(RemoveContent { table, id: None }).await;
    assert_eq!(removed, Ok(2));
}

#[actix_rt::test]
async fn while_the_store_is_away_lists_are_answered_and_the_ledger_says_why_not() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    server.line().away(true);
    let answer = server.ask(FindRuns(of_bot())).await.err();
    assert!(
        matches!(answer, Some(ControlError::Unavailable(_))),
        "{answer:?}"
    );
    assert_eq!(server.ask(ListBots).await.cards.len(), 1);
    let pause = server.pause("bot", None).await;
    assert!(matches!(pause, Err(ControlError::Unavailable(_))));
    let run = ExecutionId(1);
    assert!(matches!(
        server.cancel(run).await,
        Err(ControlError::Unavailable(_))
    ));
}

/// A hundred readers on a store that answers nobody: the coordinator answers others at once.
#[actix_rt::test]
async fn readers_that_wait_hold_up_nobody() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    server.line().deaf(true);
    let all = || server.ask(ResumeAll(HoldKind::Manual));
    let readers = futures::future::join_all((0..100).map(|_| all()));
    let list = async {
        let began = tokio::time::Instant::now();
        for _ in 0..100 {
            server.ask(ListBots).await;
        }
        began.elapsed()
    };
    let (answers, took) = futures::join!(readers, list);
    assert!(took < std::time::Duration::from_secs(1), "{took:?}");
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(ControlError::Unavailable(_))))
    );
    server.line().deaf(false);
}
