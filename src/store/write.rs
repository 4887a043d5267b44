//! Changes, with what they were made from, and the answers to them.

use serde_json::Value;

use crate::domain::{
    Instant,
    bot::BotName,
    content::ItemUse,
    hold::{Hold, HoldKind},
    outcome::{AttemptOutcome, Gap, Status},
    post::{Message, Post, PostStatus},
    run::{ExecutionId, Trigger},
    slots::GapRange,
    state::BotState,
};

/// One change.
#[derive(Clone, Debug)]
pub enum Write {
    /// Stores a bot's state as a start or reload makes it. Inserts it if `expected` is `None` and there is none.
    /// In a stored state, what runs write (`last_run`, `consecutive_failures`, `runs`) stays, and so does a hold of the
    /// kind that is already there (but `invalid`): both may have changed since the plan was made.
    ///
    /// When the schedule changes, or the bot is removed or comes back, claims that were taken by the old schedule and
    /// have not started go, whoever's they are: a slot at or before `at` is recorded as `missed`/`late`, for the old
    /// schedule counts it still; a later one does not exist any more. To their owners they are `Lost`.
    /// Replies: `State`, or `Stale` with what is stored.
    Register {
        /// What the plan was made from; compared by `schedule`, `next_run`, `removed`, and the hold's kind.
        expected: Option<Box<BotState>>,
        /// The new state.
        state: Box<BotState>,
        /// Slots of the old schedule that did not run.
        gaps: Vec<GapRange>,
        /// The moment of the plan: up to it the old schedule counts, and after it the new one.
        at: Instant,
    },
    /// Accounts for slots and claims at most one. Replies: `Claimed`, `Stale` with what is stored, or `Busy` (nothing was
    /// changed).
    Advance(Advance),
    /// The run of a claim starts. The same start may be sent again when its answer was lost: it is `Started` still, and
    /// counted once. Replies: `Started`, `Held`, `Busy`, `Outdated`, or `Lost`.
    Start(Start),
    /// The run goes on with another attempt. Replies: `Done` or `Lost`.
    Attempt {
        /// The row.
        execution: ExecutionId,
        /// The number of the attempt that begins.
        attempt: u32,
        /// The attempts before it, for `metadata`: put over what is stored there, key by key.
        metadata: Value,
    },
    /// A claim will not run: its row becomes a gap, or goes and the gap just before its slot grows, if there is one with
    /// the same reason. Replies: `Done` or `Lost`.
    Decline {
        /// The row; it must not have started.
        execution: ExecutionId,
        /// Why.
        gap: Gap,
    },
    /// A claim is given back to be decided anew: the row goes and `next_run` returns to its slot, unless it is at an
    /// earlier one; if later slots are accounted for already, it is recorded as missed, or with the reason of the hold that
    /// stands now. A manual or event claim becomes `abandoned`.
    /// Replies: `Done` or `Lost`.
    Release {
        /// The row; it must not have started.
        execution: ExecutionId,
    },
    /// The run has ended. Replies: `Finished` or `Lost`.
    Finish(Box<Finish>),
    /// Inserts a claim by hand or by an event. Replies: `Claimed`, or `Repeated` if the bot has a row with this key already.
    Insert {
        /// Whose run.
        bot: BotName,
        /// `Manual` or `Event`.
        trigger: Trigger,
        /// For `metadata`: note, content, event.
        metadata: Value,
        /// What a repetition of the same wish is recognised by, as long as the ledger keeps the row.
        key: Option<String>,
    },
    /// Asks for runs to be cancelled, whichever processes are at work on them; each is told by its next beat
    /// ([`Beat::cancel`](super::Beat::cancel)). The wish goes when the row is run again after its process died.
    /// Replies: `Done`, or `Lost` if no such run is on.
    RequestCancel {
        /// Whose.
        bot: BotName,
        /// This run, started or not; or all that have started.
        execution: Option<ExecutionId>,
    },
    /// Stores a post before it is sent, or finds the one stored by an earlier attempt (same execution and position);
    /// marks the run started if that is not stored yet. Replies: `Post`, or `Lost`.
    StorePost(NewPost),
    /// Records how an attempt to send ended; not fenced, because a post in flight is a fact. A post that is `sent` stays so.
    /// Replies: `Done`.
    MarkPost(PostMark),
    /// Sets a hold unless the bot has one of another kind already (`replace` puts it in its place). Replies: `State`, or
    /// `Stale(None)` if there is no such bot.
    SetHold {
        /// Whose.
        bot: BotName,
        /// The hold.
        hold: Hold,
        /// Whether it takes the place of a hold of another kind.
        replace: bool,
    },
    /// Ends the hold (of that kind, if one is named) and sets the failure count to 0; if the bot has no hold of the kind
    /// that is named, nothing changes. A hold `invalid` tells of a file that is still broken: unless it is named, nothing
    /// changes either. Replies: `State`, or `Stale(None)` if there is no such bot.
    ClearHold {
        /// Whose.
        bot: BotName,
        /// Only a hold of this kind; any but `invalid` if none is named.
        kind: Option<HoldKind>,
    },
}

/// See [`Write::Advance`].
#[derive(Clone, Debug)]
pub struct Advance {
    /// Whose slots.
    pub bot: BotName,
    /// `next_run`, `schedule` and the hold's kind that the plan was made from.
    pub expected_next: Instant,
    /// See [`BotState::schedule`].
    pub expected_schedule: Option<String>,
    /// The hold's kind.
    pub expected_hold: Option<HoldKind>,
    /// Slots that did not run. A range that continues the row before it (same reason) makes that row grow.
    pub gaps: Vec<GapRange>,
    /// The slot to claim; if the ledger has a row for it already, none is claimed.
    pub claim: Option<Instant>,
    /// Whether the bot must have no open row, be it a claim or a run, of whichever process and trigger: how the slots of
    /// a backlog run one after another.
    pub alone: bool,
    /// The new `next_run`.
    pub next: Option<Instant>,
}

