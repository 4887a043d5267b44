//! What a request costs, measured with `wrk` against a bare actix-web route in the same run: `cargo bench --bench http`.
//!
//! Prints figures and judges nothing: a shared machine is no place for assertions about milliseconds. `BENCH_SECONDS`
//! (10) is how long each route is asked.
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
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use actix_web::{App, HttpResponse, HttpServer, rt::System, web};

/// Open connections.
const CONNECTIONS: &str = "32";

fn main() {
    // `cargo test --benches` passes this; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("wrk is missing: apt-get install wrk");
        return;
    }
    let bare = ask("a bare route", &bare_route(), None);
    quiet(bare);
    busy();
}

/// A server with 20 bots that do nothing now.
fn quiet(bare: f64) {
    let server = Server::start(20, 3600);
    for (what, listener, path) in [
        ("probe, health listener", "health", "/health/live"),
        ("probe, api listener", "api", "/health/live"),
        ("readiness, api listener", "api", "/health/ready"),
        ("20 bots", "api", "/api/v1/actors"),
    ] {
        ask(what, &server.url(listener, path), Some(bare));
    }
}

/// A server that runs a hundred bots every second.
fn busy() {
    let server = Server::start(100, 1);
    for (what, listener, path) in [
        ("probe, 100 runs a second", "health", "/health/live"),
        ("100 bots, 100 runs a second", "api", "/api/v1/actors"),
    ] {
        ask(what, &server.url(listener, path), None);
    }
}

/// What any actix-web program could do: an answer of the same size, and nothing else.
fn bare_route() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let body = r#"{"status":"ok","timestamp":"2026-01-01T00:00:00.000000Z"}"#;
    std::thread::spawn(move || {
        System::new().block_on(async move {
            let answer = move || async move {
                let mut answer = HttpResponse::Ok();
                answer.content_type("application/json").body(body)
            };
            let app = move || App::new().route("/", web::get().to(answer));
            let server = HttpServer::new(app).listen(listener).unwrap();
            server.run().await.unwrap();
        });
    });
    url
}

/// Asks as fast as it goes; requests per second.
fn ask(what: &str, url: &str, bare: Option<f64>) -> f64 {
    let seconds = std::env::var("BENCH_SECONDS").unwrap_or("10".into());
    let mut wrk = Command::new("wrk");
    wrk.args(["-t2", "-c", CONNECTIONS, "--latency", "-d", &seconds, url]);
    let said = String::from_utf8(wrk.output().unwrap().stdout).unwrap();
    let after = |name: &str| {
        let line = said.lines().find(|line| line.trim().starts_with(name));
        line.and_then(|line| line.split_whitespace().last())
            .unwrap_or("?")
    };
    let rate: f64 = after("Requests/sec:").parse().unwrap_or_default();
    let share = bare.map_or(String::new(), |bare| {
        format!(", {:.2} of the bare route", rate / bare)
    });
    let bad = match said.contains("Non-2xx") {
        true => " (not all answers were good)",
        false => "",
    };
    println!(
        "{what}: {rate:.0} requests/s{share}, p99 {}{bad}",
        after("99%")
    );
    rate
}

/// The real binary; ended when dropped.
struct Server {
    child: Child,
    addresses: Vec<(String, String)>,
    _dir: tempfile::TempDir,
}

impl Server {
    /// With so many bots, each with a slot every so many seconds.
    fn start(bots: usize, seconds: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        configure(dir.path(), bots, seconds);
        let mut child = Command::new(env!("CARGO_BIN_EXE_actor-server"))
            .args(["-c", "server.toml"])
            .current_dir(dir.path())
            .env_remove("DATABASE_URL")
            .env("RUST_LOG", "actor_server=info")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut addresses = Vec::new();
        for line in lines.by_ref().map(Result::unwrap) {
            if let Some((_, rest)) = line.split_once("listener=\"") {
                let (name, rest) = rest.split_once('"').unwrap();
                let address = rest.split_once("address=").unwrap().1;
                addresses.push((name.to_owned(), address.to_owned()));
            }
            if line.contains(" ready ") {
                break;
            }
        }
        // What is logged later is read and forgotten, so that the pipe never fills.
        std::thread::spawn(move || lines.count());
        Self {
            child,
            addresses,
            _dir: dir,
        }
    }

    fn url(&self, listener: &str, path: &str) -> String {
        let found = self.addresses.iter().find(|(name, _)| name == listener);
        format!("http://{}{path}", found.unwrap().1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configure(dir: &Path, bots: usize, seconds: u32) {
    let mut text =
        "[server]\ndatabase_url = \"sqlite://bots.db\"\nmax_parallel_tasks = 64\n[http]\n\
        api = \"127.0.0.1:0\"\nhealth = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n"
            .to_owned();
    for n in 0..bots {
        let _ = writeln!(
            text,
            "[[actors]]\nname = \"bot_{n}\"\nconfig_file = \"bot.toml\"\n[actors.schedule]\ntype = \"Interval\"\nseconds = {seconds}"
        );
    }
    fs::write(dir.join("server.toml"), text).unwrap();
    let bot = "[actor]\nname = \"Bot\"\nskills = [\"content_formatter\"]\n[skills.content_formatter]\ntemplate = \"x\"\n";
    fs::write(dir.join("bot.toml"), bot).unwrap();
}
