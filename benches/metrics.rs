//! What the metrics cost, measured on the real binary: `cargo bench --bench metrics`.
//!
//! How long a scrape of about 10,000 series takes while a thousand bots run every second, how late those start meanwhile,
//! and how much processor time the process takes with metrics on and off. Prints figures and judges nothing: a shared
//! machine is no place for assertions about milliseconds. `BENCH_SECONDS` (20) is how long each server is watched.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, run by hand"
)]

use std::{
    fmt::Write as _,
    fs::{self, File},
    hint::black_box,
    io::{BufRead, BufReader, Read, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actor_server::telemetry::metrics::{Metrics, Picture};
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Double,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Bots that run every second; and bots with a channel each that never do, so that there are series enough.
const BUSY: usize = 1_000;
const QUIET: usize = 400;
const SCRAPES: usize = 500;

fn main() {
    // `cargo test --benches` passes this; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let seconds = std::env::var("BENCH_SECONDS");
    let seconds = seconds.ok().and_then(|text| text.parse().ok());
    let seconds = Duration::from_secs(seconds.unwrap_or(20));
    // The last part alone, again and again, is how to see a figure that is smaller than the noise.
    if std::env::var("BENCH_PART").is_ok_and(|part| part == "overhead") {
        return overhead(seconds);
    }
    counting();
    scraping(false);
    scraping(true);
    overhead(seconds);
}

/// What one run costs those who count it.
fn counting() {
    const RUNS: u32 = 1_000_000;
    let metrics = Metrics::default();
    let names: Vec<String> = (0..BUSY).map(|n| format!("bot{n}")).collect();
    metrics.bots.configure(names.iter().map(String::as_str));
    let began = Instant::now();
    for name in names.iter().cycle().take(RUNS as usize) {
        let bot = metrics.bots.of(black_box(name));
        bot.run("success");
        bot.slots("succeeded", 1);
        let bot = metrics.bots.of(black_box(name));
        bot.took(0.02);
        bot.skills("succeeded", 2);
        metrics.scheduling.lateness.observe(0.01);
    }
    println!("counting a run takes {:?}", began.elapsed() / RUNS);
    let began = Instant::now();
    let length = metrics.render(&Picture::default()).len();
    let took = began.elapsed();
    println!("  writing their counters out takes {took:?} ({length} bytes)");
}

/// Scrapes one after another, while everything runs.
fn scraping(gzip: bool) {
    let server = Server::start(true);
    std::thread::sleep(Duration::from_secs(5));
    let mut took: Vec<Duration> = Vec::new();
    let (mut length, mut series) = (0, 0);
    for _ in 0..SCRAPES {
        let began = Instant::now();
        let answer = server.scrape(gzip);
        took.push(began.elapsed());
        let lines = answer.split(|byte| *byte == b'\n');
        (length, series) = (
            answer.len(),
            lines
                .filter(|line| line.starts_with(b"botticelli_"))
                .count(),
        );
        std::thread::sleep(Duration::from_millis(20).saturating_sub(began.elapsed()));
    }
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let plain = if gzip {
        "with gzip".to_owned()
    } else {
        format!("{series} series")
    };
    println!("{SCRAPES} scrapes, {plain}, {length} bytes, {BUSY} runs a second:");
    println!(
        "  p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("  {}", server.stop());
}

/// How often the server is run with metrics, and without.
const ROUNDS: usize = 5;

/// Processor time with metrics and without, in turns, so that what else the machine does concerns both.
fn overhead(seconds: Duration) {
    let mut used = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let order = if round % 2 == 0 {
            [true, false]
        } else {
            [false, true]
        };
        for on in order {
            let server = Server::start(on);
            std::thread::sleep(Duration::from_secs(3));
            let before = processor_seconds(server.child.id());
            let end = Instant::now() + seconds;
            while Instant::now() < end {
                // As often as Prometheus does.
                if on {
                    server.scrape(true);
                }
                let left = end.saturating_duration_since(Instant::now());
                std::thread::sleep(left.min(Duration::from_secs(15)));
            }
            let spent = processor_seconds(server.child.id()) - before;
            let percent = spent / seconds.as_secs_f64() * 100.0;
            used[usize::from(on)].push(percent);
            let (word, late) = (if on { "on" } else { "off" }, server.stop());
            println!("metrics {word}: {percent:.2} % of a core, {late}");
        }
    }
    let [off, on] = used.map(median);
    println!(
        "processor, medians: {on:.2} % of a core with metrics, {off:.2} % without: {:+.2} points",
        on - off
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Server {
    child: Child,
    metrics: String,
    dir: tempfile::TempDir,
}

impl Server {
    fn start(metrics: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        configure(dir.path());
        let mut child = Command::new(env!("CARGO_BIN_EXE_actor-server"))
            .args(["-c", "server.toml"])
            .current_dir(dir.path())
            .env_clear()
            .env("DISCORD_TOKEN", "none")
            .env("ENABLE_METRICS", if metrics { "1" } else { "0" })
            .stdout(File::create(dir.path().join("posts")).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut metrics = String::new();
        for line in log.by_ref().map_while(Result::ok) {
            if line.contains("listener=\"metrics\"") {
                let (_, address) = line.split_once("address=").unwrap();
                metrics = address.trim().to_owned();
            }
            if line.contains(" ready ") {
                break;
            }
        }
        std::thread::spawn(move || log.for_each(drop));
        Self {
            child,
            metrics,
            dir,
        }
    }

    /// The whole answer, head included.
    fn scrape(&self, gzip: bool) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        let encoding = if gzip { "gzip" } else { "identity" };
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::with_capacity(1 << 20);
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        answer
    }

    /// Stops; says how late runs started.
    fn stop(mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut late = read_lateness(&self.dir.path().join("bots.db"));
        late.sort_by(f64::total_cmp);
        let runs = late.len();
        let at = |share: f64| late[((runs - 1) as f64 * share) as usize] * 1000.0;
        format!(
            "{runs} runs, start lateness p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        )
    }
}

fn configure(dir: &Path) {
    let mut text = format!(
        "[server]\ndatabase_url = \"sqlite://bots.db\"\nmax_parallel_tasks = {BUSY}\n[metrics]\nmax_actor_labels = 10000\n\
         [http]\napi = \"127.0.0.1:0\"\nhealth = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n"
    );
    for n in 0..BUSY {
        let _ = write!(
            text,
            "[[actors]]\nname = \"busy_{n}\"\nconfig_file = \"bot.toml\"\n[actors.schedule]\ntype = \"Interval\"\nseconds = 1\n"
        );
    }
    for n in 0..QUIET {
        let _ = write!(
            text,
            "[[actors]]\nname = \"quiet_{n}\"\nchannel_id = \"{}\"\nconfig_file = \"bot.toml\"\n[actors.schedule]\ntype = \"Once\"\nat = \"2096-01-01T00:00:00Z\"\n",
            n + 1
        );
    }
    fs::write(dir.join("server.toml"), text).unwrap();
    let bot = "[actor]\nname = \"Bench\"\nskills = [\"content_formatter\", \"content_posting\"]\n\
        [skills.content_formatter]\ntemplate = \"at {{ slot }}\"\n";
    fs::write(dir.join("bot.toml"), bot).unwrap();
}

#[derive(QueryableByName)]
struct Late {
    #[diesel(sql_type = Double)]
    seconds: f64,
}

/// The first slot is the moment of registration, before the server was ready.
fn read_lateness(database: &Path) -> Vec<f64> {
    let mut store = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    let rows: Vec<Late> = sql_query(
        "SELECT (julianday(started_at) - julianday(scheduled_for)) * 86400.0 AS seconds FROM actor_server_executions e \
         WHERE started_at IS NOT NULL AND scheduled_for > (SELECT anchor FROM actor_server_state s WHERE s.task_id = e.task_id)",
    )
    .load(&mut store)
    .unwrap();
    rows.into_iter().map(|row| row.seconds).collect()
}

fn processor_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let behind = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
