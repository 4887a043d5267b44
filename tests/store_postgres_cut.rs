//! Connections that break in the worst moment: while a transaction is being committed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/postgres.rs"]
mod postgres;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use actor_server::{
    clock::Clock,
    domain::{content::ItemUse, run::ExecutionId},
    store::{StatePersistence, Write, Written, postgres::PostgresStore},
};
use ledger::{at, claim, claimed, finish, post, register, replica, start};
use postgres::TestDatabase;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the proxy does with the next `COMMIT`.
const PASS: u8 = 0;
/// The server never hears of it.
const DROP_REQUEST: u8 = 1;
/// The server carries it out, and its answer never arrives.
const DROP_ANSWER: u8 = 2;

/// A way to the database that can be cut.
struct Proxy {
    url: String,
    fault: Arc<AtomicU8>,
}

impl Proxy {
    async fn to(database: &TestDatabase) -> Self {
        let url = database.url();
        let (_, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault = Arc::new(AtomicU8::new(PASS));
        let (server, shared) = (server.to_owned(), Arc::clone(&fault));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(serve(client, server, Arc::clone(&shared)));
            }
        });
        Self {
            url: format!("postgres://postgres@127.0.0.1:{port}/{name}?sslmode=disable"),
            fault,
        }
    }

    fn at_next_commit(&self, fault: u8) {
        self.fault.store(fault, Ordering::SeqCst);
    }
}

async fn serve(mut client: TcpStream, mut server: TcpStream, fault: Arc<AtomicU8>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(n @ 1..) = read else { return };
                let is_commit = asked[..n].windows(7).any(|bytes| bytes == b"COMMIT\0");
                let fault = if is_commit { fault.swap(PASS, Ordering::SeqCst) } else { PASS };
                if fault == DROP_REQUEST {
                    return;
                }
                server.write_all(&asked[..n]).await.unwrap();
                if fault == DROP_ANSWER {
                    assert!(server.read(&mut answered).await.unwrap() > 0);
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&answered[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn open(proxy: &Proxy) -> PostgresStore {
    PostgresStore::open(&proxy.url, &replica("me"), Clock::database())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_batch_whose_commit_was_not_answered_is_not_carried_out_twice() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    store.write(&me, &[register("a")]).await.unwrap();

    proxy.at_next_commit(DROP_ANSWER);
    let cut = store.write(&me, &[claim("a", 0)]).await.unwrap_err();
    assert!(cut.is_transient(), "{cut}");
    let again = store.write(&me, &[claim("a", 0)]).await.unwrap();
    let run = claimed(&again[0]);
    assert_eq!(
        database.sql("SELECT id FROM actor_server_executions"),
        run.to_string()
    );

    proxy.at_next_commit(DROP_ANSWER);
    store.write(&me, &[start("a", run)]).await.unwrap_err();
    let longer = store
        .write(&me, &[start("a", run), claim("a", 1)])
        .await
        .unwrap();
    assert!(matches!(longer[0], Written::Started { .. }), "{longer:?}");
    claimed(&longer[1]);
    assert_eq!(database.sql("SELECT runs FROM actor_server_state"), "1");
}

#[tokio::test]
async fn a_batch_whose_commit_never_arrived_is_carried_out_when_it_comes_again() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    store.write(&me, &[register("a")]).await.unwrap();

    proxy.at_next_commit(DROP_REQUEST);
    let cut = store.write(&me, &[claim("a", 0)]).await.unwrap_err();
    assert!(cut.is_transient(), "{cut}");
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let run = loop {
        match store.write(&me, &[claim("a", 0)]).await {
            Ok(written) => break claimed(&written[0]),
            Err(error) => assert!(
                error.is_transient() && tokio::time::Instant::now() < deadline,
                "{error}"
            ),
        }
    };
    assert_eq!(
        database.sql("SELECT id FROM actor_server_executions"),
        run.to_string()
    );
}

#[tokio::test]
async fn another_batch_is_not_taken_for_the_one_that_was_cut_off() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    store
        .write(&me, &[register("a"), register("b")])
        .await
        .unwrap();

    proxy.at_next_commit(DROP_ANSWER);
    store.write(&me, &[claim("a", 0)]).await.unwrap_err();
    claimed(&store.write(&me, &[claim("b", 0)]).await.unwrap()[0]);
    claimed(&store.write(&me, &[claim("a", 0)]).await.unwrap()[0]);
    assert_eq!(
        database.sql("SELECT count(*) FROM actor_server_executions"),
        "2"
    );
}

/// A run of bot `a` that is to be finished.
async fn at_work(store: &PostgresStore) -> Write {
    let me = replica("me").id;
    let written = store.write(&me, &[register("a"), claim("a", 0)]).await;
    let run = claimed(&written.unwrap()[1]);
    store.write(&me, &[start("a", run)]).await.unwrap();
    finish("a", run)
}

#[tokio::test]
async fn what_an_unanswered_commit_did_is_told_once_when_its_batch_comes_again() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    let end = at_work(&store).await;
    proxy.at_next_commit(DROP_ANSWER);
    store
        .write(&me, std::slice::from_ref(&end))
        .await
        .unwrap_err();
    assert_eq!(store.facts(), []);
    store.write(&me, &[end, claim("a", 1)]).await.unwrap();
    assert_eq!(store.facts().len(), 1);
    store.rescue(&me, &HashMap::new(), at(3)).await.unwrap();
    assert_eq!(store.facts(), []);
}

