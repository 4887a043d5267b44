//! What the fake knows: messages, requests, nonces, and how much of each limit is spent.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::reply::{Reply, Rules};

/// One message in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub id: String,
    /// Of a webhook's message, the webhook's id.
    pub channel: u64,
    /// The request's JSON.
    pub payload: Value,
    /// Names and contents of the files that came with it.
    pub files: Vec<(String, Vec<u8>)>,
    /// Whether the bot wrote it, and not a webhook or somebody else.
    pub by_bot: bool,
    pub at: Instant,
}

impl Stored {
    pub fn content(&self) -> &str {
        self.payload["content"].as_str().unwrap_or_default()
    }
}

/// One request for a new message, whatever became of it.
#[derive(Clone, Debug)]
pub struct Received {
    pub channel: u64,
    /// With its query.
    pub path: String,
    pub user_agent: String,
    /// What the sender says of its trace.
    pub traceparent: String,
    pub tracestate: String,
    pub idempotency_key: String,
    pub payload: Value,
    pub at: Instant,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) messages: Vec<Stored>,
    pub(super) requests: Vec<Received>,
    /// Paths of requests that only read.
    pub(super) reads: Vec<String>,
    pub(super) script: VecDeque<Reply>,
    /// What requests meet when the script is empty.
    pub(super) otherwise: Option<Reply>,
    /// What requests for a channel meet, before all else.
    pub(super) channels: HashMap<u64, Reply>,
    /// What the next requests that read meet.
    pub(super) read_script: VecDeque<Reply>,
    pub(super) rules: Rules,
    pub(super) files: HashMap<String, (String, Vec<u8>)>,
    /// How many 429 the rules themselves have led to.
    pub(super) refused: usize,
    last_second: VecDeque<Instant>,
    /// When each bucket was opened, and how many messages it has taken since.
    buckets: HashMap<u64, (Instant, u32)>,
    last_id: u64,
}

#[derive(Default)]
pub(super) struct Shared {
    memory: Mutex<Memory>,
    pub(super) changed: Condvar,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// Takes the request down and says how it is to be met.
    pub(super) fn receive(&self, received: Received) -> Reply {
        let mut memory = self.lock();
        let reply = memory.channels.get(&received.channel).cloned();
        memory.requests.push(received);
        let reply = reply.or_else(|| memory.script.pop_front());
        let reply = reply.or_else(|| memory.otherwise.clone());
        self.changed.notify_all();
        reply.unwrap_or(Reply::Store)
    }

    /// The stored message, or the earlier one of that nonce, as long as it is enforced.
    pub(super) fn store(&self, message: Stored) -> Stored {
        let mut memory = self.lock();
        let window = memory.rules.nonce_window;
        let payload = &message.payload;
        let enforced = payload["enforce_nonce"] == true && payload["nonce"].is_string();
        let is_same = |earlier: &&Stored| {
            earlier.channel == message.channel
                && earlier.payload["nonce"] == payload["nonce"]
                && window.is_none_or(|window| earlier.at.elapsed() < window)
        };
        if let Some(earlier) = memory.messages.iter().find(|one| enforced && is_same(one)) {
            return earlier.clone();
        }
        let id = memory.new_id().to_string();
        let stored = Stored { id, ..message };
        memory.messages.push(stored.clone());
        self.changed.notify_all();
        stored
    }
}

impl Memory {
    /// A snowflake of this moment; each is higher than the one before.
    fn new_id(&mut self) -> u64 {
        const EPOCH: u128 = 1_420_070_400_000;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = u64::try_from(now.as_millis() - EPOCH).unwrap() << 22;
        self.last_id = now.max(self.last_id + 1);
        self.last_id
    }

    /// The 429 that the global limit asks for: never more than so many requests within any second.
    pub(super) fn global_limit(&mut self) -> Option<Reply> {
        let most = self.rules.global_per_second?;
        let now = Instant::now();
        let second = Duration::from_secs(1);
        while self
            .last_second
            .front()
            .is_some_and(|at| now - *at >= second)
        {
            self.last_second.pop_front();
        }
        if self.last_second.len() < most {
            self.last_second.push_back(now);
            return None;
        }
        self.refused += 1;
        Some(Reply::limited(1.0, "global"))
    }

    /// Takes a place in the channel's bucket: the headers of the answer, or the 429.
    pub(super) fn bucket(&mut self, channel: u64) -> Result<Vec<(&'static str, String)>, Reply> {
        let Some((most, window)) = self.rules.bucket else {
            return Ok(Vec::new());
        };
        let now = Instant::now();
        let (opened, taken) = self.buckets.entry(channel).or_insert((now, 0));
        if now - *opened >= window {
            (*opened, *taken) = (now, 0);
        }
        let left = (window - (now - *opened)).as_secs_f64();
        if *taken >= most {
            self.refused += 1;
            return Err(Reply::limited(left, "user"));
        }
        *taken += 1;
        Ok(vec![
            ("X-RateLimit-Bucket", format!("messages-{most}")),
            ("X-RateLimit-Limit", most.to_string()),
            ("X-RateLimit-Remaining", (most - *taken).to_string()),
            ("X-RateLimit-Reset-After", format!("{left:.3}")),
        ])
    }

    /// Messages of a channel behind `after`, as Discord gives them: the oldest of them, newest first.
    pub(super) fn page(&self, channel: u64, after: u64, limit: usize) -> Vec<Value> {
        let id = |message: &Stored| message.id.parse::<u64>().unwrap();
        let newer = self.messages.iter();
        let newer = newer.filter(|one| one.channel == channel && id(one) > after);
        let mut page: Vec<Value> = newer.take(limit).map(|one| self.shown(one)).collect();
        page.reverse();
        page
    }

    /// The newest messages of a channel, newest first.
    pub(super) fn newest(&self, channel: u64, limit: usize) -> Vec<Value> {
        let all = self.messages.iter().rev();
        let all = all.filter(|one| one.channel == channel);
        all.take(limit).map(|one| self.shown(one)).collect()
    }

    fn shown(&self, message: &Stored) -> Value {
        let author = if message.by_bot { super::BOT_ID } else { "8" };
        let embeds = message.payload["embeds"].as_array().cloned();
        let files = message.files.iter().enumerate();
        let files: Vec<Value> = files
            .map(|(n, (name, _))| json!({ "id": n.to_string(), "filename": name }))
            .collect();
        let mut shown = json!({
            "id": message.id,
            "channel_id": message.channel.to_string(),
            "author": { "id": author, "bot": message.by_bot },
            "content": message.content().trim(),
            "embeds": embeds.unwrap_or_default(),
            "attachments": files,
        });
        if self.rules.shows_nonces && message.payload["nonce"].is_string() {
            shown["nonce"] = message.payload["nonce"].clone();
        }
        shown
    }
}
