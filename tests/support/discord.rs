//! A fake of Discord's REST API on a port of its own: it stores messages, enforces nonces, lets channels be read back, keeps
//! limits, and fails as it is told.
//!
//! Runs on its own thread, so that a test may stop its clock or block without stopping the fake.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test's tool: each test uses a part of it, and a failure here is a failed test"
)]

#[path = "discord/memory.rs"]
mod memory;
#[path = "discord/reply.rs"]
mod reply;
#[path = "discord/routes.rs"]
mod routes;

use std::{
    net::TcpListener,
    sync::{Arc, MutexGuard},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    rt::System,
    web::{Data, PayloadConfig},
};
use serde_json::{Value, json};

use self::memory::{Memory, Shared};
pub use self::{
    memory::{Received, Stored},
    reply::{Reading, Reply, Rules},
};

/// The token that the fake accepts.
pub const TOKEN: &str = "test-token.with-a-secret";

/// The id of the bot whose token that is.
pub const BOT_ID: &str = "7";

/// The token in the URLs of the fake's webhooks.
pub const WEBHOOK_TOKEN: &str = "webhook-token-that-nobody-may-see";

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
                        .app_data(PayloadConfig::new(64 << 20))
                        .configure(routes::routes)
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

    /// From now on these rules are kept.
    pub fn rules(&self, rules: Rules) {
        self.shared.lock().rules = rules;
    }

    /// The next requests that read meet these replies, one each; one that stores lets the request be.
    pub fn script_reads(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().read_script.extend(replies);
    }

    /// The URL of a webhook of this id.
    pub fn webhook(&self, id: u64) -> String {
        format!("{}/api/webhooks/{id}/{WEBHOOK_TOKEN}", self.url)
    }

    /// Serves a file; answers its URL.
    pub fn file(&self, name: &str, kind: &str, bytes: &[u8]) -> String {
        let file = (kind.to_owned(), bytes.to_vec());
        self.shared.lock().files.insert(name.to_owned(), file);
        format!("{}/files/{name}", self.url)
    }

    /// Puts a message of somebody else into a channel.
    pub fn say(&self, channel: u64, content: &str) -> Stored {
        self.put(channel, json!({ "content": content }), false)
    }

    /// Puts a message of the bot itself into a channel.
    pub fn say_as_bot(&self, channel: u64, payload: Value) -> Stored {
        self.put(channel, payload, true)
    }

    fn put(&self, channel: u64, payload: Value, by_bot: bool) -> Stored {
        let (id, files, at) = (String::new(), Vec::new(), Instant::now());
        self.shared.store(Stored {
            id,
            channel,
            payload,
            files,
            by_bot,
            at,
        })
    }

    /// Paths of the requests that only read, in order.
    pub fn reads(&self) -> Vec<String> {
        self.shared.lock().reads.clone()
    }

    /// How many 429 the rules themselves have led to.
    pub fn refused(&self) -> usize {
        self.shared.lock().refused
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

/// A handler that panics has its connection closed without an answer; this way nothing is printed.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the script cuts the connection"))
}
