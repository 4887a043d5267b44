//! The arguments of `ctl`.

use chrono::TimeDelta;
use clap::{Args, Subcommand, ValueEnum};

use super::times::{Moment, parse_moment, parse_span};

/// Where a server listens unless it is configured otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:3000";

/// Which server, and what to do there.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Which server, and how to answer",
    after_help = "The token is read from ACTOR_SERVER_TOKEN, or from the file that ACTOR_SERVER_TOKEN_FILE names; \
                  `actor-server token` makes one."
)]
pub(crate) struct Ctl {
    /// Where the server's control API is
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "ACTOR_SERVER_URL",
        default_value = DEFAULT_URL
    )]
    url: String,
    /// Print what the API answered instead of a table
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) action: Action,
}

impl Ctl {
    /// The server's URL; a variable that is set to nothing counts as unset.
    pub(super) const fn url(&self) -> &str {
        if self.url.is_empty() {
            DEFAULT_URL
        } else {
            self.url.as_str()
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show the bots
    List(Which),
    /// Show how a bot is doing
    Status {
        /// Its name
        bot: String,
    },
    /// Keep a bot from running
    Pause(Pause),
    /// Let a bot run again, or all that are held for one reason
    Resume(Resumption),
    /// Run a bot now, also while it is held
    Trigger(Trigger),
    /// Ask a run to stop
    Cancel {
        /// Its number, as `history` shows it
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// Show runs, newest first
    History(History),
    /// Show posts, newest first
    Posts(Posts),
    /// Send a post again that is dead or failed
    Resend {
        /// Its number, as `posts` shows it
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// Have the server read its configuration again, all or nothing
    Reload {
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Show the supervision tree and the circuit breakers
    Tree,
    /// Show the processes that share the database
    Replicas,
    /// Show what is wrong and who was told, or try whether anybody is told
    #[command(subcommand)]
    Alert(Alert),
    /// Show what happens, as it happens, until Ctrl-C
    Watch {
        /// Only what is about this bot
        bot: Option<String>,
        /// Begin behind this event, as far as the server remembers
        #[arg(long, value_name = "EVENT_ID")]
        since_id: Option<String>,
    },
}

/// What about alerts.
#[derive(Debug, Subcommand)]
pub(super) enum Alert {
    /// Show the incidents that are open, and the newest deliveries
    List {
        /// At most so many deliveries
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Send a test alert at once; exit code 1 unless every channel takes it
    Test {
        /// Only this channel: webhook, discord or pagerduty
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
}

/// Which bots.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only those that are held
    #[arg(long)]
    pub(super) paused: bool,
    /// Only those whose name contains this
    #[arg(short = 'q', long, value_name = "TEXT")]
    pub(super) search: Option<String>,
}

/// How to hold a bot.
#[derive(Debug, Args)]
pub(super) struct Pause {
    /// Its name
    pub(super) bot: String,
    /// Why; everybody who asks for the bot sees it
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// When it ends by itself, such as 2027-01-31T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_moment, conflicts_with = "for_")]
    pub(super) until: Option<Moment>,
    /// After how long it ends by itself, such as 30m, 2h or 1d12h
    #[arg(long = "for", id = "for_", value_name = "SPAN", value_parser = parse_span)]
    pub(super) span: Option<TimeDelta>,
}

/// Which holds to end.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct Resumption {
    /// A bot's name
    #[arg(conflicts_with_all = ["all", "kind"])]
    pub(super) bot: Option<String>,
    /// Every bot that is held for this reason (with --kind)
    #[arg(long, requires = "kind")]
    pub(super) all: bool,
    /// The reason
    #[arg(long, requires = "all")]
    pub(super) kind: Option<Kind>,
}

/// Why bots are held. (`invalid` ends by itself, when the file is good.)
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Kind {
    /// An operator paused them
    Manual,
    /// Too many runs failed in a row
    Failures,
    /// The platform refuses their channel
    Refused,
    /// Their actor crashed too often
    GivenUp,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Failures => "failures",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
        }
    }
}

/// How to run a bot.
#[derive(Debug, Args)]
pub(super) struct Trigger {
    /// Its name
    pub(super) bot: String,
    /// Why; it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// What to post: a text, or a JSON object as templates see it
    #[arg(long, value_name = "TEXT")]
    pub(super) content: Option<String>,
    /// Post nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Wait until the run has ended; exit code 1 unless it is good
    #[arg(long)]
    pub(super) wait: bool,
}

/// Which runs.
#[derive(Debug, Args)]
pub(super) struct History {
    /// Only those of this bot
    pub(super) bot: Option<String>,
    /// Only those with this status
    #[arg(long)]
    pub(super) status: Option<Status>,
    /// Only those started by this
    #[arg(long)]
    pub(super) trigger: Option<Cause>,
    /// Not before this time, or this long ago: 2027-01-31T08:00:00Z, 2h
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(super) since: Option<Moment>,
    /// Before this time, or this long ago
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(super) until: Option<Moment>,
    /// Also slots that did not run
    #[arg(long)]
    pub(super) all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
}

/// Which posts.
#[derive(Debug, Args)]
pub(super) struct Posts {
    /// Only those of this bot
    pub(super) bot: Option<String>,
    /// Only those with this status
    #[arg(long)]
    pub(super) status: Option<Fate>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(super) limit: u32,
}

/// What became of a post.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Fate {
    /// Stored, and not known to have arrived
    Pending,
    /// The platform has it
    Sent,
    /// Refused for good
    Failed,
    /// Its attempts are spent
    Dead,
}

/// What became of a slot.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Status {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Panicked,
    Cancelled,
    Abandoned,
    Skipped,
    Missed,
}

/// What started a run.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Cause {
    Schedule,
    Manual,
    Event,
}

/// The word that stands for it on the command line, which is the API's.
pub(super) fn word(value: impl ValueEnum) -> String {
    let word = value.to_possible_value();
    word.map_or_else(String::new, |word| word.get_name().to_owned())
}
