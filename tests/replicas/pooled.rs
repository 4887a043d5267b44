//! A proxy that gives each transaction another connection stands in between.
//!
//! They need the package `pgbouncer`.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    books::{Database, assert_each_once},
    postgres::TestDatabase,
    replica::{PATIENCE, Server, Site, eventually},
    sharing::{all_posts, crowd},
};

/// A pgbouncer in front of a database; gone when dropped.
struct Pooler {
    _dir: TempDir,
    port: u16,
    process: Child,
}

impl Pooler {
    /// Transactions share `connections`.
    fn start(database: &TestDatabase, connections: u32) -> Self {
        let dir = TempDir::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (file, users) = (
            dir.path().join("pgbouncer.ini"),
            dir.path().join("users.txt"),
        );
        let url = database.url();
        let (_, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let (host, server_port) = server.split_once(':').unwrap();
        let settings = format!(
            "[databases]\n{name} = host={host} port={server_port} dbname={name}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 200\nunix_socket_dir =\nlogfile =\n",
            users.display()
        );
        fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        fs::write(&file, settings).unwrap();
        let process = program(dir.path().to_owned(), file);
        eventually("pgbouncer listens", PATIENCE, || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            _dir: dir,
            port,
            process,
        }
    }

    /// The database's URL by way of the proxy.
    fn url(&self, database: &TestDatabase) -> String {
        let url = database.url();
        let (_, name) = url.rsplit_once('/').unwrap();
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// It refuses to run as root.
fn program(dir: PathBuf, file: PathBuf) -> Child {
    let mut command = Command::new("pgbouncer");
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        let chown = Command::new("chown")
            .args(["-R", "postgres"])
            .arg(dir)
            .status();
        assert!(chown.unwrap().success());
        command = Command::new("setpriv");
        command.args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "pgbouncer",
        ]);
    }
    let started = command
        .arg("-q")
        .arg(file)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.expect("this test needs the package pgbouncer")
}

#[test]
#[ignore = "needs the package pgbouncer: scripts/test --full"]
fn processes_behind_a_transaction_pooling_proxy_work_as_without() {
    let database = TestDatabase::create();
    let pooler = Pooler::start(&database, 4);
    let site = Site::new(pooler.url(&database), &crowd(20, "chatty"));
    let mut servers: Vec<Server> = (0..3).map(|_| site.start()).collect();
    servers.iter_mut().for_each(Server::wait_until_ready);
    let runs = "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded'";
    eventually("runs", PATIENCE, || {
        (database.number(runs) > 150).then_some(())
    });
    servers[0].kill();
    let id = servers[0].id();
    let left = format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND replica = '{id}'"
    );
    eventually("the dead one's rows are closed", PATIENCE, || {
        (database.number(&left) == 0).then_some(())
    });
    let wanted = database.number(runs) + 100;
    eventually("more runs", PATIENCE, || {
        (database.number(runs) > wanted).then_some(())
    });
    servers[1..].iter_mut().for_each(Server::stop);
    for server in &servers {
        let log = server.log();
        assert!(!log.contains("prepared statement"), "{log}");
        assert!(!log.contains("ERROR"), "{log}");
    }
    database.assert_complete(1);
    database.assert_nothing_running();
    // What the one that was killed printed without marking it, another one prints again.
    assert_each_once(all_posts(&servers[1..]));
}
