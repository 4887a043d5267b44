//! What the server promises under load, measured on the real binary: `cargo bench --bench server`.
//!
//! Prints figures and judges nothing: a shared machine is no place for assertions about milliseconds. `BENCH_SECONDS`
//! (30) is how long each part is watched. With `DATABASE_URL` set to an empty PostgreSQL database, the lateness part
//! runs there too.
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
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Double,
};
use nix::{sys::signal, unistd::Pid};

fn main() {
    // `cargo test --benches` passes this; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let seconds = std::env::var("BENCH_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    lateness(1000, seconds);
    idle(10_000, seconds);
}

/// Start minus due of bots that all fire every second.
fn lateness(bots: usize, seconds: u64) {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), bots, "type = \"Interval\"\nseconds = 1");
    let (mut server, ready) = start(dir.path());
    std::thread::sleep(Duration::from_secs(seconds));
    let stop = stop(&mut server);
    let mut late = read_lateness(dir.path());
    // The first slot is the moment of registration, before the server was ready.
    let runs = late.len();
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late[((runs - 1) as f64 * share) as usize] * 1000.0;
    println!(
        "{bots} bots every second for {seconds} s: ready after {} ms, {runs} runs",
        ready.as_millis()
    );
    println!(
        "  start lateness: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("  stopped after {} ms", stop.as_millis());
}

/// Memory, processor, start and stop with bots that have nothing to do.
fn idle(bots: usize, seconds: u64) {
    let dir = tempfile::tempdir().unwrap();
    configure(
        dir.path(),
        bots,
        "type = \"Cron\"\nexpression = \"0 0 4 29 2 *\"\ntimezone = \"Europe/Berlin\"",
    );
    let (mut server, first) = start(dir.path());
    stop(&mut server);
    let (mut server, again) = start(dir.path());
    std::thread::sleep(Duration::from_secs(2));
    let before = processor_seconds(server.id());
    std::thread::sleep(Duration::from_secs(seconds));
    let used = processor_seconds(server.id()) - before;
    let memory = resident_mib(server.id());
    let stop = stop(&mut server);
    println!(
        "{bots} idle bots: first start {} ms, start with the bots stored {} ms",
        first.as_millis(),
        again.as_millis()
    );
    println!(
        "  resident {memory:.1} MiB, processor {:.2} % of a core",
        used / seconds as f64 * 100.0
    );
    println!("  stopped after {} ms", stop.as_millis());
}

fn configure(dir: &Path, bots: usize, schedule: &str) {
    let mut text = format!(
        "[server]\ndatabase_url = \"sqlite://{}\"\nmax_parallel_tasks = {bots}\n",
        dir.join("bench.db").display()
    );
    for n in 0..bots {
        write!(text, "[[actors]]\nname = \"bot{n}\"\nconfig_file = \"bot.toml\"\n[actors.schedule]\n{schedule}\n").unwrap();
    }
    fs::write(dir.join("server.toml"), text).unwrap();
    let bot = "[actor]\nname = \"Bench\"\ndescription = \"formats and posts\"\n\
        skills = [\"content_formatter\", \"content_posting\"]\n[skills.content_formatter]\ntemplate = \"at {{ slot }}\"\n";
    fs::write(dir.join("bot.toml"), bot).unwrap();
}

/// Starts the server and waits until it is ready.
fn start(dir: &Path) -> (Child, Duration) {
    let began = Instant::now();
    let mut server = Command::new(env!("CARGO_BIN_EXE_actor-server"))
        .arg("-c")
        .arg(dir.join("server.toml"))
        .env_remove("DATABASE_URL")
        .env("ACTOR_SERVER_API_ADDR", "127.0.0.1:0")
        .env("ACTOR_SERVER_HEALTH_ADDR", "127.0.0.1:0")
        .env("ACTOR_SERVER_METRICS_ADDR", "127.0.0.1:0")
        .stdout(File::create(dir.join("posts")).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let ready = log
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("ready"));
    assert!(ready, "the server ended before it was ready");
    let took = began.elapsed();
    std::thread::spawn(move || log.for_each(drop));
    (server, took)
}

fn stop(server: &mut Child) -> Duration {
    let began = Instant::now();
    signal::kill(
        Pid::from_raw(i32::try_from(server.id()).unwrap()),
        signal::SIGTERM,
    )
    .unwrap();
    assert!(server.wait().unwrap().success());
    began.elapsed()
}

#[derive(QueryableByName)]
struct Late {
    #[diesel(sql_type = Double)]
    seconds: f64,
}

fn read_lateness(dir: &Path) -> Vec<f64> {
    let mut store = SqliteConnection::establish(dir.join("bench.db").to_str().unwrap()).unwrap();
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
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}
