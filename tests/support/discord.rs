//! A fake of Discord's REST API on a port of its own: it stores messages, enforces nonces, and fails as it is told.
//!
//! Runs on its own thread, so that a test may stop its clock or block without stopping the fake.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's tool: each test uses a part of it, and a failure here is a failed test"
)]

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::pending,
    net::TcpListener,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer,
    dev::ServerHandle,
    http::StatusCode,
    rt::System,
    web::{Bytes, Data, Path, PayloadConfig, post},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

/// The token that the fake accepts.
pub const TOKEN: &str = "test-token.with-a-secret";

/// How the fake meets one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Stores the message and answers with it. What an empty script does.
    Store,
    /// Stores the message; the answer carries these headers.
    StoreWith(Vec<(&'static str, String)>),
    /// Stores the message, but answers with this.
    StoreAndAnswer(u16, String),
    /// Stores nothing and answers with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Stores nothing and never answers.
    Hang,
    /// Closes the connection before anything is stored.
    CutBefore,
    /// Stores the message, then closes the connection without an answer.
    CutAfter,
    /// Stores the message, sends half an answer, and no more.
    SlowBody,
    /// Stores the message and sends an answer that does not end.
    GiantBody,
}

impl Reply {
    /// A 429 with Discord's headers and body.
    pub fn rate_limited(seconds: f64, global: bool) -> Self {
        let scope = if global { "global" } else { "user" };
        let mut headers = vec![
            ("Retry-After", seconds.to_string()),
            ("X-RateLimit-Scope", scope.to_owned()),
        ];
        if global {
            headers.push(("X-RateLimit-Global", "true".to_owned()));
        }
        let body = json!({ "message": "You are being rate limited.", "retry_after": seconds, "global": global });
        Self::Answer(429, headers, body.to_string())
    }

    /// An error with Discord's body.
    pub fn error(status: u16, code: u32, message: &str) -> Self {
        let body = json!({ "message": message, "code": code });
        Self::Answer(status, Vec::new(), body.to_string())
    }

    /// What a proxy in front of Discord says when Discord is away.
    pub fn bad_gateway() -> Self {
        let body = "<html><head><title>502 Bad Gateway</title></head></html>";
        let headers = vec![("Content-Type", "text/html".to_owned())];
        Self::Answer(502, headers, body.to_owned())
    }
}

/// One message in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub id: String,
    pub channel: u64,
    /// The request's JSON.
    pub payload: Value,
}

impl Stored {
    pub fn content(&self) -> &str {
        self.payload["content"].as_str().unwrap_or_default()
    }
}

/// One request, whatever became of it.
#[derive(Clone, Debug)]
pub struct Received {
    pub channel: u64,
    pub user_agent: String,
    /// What the sender says of its trace.
    pub traceparent: String,
    pub tracestate: String,
    pub payload: Value,
}

#[derive(Default)]
struct Memory {
    messages: Vec<Stored>,
    requests: Vec<Received>,
    script: VecDeque<Reply>,
    /// What requests meet when the script is empty.
    otherwise: Option<Reply>,
    /// What requests for a channel meet, before all else.
    channels: HashMap<u64, Reply>,
}

#[derive(Default)]
struct Shared {
    memory: Mutex<Memory>,
    changed: Condvar,
}

/// The running fake; stops when dropped.
pub struct FakeDiscord {
    url: String,
    shared: Arc<Shared>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl FakeDiscord {
    /// Starts on a free port of 127.0.0.1.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let (tell, told) = std::sync::mpsc::channel();
        let data = Data::from(Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(data.clone())
                        .app_data(PayloadConfig::new(1 << 20))
                        .route("/api/v10/channels/{channel}/messages", post().to(create))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                    .unwrap()
                    .run();
                tell.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            url,
            shared,
            handle: told.recv().unwrap(),
            thread: Some(thread),
        }
    }

    /// The origin to use as `api_url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next requests meet these replies, one each.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().script.extend(replies);
    }

    /// Once the script is empty, every request meets this one; `None` ends it.
    pub fn otherwise(&self, reply: Option<Reply>) {
        self.shared.lock().otherwise = reply;
    }

    /// Every request for this channel meets this one; `None` ends it.
    pub fn channel(&self, channel: u64, reply: Option<Reply>) {
        let channels = &mut self.shared.lock().channels;
        match reply {
            Some(reply) => channels.insert(channel, reply),
            None => channels.remove(&channel),
        };
    }

    /// What is in the channels, in the order it came.
    pub fn messages(&self) -> Vec<Stored> {
        self.shared.lock().messages.clone()
    }

    /// Every request, in order.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.lock().requests.clone()
    }

    /// Blocks until there are so many messages; fails the test after `deadline`.
    pub fn wait_for_messages(&self, count: usize, deadline: Duration) -> Vec<Stored> {
        self.wait(deadline, |memory| memory.messages.len() >= count)
            .messages
            .clone()
    }

    /// Blocks until there were so many requests; fails the test after `deadline`.
    pub fn wait_for_requests(&self, count: usize, deadline: Duration) -> Vec<Received> {
        self.wait(deadline, |memory| memory.requests.len() >= count)
            .requests
            .clone()
    }

    fn wait(&self, deadline: Duration, done: impl Fn(&Memory) -> bool) -> MutexGuard<'_, Memory> {
        let (memory, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), deadline, |memory| !done(memory))
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "the fake Discord has {} messages of {} requests after {deadline:?}",
            memory.messages.len(),
            memory.requests.len()
        );
        memory
    }
}

