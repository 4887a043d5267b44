//! An HTTP server on a port of its own that takes down what it is sent and answers as it is told, down to the bytes:
//! webhooks, PagerDuty and dead-man services are stood in for by it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's tool: each test uses a part of it, and a failure here is a failed test"
)]

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use serde_json::Value;

/// How one request is met.
#[derive(Clone, Debug)]
pub(crate) enum Meet {
    /// A whole answer: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// These bytes and nothing else; then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is closed without an answer.
    Cut,
    /// Nothing is ever answered.
    Hang,
    /// The answer begins with this status, and its body never ends: nothing more comes.
    Stall(u16),
    /// The answer has this status and a body without an end, as fast as it is taken.
    Flood(u16),
}

impl Meet {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub(crate) fn says(status: u16, body: impl ToString) -> Self {
        Self::Answer(status, Vec::new(), body.to_string())
    }

    pub(crate) fn with(status: u16, name: &'static str, value: impl ToString) -> Self {
        Self::Answer(status, vec![(name, value.to_string())], String::new())
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Such as `POST /hook?a=b`.
    pub(crate) line: String,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Memory {
    script: VecDeque<Meet>,
    /// What requests meet when the script is empty; 200 without it.
    otherwise: Option<Meet>,
    taken: Vec<Taken>,
    open: usize,
}

#[derive(Default)]
struct Shared {
    memory: Mutex<Memory>,
    changed: Condvar,
}

/// The server; its threads end with the connections and the process.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::<Shared>::default());
        let receiver = Self {
            address,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.change(|memory| memory.open += 1);
                    serve(&connection, &shared);
                    drop(connection.shutdown(Shutdown::Both));
                    shared.change(|memory| memory.open -= 1);
                });
            }
        });
        receiver
    }

    /// One that meets every request so.
    pub(crate) fn that(meet: Meet) -> Self {
        let receiver = Self::start();
        receiver.otherwise(meet);
        receiver
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next requests meet these, one each.
    pub(crate) fn script(&self, meets: impl IntoIterator<Item = Meet>) {
        self.shared.change(|memory| memory.script.extend(meets));
    }

    /// Once the script is empty, every request meets this.
    pub(crate) fn otherwise(&self, meet: Meet) {
        self.shared.change(|memory| memory.otherwise = Some(meet));
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.shared.lock().taken.clone()
    }

    /// The only request.
    pub(crate) fn only(&self) -> Taken {
        let taken = self.taken();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken[0].clone()
    }

    /// Blocks until there were so many requests; fails the test after `deadline`.
    pub(crate) fn wait_for(&self, count: usize, deadline: Duration) -> Vec<Taken> {
        let memory = self.wait(deadline, |memory| memory.taken.len() >= count);
        memory.taken.clone()
    }

    /// Blocks until no connection is open; fails the test after `deadline`. Connections are closed by tasks, so that the
    /// runtime needs another thread for them.
    pub(crate) fn wait_until_alone(&self, deadline: Duration) {
        drop(self.wait(deadline, |memory| memory.open == 0));
    }

    fn wait(&self, deadline: Duration, done: impl Fn(&Memory) -> bool) -> MutexGuard<'_, Memory> {
        let (memory, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), deadline, |memory| !done(memory))
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "{} requests and {} open connections after {deadline:?}: {:?}",
            memory.taken.len(),
            memory.open,
            memory.taken.iter().map(|one| &one.line).collect::<Vec<_>>()
        );
        memory
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Takes the request down and says how it is to be met.
    fn receive(&self, taken: Taken) -> Meet {
        let mut memory = self.lock();
        memory.taken.push(taken);
        let scripted = memory.script.pop_front();
        let meet = scripted.or_else(|| memory.otherwise.clone());
        self.changed.notify_all();
        meet.unwrap_or_else(|| Meet::status(200))
    }
}

/// Until the client closes the connection, or it is closed here.
fn serve(connection: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(connection);
    while let Some(taken) = read(&mut reader) {
        let went_on = match shared.receive(taken) {
            Meet::Answer(status, headers, body) => answer(connection, status, &headers, &body),
            Meet::Raw(bytes) => raw(connection, &bytes),
            Meet::Cut => false,
            Meet::Hang => wait(&mut reader),
            Meet::Stall(status) => begin(connection, status) && wait(&mut reader),
            Meet::Flood(status) => begin(connection, status) && flood(connection),
        };
        if !went_on {
            break;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Taken> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Taken {
        line,
        headers,
        body,
    })
}

fn answer(
    mut connection: &TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
    body: &str,
) -> bool {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    let text = format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    connection.write_all(text.as_bytes()).is_ok()
}

fn begin(mut connection: &TcpStream, status: u16) -> bool {
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: 1000000000000\r\n\r\nso");
    connection.write_all(head.as_bytes()).is_ok()
}

fn raw(mut connection: &TcpStream, bytes: &[u8]) -> bool {
    drop(connection.write_all(bytes));
    false
}

fn flood(mut connection: &TcpStream) -> bool {
    let chunk = [b'x'; 1 << 16];
    while connection.write_all(&chunk).is_ok() {}
    false
}

/// Until the client has had enough.
fn wait(reader: &mut BufReader<&TcpStream>) -> bool {
    drop(reader.read_to_end(&mut Vec::new()));
    false
}
