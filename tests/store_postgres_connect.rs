//! Getting in: credentials, certificates, and servers that are not there.
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

use std::{path::Path, process::Command, time::Duration};

use actor_server::{
    clock::Clock,
    store::{StatePersistence, StoreError, postgres::PostgresStore},
};
use ledger::replica;
use postgres::{TestCluster, TestDatabase};
use tokio::time::Instant;

async fn open(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::open(url, &replica("me"), Clock::database()).await
}

async fn error(url: &str) -> StoreError {
    match open(url).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn refused_credentials_and_unknown_databases_are_told_from_an_absent_server() {
    let database = TestDatabase::create();
    let unknown_user = error(&database.url_as("nobody-knows:hunter2")).await;
    assert!(
        matches!(unknown_user, StoreError::Refused(_)),
        "{unknown_user}"
    );
    assert!(!unknown_user.to_string().contains("hunter2"));
    let unknown_database = error(&format!("{}_not", database.url())).await;
    assert!(
        matches!(unknown_database, StoreError::Refused(_)),
        "{unknown_database}"
    );
    let absent = error("postgres://u:hunter2@127.0.0.1:1/d").await;
    assert!(absent.is_transient(), "{absent}");
    assert!(!absent.to_string().contains("hunter2"));
    let nowhere = error("postgres://u@no-such-host.invalid/d").await;
    assert!(nowhere.is_transient(), "{nowhere}");
    assert!(matches!(
        error("postgres://h:nine/d").await,
        StoreError::Url(_)
    ));
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let cluster = TestCluster::start();
    cluster.sql("CREATE ROLE bot LOGIN PASSWORD 'right'");
    let hba = cluster.dir().join("data/pg_hba.conf");
    std::fs::write(
        hba,
        "host all postgres all trust\nhost all bot all scram-sha-256\n",
    )
    .unwrap();
    cluster.sql("SELECT pg_reload_conf()");
    cluster.sql("GRANT ALL ON SCHEMA public TO bot");
    let url = |password: &str| {
        format!(
            "postgres://bot:{password}@127.0.0.1:{}/postgres",
            cluster.port()
        )
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    let refused = loop {
        match open(&url("wr0ng")).await {
            Err(error) => break error,
            Ok(_) => assert!(Instant::now() < deadline, "the new rules are not in force"),
        }
    };
    assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
    assert!(!refused.to_string().contains("wr0ng"));
    open(&url("right")).await.unwrap();
}

#[tokio::test]
async fn certificates_are_checked_as_the_url_says() {
    let cluster = TestCluster::start_with(|dir| {
        certify(dir, "localhost");
        certify(&dir.join("other"), "elsewhere.example");
        vec![
            "ssl = on".into(),
            format!("ssl_cert_file = '{}/server.pem'", dir.display()),
            format!("ssl_key_file = '{}/server.key'", dir.display()),
        ]
    });
    let roots = |dir: &Path| dir.join("ca.pem").display().to_string();
    let (good, foreign) = (roots(cluster.dir()), roots(&cluster.dir().join("other")));
    let url = |host: &str, query: &str| {
        format!(
            "postgres://postgres@{host}:{}/postgres?{query}",
            cluster.port()
        )
    };
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND version = 'TLSv1.3' AND application_name = 'actor-server'";

    for (host, query, is_encrypted) in [
        ("localhost", "sslmode=disable".to_owned(), false),
        ("localhost", "sslmode=prefer".to_owned(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={good}"),
            true,
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={good}"),
            true,
        ),
        (
            "127.0.0.1",
            format!("sslmode=require&sslrootcert={good}"),
            true,
        ),
    ] {
        let store = open(&url(host, &query))
            .await
            .unwrap_or_else(|e| panic!("{query}: {e}"));
        assert_eq!(cluster.sql(encrypted) != "0", is_encrypted, "{query}");
        store.close().await;
        drop(store);
        wait_until_alone(&cluster).await;
    }
    for (host, query) in [
        (
            "127.0.0.1",
            format!("sslmode=verify-full&sslrootcert={good}"),
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={foreign}"),
        ),
        (
            "localhost",
            format!("sslmode=verify-ca&sslrootcert={foreign}"),
        ),
        (
            "localhost",
            format!("sslmode=require&sslrootcert={foreign}"),
        ),
        ("localhost", "sslmode=verify-full".to_owned()),
    ] {
        let refused = error(&url(host, &query)).await;
        assert!(
            matches!(refused, StoreError::Refused(_)),
            "{query}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_if_the_url_requires_it() {
    let database = TestDatabase::create();
    let refused = error(&format!("{}?sslmode=require", database.url())).await;
    assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
}

async fn wait_until_alone(cluster: &TestCluster) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while cluster
        .sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'actor-server'")
        != "0"
    {
        assert!(Instant::now() < deadline, "connections stay open");
        tokio::task::yield_now().await;
    }
}

/// An authority (`ca.pem`) and a certificate that it has signed for `host` (`server.pem`, `server.key`).
fn certify(dir: &Path, host: &str) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(
        dir.join("leaf.cnf"),
        format!("subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n"),
    )
    .unwrap();
    let openssl = |args: &str| {
        let output = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=test-ca -days 2",
    );
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=server",
    );
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile leaf.cnf",
    );
}
