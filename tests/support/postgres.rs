//! PostgreSQL for tests: databases on the cluster that `scripts/with-postgres` starts, and clusters of a test's own.
//!
//! A test never skips for want of a server; it says how to get one.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::Instant;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own on the shared cluster; gone when dropped.
pub(crate) struct TestDatabase {
    cluster: String,
    name: String,
}

impl TestDatabase {
    /// Makes an empty one.
    pub(crate) fn create() -> Self {
        let cluster = variable("ACTOR_SERVER_TEST_POSTGRES");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        psql(&cluster, &format!("CREATE DATABASE {name}")).unwrap();
        Self { cluster, name }
    }

    /// A superuser's URL.
    pub(crate) fn url(&self) -> String {
        let (server, _) = self.cluster.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// The same for another user or password, `user:password` or `user`.
    pub(crate) fn url_as(&self, user: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, host) = rest.split_once('@').unwrap();
        format!("{scheme}://{user}@{host}")
    }

    /// Runs SQL; answers the rows, columns separated by `|`.
    pub(crate) fn sql(&self, sql: &str) -> String {
        psql(&self.url(), sql).unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A cluster that is gone has taken the database with it.
        drop(psql(&self.cluster, &sql));
    }
}

/// A cluster of a test's own, to be stopped and started at will; gone when dropped.
pub(crate) struct TestCluster {
    dir: TempDir,
    port: u16,
    server: Option<Child>,
}

impl TestCluster {
    /// Starts one.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// Starts one with further `name=value` settings; they may name files that `prepare` puts into the folder it is given.
    pub(crate) fn start_with(prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("actor-server-pg.")
            .tempdir()
            .unwrap();
        let settings = prepare(dir.path());
        own(dir.path());
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let mut cluster = Self {
            dir,
            port,
            server: None,
        };
        let mut initdb = unprivileged("initdb");
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        run(initdb.arg("-D").arg(cluster.data())).unwrap();
        let lines: String = settings.iter().map(|line| format!("{line}\n")).collect();
        let file = cluster.data().join("postgresql.auto.conf");
        fs::write(file, format!("fsync=off\n{lines}")).unwrap();
        cluster.start_again();
        cluster
    }

    /// Starts the server that was stopped, on the same port.
    pub(crate) fn start_again(&mut self) {
        let mut postgres = unprivileged("postgres");
        postgres
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.dir.path())
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.server = Some(postgres.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(30);
        while psql(&self.url(), "SELECT 1").is_err() {
            assert!(Instant::now() < deadline, "the server does not start");
            std::thread::yield_now();
        }
    }

    /// Kills the server as a crash would.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let pid = server.id().to_string();
            run(Command::new("kill").args(["-QUIT", &pid])).unwrap();
            server.wait().unwrap();
        }
    }

    /// A superuser's URL.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The server's port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The folder that the cluster lives in.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs SQL; answers the rows, columns separated by `|`.
    pub(crate) fn sql(&self, sql: &str) -> String {
        psql(&self.url(), sql).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs PostgreSQL; run `scripts/with-postgres cargo test …`")
    })
}

fn program(name: &str) -> PathBuf {
    Path::new(&variable("ACTOR_SERVER_TEST_POSTGRES_BIN")).join(name)
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let mut psql = Command::new(program("psql"));
    run(psql.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql, url]))
}

/// A program of the server, which refuses to run as root. It dies with the test, should that be killed.
fn unprivileged(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program(name));
    command
}

fn own(dir: &Path) {
    if is_root() {
        run(Command::new("chown").args(["-R", "postgres"]).arg(dir)).unwrap();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned())
    } else {
        let error = String::from_utf8_lossy(&output.stderr);
        Err(format!("{command:?}: {error}"))
    }
}
