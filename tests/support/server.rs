//! The real binary in a folder of its own, on SQLite: started, signalled, killed, and started again.
//!
//! Its output goes to files in that folder, over all its lives, so that a kill loses none of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test's tool: each test uses a part of it, a failure here is a failed test, and its clock is the real one"
)]

use std::{
    cell::RefCell,
    fs::{self, File, OpenOptions},
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use super::ledger::Ledger;

/// How long anything may take: far longer than it does on an idle machine.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// How often an assertion is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// Tries `found` until it finds something; `None` after the deadline.
pub fn retry<T>(deadline: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = found() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(AGAIN);
    }
}

/// The listeners, and what sets their addresses.
pub const LISTENERS: [(&str, &str); 3] = [
    ("api", "ACTOR_SERVER_API_ADDR"),
    ("health", "ACTOR_SERVER_HEALTH_ADDR"),
    ("metrics", "ACTOR_SERVER_METRICS_ADDR"),
];

/// A folder with a configuration, a database and the output of every process that ran there.
pub struct Home {
    dir: TempDir,
    variables: RefCell<Vec<(String, String)>>,
}

impl Home {
    /// With this server file; bot files `post.toml` and `broken.toml` lie beside it.
    pub fn new(server_file: &str) -> Self {
        let home = Self {
            dir: tempfile::tempdir().unwrap(),
            variables: RefCell::default(),
        };
        home.write("post.toml", POST);
        home.write("broken.toml", BROKEN);
        home.write("quiet.toml", QUIET);
        home.configure(server_file);
        home
    }

    /// Replaces the server file.
    pub fn configure(&self, server_file: &str) {
        self.write("server.toml", server_file);
    }

    /// Every later process has this variable too.
    pub fn set(&self, name: &str, value: &str) {
        self.variables
            .borrow_mut()
            .push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A place in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the tables say now.
    pub fn ledger(&self) -> Ledger {
        Ledger::read(&self.path("bots.db"))
    }

    /// Changes a table while no server runs.
    pub fn sql(&self, statement: &str) {
        Ledger::execute(&self.path("bots.db"), statement);
    }

    /// The command, ready to run in this folder; nothing of the test's own environment reaches it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_actor-server"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("DATABASE_URL", "sqlite://bots.db")
            .env("ACTOR_SERVER_CONFIG", "server.toml")
            // Many servers run side by side: each listens on ports of its own.
            .envs(LISTENERS.map(|(_, variable)| (variable, "127.0.0.1:0")))
            .envs(self.variables.borrow().iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts the server and waits until it is ready.
    pub fn start(&self) -> Server<'_> {
        self.start_with(&[])
    }

    /// Starts it with these failpoints and waits until it is ready.
    pub fn start_failing(&self, failpoints: &str) -> Server<'_> {
        self.start_with(&[("FAILPOINTS", failpoints)])
    }

    /// Starts it with these variables and waits until it is ready.
    pub fn start_with(&self, variables: &[(&str, &str)]) -> Server<'_> {
        let server = self.launch(variables);
        server.wait_for_log("ready");
        server
    }

    /// Starts it, ready or not.
    pub fn launch(&self, variables: &[(&str, &str)]) -> Server<'_> {
        let mut command = self.command(&["run"]);
        command.envs(variables.iter().copied());
        self.spawn(command)
    }

    /// Starts any command of this folder as the server.
    pub fn spawn(&self, command: Command) -> Server<'_> {
        self.spawn_with(command, None, None)
    }

    /// The same, with output that goes elsewhere than to the folder's files.
    pub fn spawn_with(
        &self,
        mut command: Command,
        stdout: Option<Stdio>,
        stderr: Option<Stdio>,
    ) -> Server<'_> {
        let (out, err) = (self.path("stdout"), self.path("stderr"));
        let since = (length(&out), length(&err));
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout.unwrap_or_else(|| append(&out).into()))
            .stderr(stderr.unwrap_or_else(|| append(&err).into()))
            .spawn()
            .unwrap();
        Server {
            home: self,
            child,
            since,
        }
    }

    /// Everything that any server of this folder printed.
    pub fn stdout(&self) -> String {
        text(&self.path("stdout"), 0)
    }

    /// Everything that any server of this folder logged.
    pub fn stderr(&self) -> String {
        text(&self.path("stderr"), 0)
    }

    /// What the console has of one bot, in order.
    pub fn posted(&self, bot: &str) -> Vec<String> {
        let mark = format!("{bot}: ");
        let all = self.stdout();
        all.lines()
            .filter_map(|line| line.strip_prefix(&mark))
            .map(str::to_owned)
            .collect()
    }
}