/// See [`Write::Start`].
#[derive(Clone, Debug)]
pub struct Start {
    /// The row, which must be this process's and not started.
    pub execution: ExecutionId,
    /// Whose.
    pub bot: BotName,
    /// When the run starts.
    pub at: Instant,
    /// Whether no other run of the bot may be on (any `overlap` but `allow_all`), in any process.
    pub exclusive: bool,
    /// Whether a hold or another schedule stands against it (scheduled runs; a manual trigger works under a hold). A hold
    /// stands against an event's run as well.
    /// A hold whose own end (`until`) has come by `at` does not.
    pub scheduled: bool,
    /// The schedule that the claim was made by.
    pub schedule: Option<String>,
    /// The start that makes `runs` reach this ends the bot (`next_run` null); a claim beyond it is `Outdated`, and ends
    /// the bot as well. A slot counts once, at the start of its first attempt.
    pub max_runs: Option<u32>,
}

/// See [`Write::Finish`].
#[derive(Clone, Debug)]
pub struct Finish {
    /// The row, which must be this process's and `running`.
    pub execution: ExecutionId,
    /// Whose.
    pub bot: BotName,
    /// When the run started; stored if the start itself is not yet.
    pub started_at: Instant,
    /// When it ended.
    pub completed_at: Instant,
    /// The number of the last attempt.
    pub attempt: u32,
    /// How the last attempt ended.
    pub outcome: AttemptOutcome,
    /// Earlier attempts and the skills of the last: put over what is stored, key by key.
    pub metadata: Value,
    /// So many failed runs in a row set the hold `failures`.
    pub max_consecutive_failures: u32,
}

impl Finish {
    /// Whether the end says something about the bot: that of a dry run does not, whatever it is, nor that of a run whose
    /// post is stored and only waits for its downstream.
    #[must_use]
    pub fn counts(&self) -> bool {
        let says = |key| self.metadata.get(key) == Some(&Value::Bool(true));
        !says("dry_run") && !says("post_waits")
    }

    /// When the bot has done what it is there for, if this run did it.
    #[must_use]
    pub fn success(&self) -> Option<Instant> {
        let done = self.counts() && self.outcome.status == Status::Succeeded;
        done.then_some(self.completed_at)
    }
}

/// See [`Write::StorePost`].
#[derive(Clone, Debug)]
pub struct NewPost {
    /// The run, which must be this process's and `running`.
    pub execution: ExecutionId,
    /// Whose.
    pub bot: BotName,
    /// Which message of the run, from 0.
    pub position: i32,
    /// Such as `discord`.
    pub platform: String,
    /// Where to.
    pub destination: String,
    /// What.
    pub message: Message,
    /// The item that it is made of. It is used with this post: if another run's post has used it, nothing is stored, and the
    /// answer is [`Written::ItemTaken`].
    pub item: Option<ItemUse>,
    /// See [`crate::domain::post::nonce`].
    pub nonce: String,
    /// When the run started.
    pub started_at: Instant,
    /// Now.
    pub at: Instant,
}

impl NewPost {
    /// What the item says that the post is made of, if the post says something else.
    pub(super) fn own_text(&self) -> Option<&str> {
        let text = self.item.as_ref().map(|item| item.text.as_str());
        text.filter(|text| *text != self.message.body)
    }
}

/// See [`Write::MarkPost`].
#[derive(Clone, Debug)]
pub struct PostMark {
    /// The post.
    pub id: i64,
    /// What it is now.
    pub status: PostStatus,
    /// Attempts in all.
    pub attempts: u32,
    /// The platform's id.
    pub platform_message_id: Option<String>,
    /// The last error.
    pub error: Option<String>,
    /// When it was sent.
    pub posted_at: Option<Instant>,
    /// The item that it was made of is free again: the post was refused for a reason that is not the post's.
    pub frees_item: bool,
}

/// The answer to one [`Write`].
#[derive(Clone, Debug)]
pub enum Written {
    /// It is done.
    Done,
    /// The row is no longer this process's, or no longer waits or runs; nothing was changed.
    Lost,
    /// The premise no longer holds; this is what is stored (`None`: no such bot).
    Stale(Option<Box<BotState>>),
    /// The state as it is now.
    State(Box<BotState>),
    /// The claim's row, if one was claimed.
    Claimed(Option<ExecutionId>),
    /// The same wish has made this row before; nothing was changed.
    Repeated(ExecutionId),
    /// It may run; `finished` if this start was the last of `max_runs`.
    Started {
        /// When it starts: as asked, or when the bot's last run ended, if that was later. Another process may have ended
        /// it while this one was asking.
        at: Instant,
        /// The bot has no further slots.
        finished: bool,
    },
    /// It may not run: the bot is held. The row is unchanged.
    Held(Hold),
    /// It may not run now: another run of the bot is on. Nothing was changed.
    Busy {
        /// Whether a claim of an earlier slot waits as well, whoever's it is: under `buffer_one` only that one may.
        /// `false` in the answer to an `Advance`.
        another_waits: bool,
    },
    /// It may not run: the bot's schedule is another now, or the bot is removed or has had its `max_runs`. The row is
    /// gone, or `abandoned` if an earlier attempt had started.
    Outdated,
    /// The end is recorded.
    Finished {
        /// Failed runs in a row, now.
        consecutive_failures: u32,
        /// The hold, if there is one now.
        hold: Option<Hold>,
    },
    /// The stored post.
    Post(Box<Post>),
    /// Another run's post is made of the same item; nothing was changed.
    ItemTaken,
}