#[tokio::test]
async fn what_an_unanswered_commit_did_is_told_even_if_its_batch_does_not_come_again() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    let end = at_work(&store).await;
    proxy.at_next_commit(DROP_ANSWER);
    store.write(&me, &[end]).await.unwrap_err();
    store.rescue(&me, &HashMap::new(), at(3)).await.unwrap();
    assert_eq!(store.facts().len(), 1);
    store.rescue(&me, &HashMap::new(), at(3)).await.unwrap();
    assert_eq!(store.facts(), []);
}

#[tokio::test]
async fn a_commit_that_never_arrived_tells_nothing_until_it_does() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    let end = at_work(&store).await;
    proxy.at_next_commit(DROP_REQUEST);
    store
        .write(&me, std::slice::from_ref(&end))
        .await
        .unwrap_err();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while let Err(error) = store.write(&me, std::slice::from_ref(&end)).await {
        assert_eq!(store.facts(), []);
        assert!(tokio::time::Instant::now() < deadline, "{error}");
    }
    assert_eq!(store.facts().len(), 1);
    store.rescue(&me, &HashMap::new(), at(3)).await.unwrap();
    assert_eq!(store.facts(), []);
}

/// A post of bot `a` that is made of an item.
fn made_of(item: i64, run: ExecutionId) -> Write {
    let Write::StorePost(mut new) = post("a", run, "a body") else {
        unreachable!();
    };
    new.item = Some(ItemUse {
        id: item,
        text: "the item".into(),
    });
    Write::StorePost(new)
}

#[tokio::test]
async fn a_post_whose_commit_was_not_answered_does_not_find_its_item_taken() {
    let database = TestDatabase::create();
    let proxy = Proxy::to(&database).await;
    let (store, me) = (open(&proxy).await, replica("me").id);
    database.sql(
        "INSERT INTO actor_server_content (id, table_name, item_key, body) VALUES (7, 't', 'k', 'x')",
    );
    let written = store.write(&me, &[register("a"), claim("a", 0)]).await;
    let run = claimed(&written.unwrap()[1]);
    let new = made_of(7, run);
    proxy.at_next_commit(DROP_ANSWER);
    let cut = store.write(&me, std::slice::from_ref(&new)).await;
    assert!(cut.unwrap_err().is_transient());
    let used = "SELECT execution_id FROM actor_server_content_uses";
    assert_eq!(database.sql(used), run.to_string());
    // First as the batch that was cut off, then as one of its own.
    for _ in 0..2 {
        let again = store.write(&me, std::slice::from_ref(&new)).await.unwrap();
        assert!(matches!(again[0], Written::Post(_)), "{again:?}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM actor_server_posts"), "1");
}