/// A process of the binary; killed when dropped.
pub struct Server<'a> {
    home: &'a Home,
    child: Child,
    /// Where its output begins.
    since: (u64, u64),
}

impl Server<'_> {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the tables are as wanted, and returns them.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Ledger) -> bool) -> Ledger {
        self.wait_longer_for(DEADLINE, what, wanted)
    }

    /// The same with a deadline of its own.
    pub fn wait_longer_for(
        &self,
        deadline: Duration,
        what: &str,
        wanted: impl Fn(&Ledger) -> bool,
    ) -> Ledger {
        let found = retry(deadline, || Some(self.home.ledger()).filter(&wanted));
        found.unwrap_or_else(|| panic!("not in time: {what}\n{}", self.story()))
    }

    /// Waits until this process has logged a line with `part` in it.
    pub fn wait_for_log(&self, part: &str) -> String {
        let found = retry(DEADLINE, || {
            let log = self.stderr();
            let line = log.lines().find(|line| line.contains(part));
            line.map(str::to_owned)
        });
        found.unwrap_or_else(|| panic!("not logged in time: {part}\n{}", self.story()))
    }

    /// Where a listener (`api`, `health`, `metrics`) can be reached, once it is bound.
    pub fn address(&self, listener: &str) -> SocketAddr {
        let line = self.wait_for_log(&format!("listener=\"{listener}\""));
        let (_, address) = line.split_once("address=").unwrap();
        let address = address.split_whitespace().next().unwrap();
        address.parse().unwrap()
    }

    /// What this process logged.
    pub fn stderr(&self) -> String {
        text(&self.home.path("stderr"), self.since.1)
    }

    /// What this process printed.
    pub fn stdout(&self) -> String {
        text(&self.home.path("stdout"), self.since.0)
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, and says how long that took.
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let ended = retry(DEADLINE, || self.child.try_wait().unwrap());
        let status = ended.unwrap_or_else(|| panic!("it did not end\n{}", self.story()));
        (status, begun.elapsed())
    }

    /// Asks it to stop, and checks that it ends well.
    pub fn stop(mut self) -> Duration {
        self.signal(Signal::SIGTERM);
        let (status, took) = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.story());
        took
    }

    /// All that is known, for a failed test.
    pub fn story(&self) -> String {
        let log = self.home.stderr();
        let shown = log.len().saturating_sub(12_000);
        let log: String = log.chars().skip(shown).collect();
        format!("--- tables\n{}\n--- log\n{log}", self.home.ledger())
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

fn text(path: &Path, from: u64) -> String {
    use std::io::{Seek, SeekFrom};
    let Ok(mut file) = File::open(path) else {
        return String::new();
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Posts one line that names the slot.
const POST: &str = r#"
[actor]
name = "Poster"
skills = ["content_formatter", "content_posting"]
[skills.content_formatter]
template = "at {{ slot }}"
"#;

/// Fails in every attempt, for a reason that no retry changes.
const BROKEN: &str = r#"
[actor]
name = "Broken"
skills = ["content_formatter", "content_posting"]
[skills.content_formatter]
template = "{{ event.nobody.has.this }}"
"#;

/// Runs and posts nothing.
const QUIET: &str = r#"
[actor]
name = "Quiet"
skills = ["content_formatter"]
[skills.content_formatter]
template = "unseen"
"#;
