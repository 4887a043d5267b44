//! The tables as an outside reader sees them, at one moment, and what must always be true of them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's tool: each test uses a part of it, and a failure here is a failed test"
)]

use std::{fmt, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};

/// A row of `actor_server_state`.
#[derive(Clone, Debug, QueryableByName)]
pub struct State {
    #[diesel(sql_type = Text)]
    pub task_id: String,
    #[diesel(sql_type = Text)]
    pub anchor: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub next_run: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_run: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub consecutive_failures: i64,
    #[diesel(sql_type = BigInt)]
    pub runs: i64,
    #[diesel(sql_type = Bool)]
    pub is_paused: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub hold_kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub hold_reason: Option<String>,
    #[diesel(sql_type = Bool)]
    pub removed: bool,
}

/// A row of `actor_server_executions`.
#[derive(Clone, Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub task_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub scheduled_for: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub slots: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub slot_last: Option<String>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub attempt: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub replica: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub started_at: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub completed_at: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub success: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    pub error_message: Option<String>,
    #[diesel(sql_type = Text)]
    pub metadata: String,
}

/// A row of `actor_server_posts`.
#[derive(Clone, Debug, QueryableByName)]
pub struct Post {
    #[diesel(sql_type = BigInt)]
    pub execution_id: i64,
    #[diesel(sql_type = Text)]
    pub task_id: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub destination: String,
    #[diesel(sql_type = Text)]
    pub body: String,
    #[diesel(sql_type = Text)]
    pub nonce: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = BigInt)]
    pub attempts: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub platform_message_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub error_message: Option<String>,
}

/// All of it, read in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub states: Vec<State>,
    /// In the order of their slots.
    pub rows: Vec<Row>,
    pub posts: Vec<Post>,
}

impl Ledger {
    /// Reads a file; one that is not there, or has no tables yet, is empty.
    pub fn read(path: &Path) -> Self {
        if !path.exists() {
            return Self::default();
        }
        let mut conn = open(path);
        let read = conn.transaction(|conn| {
            let states =
                sql_query("SELECT * FROM actor_server_state ORDER BY task_id").load(conn)?;
            let rows = sql_query(
                "SELECT * FROM actor_server_executions ORDER BY task_id, scheduled_for, id",
            )
            .load(conn)?;
            let posts = sql_query("SELECT * FROM actor_server_posts ORDER BY id").load(conn)?;
            Ok::<_, diesel::result::Error>(Self {
                states,
                rows,
                posts,
            })
        });
        read.unwrap_or_default()
    }

    /// Carries out one statement.
    pub fn execute(path: &Path, statement: &str) {
        open(path).batch_execute(statement).unwrap();
    }

    /// One bot's state.
    pub fn state(&self, bot: &str) -> &State {
        let found = self.states.iter().find(|state| state.task_id == bot);
        found.unwrap_or_else(|| panic!("no state of {bot}"))
    }

    /// Whether the bot is there, and has this hold.
    pub fn is_held(&self, bot: &str, kind: &str) -> bool {
        self.states
            .iter()
            .any(|state| state.task_id == bot && state.hold_kind.as_deref() == Some(kind))
    }

    /// One bot's rows, in the order of their slots.
    pub fn of(&self, bot: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.task_id == bot).collect()
    }

    /// One bot's rows from its first run on; on a busy machine slots before it may be missed.
    pub fn since_first_run(&self, bot: &str) -> Vec<&Row> {
        let rows = self.of(bot).into_iter();
        rows.skip_while(|row| row.started_at.is_none()).collect()
    }

    /// One bot's rows of this status.
    pub fn with(&self, bot: &str, status: &str) -> Vec<&Row> {
        let mut rows = self.of(bot);
        rows.retain(|row| row.status == status);
        rows
    }

    /// One bot's rows of this reason.
    pub fn because(&self, bot: &str, reason: &str) -> Vec<&Row> {
        let mut rows = self.of(bot);
        rows.retain(|row| row.reason.as_deref() == Some(reason));
        rows
    }

    /// One bot's posts.
    pub fn posts_of(&self, bot: &str) -> Vec<&Post> {
        self.posts
            .iter()
            .filter(|post| post.task_id == bot)
            .collect()
    }

    /// Every slot from the anchor to `next_run` is in exactly one row; `seconds` apart.
    pub fn assert_every_slot_is_accounted_for(&self, bot: &str, seconds: i64) {
        let state = self.state(bot);
        let mut expected = time(&state.anchor);
        for row in self.of(bot) {
            let slot = row.slot();
            assert_eq!(
                slot, expected,
                "a slot of {bot} is missing or doubled\n{self}"
            );
            let last = row.slot_last.as_deref().map_or(slot, time);
            let slots = (last - slot).num_seconds() / seconds + 1;
            assert_eq!(
                row.slots, slots,
                "the range is not as long as it says: {row:?}"
            );
            expected = last + Duration::from_secs(seconds.unsigned_abs());
        }
        let next = state.next_run.as_deref().map(time);
        assert_eq!(next, Some(expected), "next_run of {bot}\n{self}");
    }

    /// Every slot ran well. The first one may be a second old when the bot is registered, so that a busy machine may
    /// have no time for the one behind it.
    pub fn assert_every_slot_ran(&self, bot: &str) {
        for row in self.of(bot).into_iter().skip(2) {
            assert_eq!(row.status, "succeeded", "{bot}\n{self}");
        }
    }

    /// Nothing is left open.
    pub fn assert_nothing_is_running(&self) {
        let running = self.rows.iter().filter(|row| row.status == "running");
        assert_eq!(running.count(), 0, "{self}");
    }
}

impl Row {
    /// The slot, or the first one of a range.
    pub fn slot(&self) -> DateTime<Utc> {
        time(self.scheduled_for.as_deref().expect("a slot"))
    }

    /// How long after its slot the run started.
    pub fn lateness(&self) -> chrono::TimeDelta {
        time(self.started_at.as_deref().expect("a start")) - self.slot()
    }
}

/// Reads a time as it is stored.
pub fn time(text: &str) -> DateTime<Utc> {
    let time = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z");
    time.unwrap_or_else(|error| panic!("{text}: {error}"))
        .to_utc()
}

/// Writes a time as it is stored.
pub fn stored(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string()
}

fn open(path: &Path) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(path.to_str().expect("a plain path")).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    conn
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for state in &self.states {
            writeln!(f, "{state:?}")?;
        }
        let shown = self.rows.len().saturating_sub(60);
        for row in self.rows.iter().skip(shown) {
            let Row {
                id,
                task_id,
                slots,
                status,
                attempt,
                ..
            } = row;
            writeln!(
                f,
                "{id} {task_id} {:?}..{:?} ×{slots} {status}/{:?} #{attempt} {:?} {:?}",
                row.scheduled_for, row.slot_last, row.reason, row.started_at, row.error_message
            )?;
        }
        for post in self.posts.iter().rev().take(20) {
            writeln!(f, "{post:?}")?;
        }
        Ok(())
    }
}
