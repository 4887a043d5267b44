//! A process at work on a store, in few words: its bots have a slot every second, counted from 0.

use std::{collections::BTreeMap, sync::Arc};

use actor_server::{
    domain::{
        Instant,
        bot::BotName,
        hold::{Hold, HoldKind},
        outcome::{AttemptOutcome, Gap, Status},
        post::{Message, Post},
        run::{ExecutionId, ReplicaId, Trigger},
        slots::GapRange,
        state::BotState,
    },
    store::{
        Advance, Finish, LedgerRow, NewPost, Start, StatePersistence, StoreError, Write, Written,
    },
};
use chrono::TimeDelta;
use serde_json::json;

use crate::fixture::{replica, start};

/// The schedule of every bot here; the store compares it and understands nothing of it.
pub(crate) const SCHEDULE: &str = r#"{"every":"second"}"#;

/// One process.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) store: Arc<dyn StatePersistence>,
    pub(crate) id: ReplicaId,
}

impl Process {
    pub(crate) fn new(store: Arc<dyn StatePersistence>, id: ReplicaId) -> Self {
        Self { store, id }
    }

    pub(crate) async fn try_write(&self, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        self.store.write(&self.id, batch).await
    }

    pub(crate) async fn write(&self, write: Write) -> Written {
        let mut answers = self.try_write(&[write]).await.unwrap();
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    /// Registers a bot whose first slot is 0.
    pub(crate) async fn register(&self, bot: &str) -> BotName {
        let answer = self.write(insertion(&state(bot))).await;
        assert!(matches!(answer, Written::State(_)), "{answer:?}");
        name(bot)
    }

    pub(crate) async fn state(&self, bot: &BotName) -> BotState {
        let states = self.store.states().await.unwrap();
        states.into_iter().find(|state| state.bot == *bot).unwrap()
    }

    /// The plan to claim `slot` (or only to record `gaps`), made from what is stored.
    pub(crate) async fn plan(
        &self,
        bot: &BotName,
        gaps: Vec<GapRange>,
        claim: Option<i64>,
        next: Option<i64>,
    ) -> Advance {
        let state = self.state(bot).await;
        Advance {
            bot: bot.clone(),
            expected_next: state.next_run.unwrap(),
            expected_schedule: state.schedule,
            expected_hold: state.hold.map(|hold| hold.kind),
            gaps,
            claim: claim.map(slot),
            alone: false,
            next: next.map(slot),
        }
    }

    /// Claims a slot.
    pub(crate) async fn claim(&self, bot: &BotName, n: i64) -> ExecutionId {
        let plan = self.plan(bot, Vec::new(), Some(n), Some(n + 1)).await;
        claimed(self.write(Write::Advance(plan)).await).unwrap()
    }

    /// Records slots `first..=last` as a gap.
    pub(crate) async fn skip(&self, bot: &BotName, first: i64, last: i64, gap: Gap) {
        let gaps = vec![range(first, last, gap)];
        let plan = self.plan(bot, gaps, None, Some(last + 1)).await;
        let answer = self.write(Write::Advance(plan)).await;
        assert_eq!(claimed(answer), None);
    }

    /// Starts a run that may not be refused, and claims its slot first.
    pub(crate) async fn run(&self, bot: &BotName, n: i64) -> ExecutionId {
        let id = self.claim(bot, n).await;
        let answer = self.write(Write::Start(starting(id, bot, slot(n)))).await;
        assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
        id
    }

    /// Starts the run of slot 0 of a bot with another schedule.
    pub(crate) async fn run_by(&self, bot: &BotName, schedule: &str) -> ExecutionId {
        let id = self.claim(bot, 0).await;
        let start = Start {
            schedule: Some(schedule.into()),
            ..starting(id, bot, slot(0))
        };
        let answer = self.write(Write::Start(start)).await;
        assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
        id
    }

    /// Runs a slot to its end.
    pub(crate) async fn finish(&self, bot: &BotName, n: i64, status: Status) -> Written {
        let id = self.run(bot, n).await;
        self.write(ending(id, bot, n, outcome(status))).await
    }

    /// Inserts a manual claim.
    pub(crate) async fn trigger(&self, bot: &BotName) -> ExecutionId {
        let write = Write::Insert {
            bot: bot.clone(),
            trigger: Trigger::Manual,
            metadata: json!({"note": "now"}),
            key: None,
        };
        claimed(self.write(write).await).unwrap()
    }

    /// Inserts an event's claim.
    pub(crate) async fn event(&self, bot: &BotName, key: &str) -> ExecutionId {
        claimed(self.write(event(bot, key)).await).unwrap()
    }

    /// Sends an event again.
    pub(crate) async fn repeat(&self, bot: &BotName, key: &str) -> ExecutionId {
        repeated(self.write(event(bot, key)).await)
    }

    pub(crate) async fn hold(&self, bot: &BotName, kind: HoldKind) {
        let write = Write::SetHold {
            bot: bot.clone(),
            hold: Hold::by_server(kind, "a test"),
            replace: true,
        };
        assert!(matches!(self.write(write).await, Written::State(_)));
    }

    pub(crate) async fn post(&self, post: NewPost) -> Post {
        match self.write(Write::StorePost(post)).await {
            Written::Post(post) => *post,
            other => panic!("{other:?}"),
        }
    }

    /// The posts that are left to send, for a process that is alive.
    pub(crate) async fn unsent(&self) -> Vec<Post> {
        self.store.beat(&replica(self.id.as_str())).await.unwrap();
        self.store.unsent_posts().await.unwrap()
    }

    /// A bot's rows, oldest slot first and triggers last.
    pub(crate) async fn rows(&self, bot: &BotName) -> Vec<LedgerRow> {
        let mut rows = self.store.ledger(Some(bot), i64::MAX).await.unwrap();
        rows.sort_by_key(|row| (row.scheduled_for.is_none(), row.scheduled_for, row.id));
        rows
    }

    pub(crate) async fn row(&self, bot: &BotName, id: ExecutionId) -> LedgerRow {
        let rows = self.rows(bot).await;
        rows.into_iter().find(|row| row.id == id).unwrap()
    }

    /// What the ledger says became of each slot; fails if it says two things of one, or counts wrong.
    pub(crate) async fn slots(&self, bot: &BotName) -> BTreeMap<i64, String> {
        let mut all = BTreeMap::new();
        for row in self.rows(bot).await {
            let Some(first) = row.scheduled_for.map(index) else {
                continue;
            };
            let last = row.slot_last.map_or(first, index);
            assert_eq!(row.slots, last - first + 1, "{row:?}");
            for n in first..=last {
                let doubled = all.insert(n, fate(&row));
                assert_eq!(doubled, None, "slot {n} twice, once by {row:?}");
            }
        }
        all
    }
}

/// `status`, or `status/reason`.
pub(crate) fn fate(row: &LedgerRow) -> String {
    match &row.reason {
        Some(reason) => format!("{}/{reason}", row.status.as_str()),
        None => row.status.as_str().to_owned(),
    }
}

pub(crate) fn name(bot: &str) -> BotName {
    BotName::parse(bot).unwrap()
}

/// The time of a slot.
pub(crate) fn slot(n: i64) -> Instant {
    start() + TimeDelta::seconds(n)
}

/// The slot of a time.
pub(crate) fn index(at: Instant) -> i64 {
    (at - start()).num_seconds()
}

pub(crate) fn range(first: i64, last: i64, gap: Gap) -> GapRange {
    GapRange {
        first: slot(first),
        last: slot(last),
        slots: u64::try_from(last - first + 1).unwrap(),
        gap,
    }
}

/// A bot as its first registration makes it.
pub(crate) fn state(bot: &str) -> BotState {
    BotState {
        bot: name(bot),
        actor_name: format!("The {bot}"),
        schedule: Some(SCHEDULE.into()),
        anchor: start(),
        next_run: Some(slot(0)),
        last_run: None,
        last_success: None,
        consecutive_failures: 0,
        runs: 0,
        hold: None,
        removed: false,
    }
}

pub(crate) fn insertion(state: &BotState) -> Write {
    Write::Register {
        expected: None,
        state: Box::new(state.clone()),
        gaps: Vec::new(),
        at: start(),
    }
}

/// A registration at slot 0 that finds the bot.
pub(crate) fn change(old: &BotState, new: &BotState) -> Write {
    change_at(old, new, 0, Vec::new())
}

/// The same at slot `n`, with slots that the old schedule owes.
pub(crate) fn change_at(old: &BotState, new: &BotState, n: i64, gaps: Vec<GapRange>) -> Write {
    Write::Register {
        expected: Some(Box::new(old.clone())),
        state: Box::new(new.clone()),
        gaps,
        at: slot(n),
    }
}

/// The start of a scheduled run that nothing but a hold or an edit stands against.
pub(crate) fn starting(execution: ExecutionId, bot: &BotName, at: Instant) -> Start {
    Start {
        execution,
        bot: bot.clone(),
        at,
        exclusive: false,
        scheduled: true,
        schedule: Some(SCHEDULE.into()),
        max_runs: None,
    }
}

/// An outcome without skills.
pub(crate) fn outcome(status: Status) -> AttemptOutcome {
    match status {
        Status::Succeeded => AttemptOutcome {
            error: None,
            ..AttemptOutcome::broken(status, "")
        },
        Status::Skipped => AttemptOutcome {
            gate: Some("rate_limiting".into()),
            error: None,
            ..AttemptOutcome::broken(status, "")
        },
        status => AttemptOutcome::broken(status, "it broke"),
    }
}

/// The end of the run of slot `n`, half a second after its start; three failures in a row set a hold.
pub(crate) fn ending(
    execution: ExecutionId,
    bot: &BotName,
    n: i64,
    outcome: AttemptOutcome,
) -> Write {
    Write::Finish(Box::new(Finish {
        execution,
        bot: bot.clone(),
        started_at: slot(n),
        completed_at: slot(n) + TimeDelta::milliseconds(500),
        attempt: 1,
        outcome,
        metadata: json!({}),
        max_consecutive_failures: 3,
    }))
}

/// The first message of the run of slot `n`.
pub(crate) fn message(execution: ExecutionId, bot: &BotName, n: i64) -> NewPost {
    NewPost {
        item: None,
        execution,
        bot: bot.clone(),
        position: 0,
        platform: "discord".into(),
        destination: "1234567890".into(),
        message: Message {
            body: format!("message {n}"),
            options: json!({}),
        },
        nonce: format!("{bot}-{execution}-0"),
        started_at: slot(n),
        at: slot(n) + TimeDelta::milliseconds(100),
    }
}

/// An event with a key.
pub(crate) fn event(bot: &BotName, key: &str) -> Write {
    Write::Insert {
        bot: bot.clone(),
        trigger: Trigger::Event,
        metadata: json!({"input": {"n": 1}}),
        key: Some(key.into()),
    }
}

/// The row of a `Repeated`.
pub(crate) fn repeated(answer: Written) -> ExecutionId {
    match answer {
        Written::Repeated(id) => id,
        other => panic!("{other:?}"),
    }
}

/// The row of a `Claimed`.
pub(crate) fn claimed(answer: Written) -> Option<ExecutionId> {
    match answer {
        Written::Claimed(id) => id,
        other => panic!("{other:?}"),
    }
}

/// Whether the write was refused because its row is not this process's.
pub(crate) fn is_lost(answer: &Written) -> bool {
    matches!(answer, Written::Lost)
}
