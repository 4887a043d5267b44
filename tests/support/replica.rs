//! The real binary as a test's own process: configured in a temporary folder, started, frozen, killed, stopped.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a test waits for what should come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Asks again until there is an answer; fails the test when `patience` is over.
pub(crate) fn eventually<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// Lets a fault last. Nothing is waited for: how long it lasts is what is tested.
pub(crate) fn let_last(time: Duration) {
    std::thread::sleep(time);
}

/// A bot of a server file.
pub(crate) struct BotEntry {
    pub(crate) name: String,
    /// Without its ending: `quiet`, `chatty` or `failing`.
    pub(crate) file: &'static str,
    /// The lines of `[actors.schedule]`.
    pub(crate) schedule: String,
    /// Further lines of `[[actors]]`.
    pub(crate) more: String,
}

impl BotEntry {
    /// A bot that does something every so many seconds.
    pub(crate) fn every(seconds: u32, name: impl Into<String>, file: &'static str) -> Self {
        Self {
            name: name.into(),
            file,
            schedule: format!("type = \"Interval\"\nseconds = {seconds}"),
            more: String::new(),
        }
    }

    pub(crate) fn with(mut self, more: &str) -> Self {
        self.more.push_str(more);
        self.more.push('\n');
        self
    }

    pub(crate) fn on(mut self, schedule: &str) -> Self {
        schedule.clone_into(&mut self.schedule);
        self
    }
}

/// What bots do: say nothing, post a line that names bot and slot, fail.
const FILES: [(&str, &str); 3] = [
    (
        "quiet",
        "[actor]\nname = \"Quiet\"\nskills = [\"content_formatter\"]\n[skills.content_formatter]\ntemplate = \"{{ slot }}\"\n",
    ),
    (
        "chatty",
        "[actor]\nname = \"Chatty\"\nskills = [\"content_formatter\", \"content_posting\"]\n[skills.content_formatter]\ntemplate = \"{{ bot.name }} {{ slot }}\"\n",
    ),
    (
        "failing",
        "[actor]\nname = \"Failing\"\nskills = [\"content_formatter\"]\n[skills.content_formatter]\ntemplate = \"{{ content.body }}\"\n",
    ),
];

/// A folder with a server file and bot files; any number of processes may be started from it.
pub(crate) struct Site {
    dir: Arc<TempDir>,
    url: String,
    started: AtomicU32,
    /// Lines of `[server]`.
    pub(crate) server: String,
    /// Further sections.
    pub(crate) sections: String,
}

impl Site {
    /// A server on the database at `url`.
    pub(crate) fn new(url: impl Into<String>, bots: &[BotEntry]) -> Self {
        let site = Self {
            dir: Arc::new(TempDir::new().unwrap()),
            url: url.into(),
            started: AtomicU32::new(0),
            server: "max_parallel_tasks = 64\nshutdown_grace_seconds = 10".into(),
            sections: String::new(),
        };
        for (name, text) in FILES {
            fs::write(site.dir.path().join(format!("{name}.toml")), text).unwrap();
        }
        site.configure(bots);
        site
    }

    /// Writes the server file anew; running processes go on with the old one.
    pub(crate) fn configure(&self, bots: &[BotEntry]) {
        let mut text = format!("[server]\n{}\n{}\n", self.server, self.sections);
        for bot in bots {
            let BotEntry {
                name,
                file,
                schedule,
                more,
            } = bot;
            writeln!(text, "[[actors]]\nname = \"{name}\"\nconfig_file = \"{file}.toml\"\n{more}[actors.schedule]\n{schedule}")
                .unwrap();
        }
        fs::write(self.file(), text).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("server.toml")
    }

    /// Starts a process; it may take a while until it is ready.
    pub(crate) fn start(&self) -> Server {
        self.start_with(&[])
    }

    /// The same with further environment.
    pub(crate) fn start_with(&self, environment: &[(&str, &str)]) -> Server {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let path = |name: &str| self.dir.path().join(format!("{name}-{number}"));
        let (stdout, stderr) = (path("posts"), path("log"));
        let child = Command::new(env!("CARGO_BIN_EXE_actor-server"))
            .arg("--config")
            .arg(self.file())
            .current_dir(self.dir.path())
            .env_remove("DATABASE_URL")
            .env_remove("FAILPOINTS")
            .env("DATABASE_URL", &self.url)
            // Many servers run side by side: each listens on ports of its own.
            .env("ACTOR_SERVER_API_ADDR", "127.0.0.1:0")
            .env("ACTOR_SERVER_HEALTH_ADDR", "127.0.0.1:0")
            .env("ACTOR_SERVER_METRICS_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "info")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Server {
            _dir: Arc::clone(&self.dir),
            child,
            stdout,
            stderr,
        }
    }

    /// Starts a process and waits until it is ready.
    pub(crate) fn ready(&self) -> Server {
        self.ready_with(&[])
    }

    /// The same with further environment.
    pub(crate) fn ready_with(&self, environment: &[(&str, &str)]) -> Server {
        let mut server = self.start_with(environment);
        server.wait_until_ready();
        server
    }
}

/// A running process; killed when dropped.
pub(crate) struct Server {
    /// Its files live as long as it does.
    _dir: Arc<TempDir>,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Server {
    pub(crate) fn wait_until_ready(&mut self) {
        self.wait_for_log(" ready bots=");
    }

    /// Waits until the log has said `text`.
    pub(crate) fn wait_for_log(&mut self, text: &str) {
        eventually(&format!("the log says {text:?}"), PATIENCE, || {
            let log = self.log();
            assert!(self.is_alive(), "the process has ended:\n{log}");
            log.contains(text).then_some(())
        });
    }

    /// The id that this process has in the database.
    pub(crate) fn id(&self) -> String {
        let log = self.log();
        let (_, id) = log.split_once("replica=").unwrap();
        id.split_whitespace().next().unwrap().to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// What its bots have posted to the console so far, a line each.
    pub(crate) fn posts(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// CPU time used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let fields: Vec<u64> = rest
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        // Without pid, name and state: user and system time are the 11th and 12th, in 1/100 s.
        Duration::from_millis((fields[10] + fields[11]) * 10)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Dies as by a power cut.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually("the process ends", PATIENCE, || {
            self.child.try_wait().unwrap()
        })
    }

    /// Stops it as an operator does; it must end with code 0.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_alive() {
            self.kill();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.iter().rev().take(40).rev();
            eprintln!("--- the last lines of {}", self.stderr.display());
            tail.for_each(|line| eprintln!("{line}"));
        }
    }
}