impl Drop for FakeDiscord {
    fn drop(&mut self) {
        futures::executor::block_on(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the fake Discord panicked"
            );
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// Takes the request down and says how it is to be met.
    fn receive(&self, received: Received) -> Reply {
        let mut memory = self.lock();
        let reply = memory.channels.get(&received.channel).cloned();
        memory.requests.push(received);
        let reply = reply.or_else(|| memory.script.pop_front());
        let reply = reply.or_else(|| memory.otherwise.clone());
        self.changed.notify_all();
        reply.unwrap_or(Reply::Store)
    }

    /// The stored message, or the earlier one of that nonce.
    fn store(&self, channel: u64, payload: &Value) -> Stored {
        let mut memory = self.lock();
        let nonce = &payload["nonce"];
        let earlier = memory
            .messages
            .iter()
            .find(|message| &message.payload["nonce"] == nonce);
        if let Some(earlier) =
            earlier.filter(|_| payload["enforce_nonce"] == true && nonce.is_string())
        {
            return earlier.clone();
        }
        let stored = Stored {
            id: (1_400_000_000_000_000_000 + memory.messages.len() as u64).to_string(),
            channel,
            payload: payload.clone(),
        };
        memory.messages.push(stored.clone());
        self.changed.notify_all();
        stored
    }
}

async fn create(
    request: HttpRequest,
    channel: Path<u64>,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    let channel = channel.into_inner();
    let payload: Value = serde_json::from_slice(&body).unwrap_or_default();
    let header = |name| {
        let value = request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let reply = shared.receive(Received {
        channel,
        user_agent: header("user-agent"),
        traceparent: header("traceparent"),
        tracestate: header("tracestate"),
        payload: payload.clone(),
    });
    if header("authorization") != format!("Bot {TOKEN}") {
        return refusal(401, 0, "401: Unauthorized");
    }
    meet(reply, channel, &payload, &shared).await
}

async fn meet(reply: Reply, channel: u64, payload: &Value, shared: &Shared) -> HttpResponse {
    let store = || shared.store(channel, payload);
    match reply {
        Reply::Store => stored(channel, payload, shared, Vec::new()),
        Reply::StoreWith(headers) => stored(channel, payload, shared, headers),
        Reply::StoreAndAnswer(status, body) => {
            store();
            answer(status, Vec::new()).body(body)
        }
        Reply::Answer(status, headers, body) => answer(status, headers).body(body),
        Reply::Hang => pending().await,
        Reply::CutBefore => cut(),
        Reply::CutAfter => {
            store();
            cut()
        }
        Reply::SlowBody => {
            store();
            let half = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"id\": \"14"))]);
            answer(200, Vec::new()).streaming(half.chain(stream::pending()))
        }
        Reply::GiantBody => {
            store();
            let chunk = Bytes::from(vec![b' '; 1 << 16]);
            answer(200, Vec::new()).streaming(stream::repeat(Ok::<_, Infallible>(chunk)))
        }
    }
}

/// Discord's own checks of a message.
fn stored(
    channel: u64,
    payload: &Value,
    shared: &Shared,
    headers: Vec<(&'static str, String)>,
) -> HttpResponse {
    let length = |key: &str| payload[key].as_str().map_or(0, |text| text.chars().count());
    let no_embeds = payload["embeds"].as_array().is_none_or(Vec::is_empty);
    if length("content") > 2000 || length("nonce") > 25 {
        return refusal(400, 50035, "Invalid Form Body");
    }
    if length("content") == 0 && no_embeds {
        return refusal(400, 50006, "Cannot send an empty message");
    }
    let message = shared.store(channel, payload);
    let body = json!({
        "id": message.id, "channel_id": channel.to_string(), "content": message.content(),
        "nonce": message.payload["nonce"],
    });
    answer(200, headers).json(body)
}

fn refusal(status: u16, code: u32, message: &str) -> HttpResponse {
    answer(status, Vec::new()).json(json!({ "message": message, "code": code }))
}

fn answer(status: u16, headers: Vec<(&'static str, String)>) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    for header in headers {
        answer.insert_header(header);
    }
    answer
}

/// A handler that panics has its connection closed without an answer; this way nothing is printed.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the script cuts the connection"))
}
