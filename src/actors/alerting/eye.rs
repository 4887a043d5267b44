//! One look over all bots: what is not as the open incidents say.
//!
//! What memory suggests is believed only when the store confirms it: another process may know better.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;

use super::keeping::alerts_of;
use crate::{
    actors::{env::Env, messages::BotCard},
    domain::{
        Instant,
        alert::{AlertKind, Cause, Incident, News, Seen, Sign, Subject, passed_over},
        bot::BotName,
        hold::HoldKind,
        post::{Post, PostQuery, PostStatus},
        state::BotState,
    },
    store::StoreError,
};

/// What began so lately may not be known everywhere.
const SPREADING: TimeDelta = TimeDelta::seconds(10);
/// An actor of the core that has lived for so long is at work again.
const SETTLED: TimeDelta = TimeDelta::minutes(2);
/// Dead posts that one look counts at most.
const DEAD: u32 = 1000;
/// States that one look confirms at most.
const CONFIRMED: usize = 200;

/// One look.
pub(super) struct Eye<'a> {
    env: &'a Env,
    now: Instant,
    open: HashMap<String, Incident>,
}

/// What may be so; the store is asked.
enum Guess {
    /// The bot has an incident of this kind that is over.
    Over(AlertKind),
    /// The bot has trouble that there is no incident of.
    Trouble,
}

impl<'a> Eye<'a> {
    pub(super) fn new(env: &'a Env) -> Self {
        let open = env.alerting.book().all_open();
        let by_key = open.into_iter().map(|one| (one.key.clone(), one));
        Self {
            env,
            now: env.clock.now(),
            open: by_key.collect(),
        }
    }

    /// What is not as the open incidents say.
    ///
    /// # Errors
    /// The store is away.
    pub(super) async fn signs(
        &self,
        cards: &[Arc<BotCard>],
        caught_up: bool,
    ) -> Result<Vec<Sign>, StoreError> {
        let mut signs = self.about_no_bot();
        let mut guesses: Vec<(BotName, Guess)> = Vec::new();
        for card in cards {
            let over = self.over(card).into_iter().map(Guess::Over);
            let trouble = self.is_untold(card).then_some(Guess::Trouble);
            let all = over.chain(trouble);
            guesses.extend(all.map(|guess| (card.bot.name.clone(), guess)));
        }
        guesses.extend(self.gone());
        for (bot, guess) in guesses.into_iter().take(CONFIRMED) {
            let state = self.env.store.state(&bot).await?;
            signs.extend(self.confirmed(bot, &guess, state.as_ref()));
        }
        signs.extend(self.dead_posts().await?);
        if caught_up {
            signs.extend(self.stalled(cards).await?);
        }
        Ok(signs)
    }

    fn incident(&self, bot: &BotName, kind: AlertKind) -> Option<&Incident> {
        self.open.get(&Subject::Bot(bot.clone()).key(kind))
    }

    /// Incidents of a bot that seem to be over.
    fn over(&self, card: &BotCard) -> Vec<AlertKind> {
        let kinds = AlertKind::RAISED.into_iter();
        let over = kinds.filter(|kind| {
            let incident = self.incident(&card.bot.name, *kind);
            incident.is_some_and(|incident| is_over(incident, &card.state, card, self))
        });
        over.collect()
    }

    /// Whether the bot has trouble that lasts and that there is no incident of.
    fn is_untold(&self, card: &BotCard) -> bool {
        untold(self.env, &card.state)
            .is_some_and(|cause| self.incident(&card.bot.name, cause.kind()).is_none())
    }

    /// Bots with incidents that are not configured here any more.
    fn gone(&self) -> Vec<(BotName, Guess)> {
        let bots = self.open.values().filter_map(|incident| {
            let bot = incident.bot.clone()?;
            let is_gone = self.env.bot(&bot).is_none();
            is_gone.then_some((bot, Guess::Over(incident.kind)))
        });
        bots.collect()
    }

    fn confirmed(&self, bot: BotName, guess: &Guess, state: Option<&BotState>) -> Option<Sign> {
        let (kind, news) = match (guess, state) {
            (Guess::Over(kind), None) => (*kind, News::Gone(REMOVED)),
            (Guess::Over(kind), Some(state)) if state.removed => (*kind, News::Gone(REMOVED)),
            (Guess::Over(kind), Some(state)) => {
                let (card, incident) = (self.env.board.card(&bot)?, self.incident(&bot, *kind)?);
                is_over(incident, state, &card, self).then_some((*kind, News::Ends))?
            }
            (Guess::Trouble, state) => {
                let cause = untold(self.env, state?)?;
                (cause.kind(), News::Begins(cause))
            }
        };
        Some(Sign {
            subject: Subject::Bot(bot),
            kind,
            news,
            at: self.now,
        })
    }

    /// Posts that were given up are the store's to tell of, whichever process did so.
    async fn dead_posts(&self) -> Result<Vec<Sign>, StoreError> {
        let query = PostQuery {
            status: Some(PostStatus::Dead),
            limit: DEAD,
            ..PostQuery::default()
        };
        let mut by_bot: HashMap<BotName, Vec<Post>> = HashMap::new();
        let found = self.env.store.find_posts(&query).await?;
        let all = u32::try_from(found.len()).is_ok_and(|found| found < DEAD);
        for post in found {
            by_bot.entry(post.bot.clone()).or_default().push(post);
        }
        let over = self.open.values().filter_map(|incident| {
            let bot = incident.bot.clone()?;
            let is_over =
                all && incident.kind == AlertKind::DeadPosts && !by_bot.contains_key(&bot);
            is_over.then(|| self.sign(bot, AlertKind::DeadPosts, News::Ends))
        });
        let mut signs: Vec<Sign> = over.collect();
        for (bot, posts) in by_bot {
            let cause = dead(&posts);
            let known = self.incident(&bot, AlertKind::DeadPosts);
            let as_known = known.is_some_and(|known| known.count == posts.len() as u64);
            if !as_known && self.env.bot(&bot).is_some() {
                signs.push(self.sign(bot, AlertKind::DeadPosts, News::Begins(cause)));
            }
        }
        Ok(signs)
    }

    const fn sign(&self, bot: BotName, kind: AlertKind, news: News) -> Sign {
        Sign {
            subject: Subject::Bot(bot),
            kind,
            news,
            at: self.now,
        }
    }

    fn about_no_bot(&self) -> Vec<Sign> {
        let open = self.open.values().filter(|one| one.bot.is_none());
        let signs = open.filter_map(|incident| {
            let (_, name) = incident.key.split_once('/')?;
            let old = |age| self.now - incident.since > age;
            let (is_over, subject) = match incident.kind {
                AlertKind::BreakerOpen => (
                    old(SPREADING) && self.env.breakers.get(name).is_closed(),
                    Subject::Dependency(name.to_owned()),
                ),
                AlertKind::GivenUp => (
                    old(SETTLED) && self.env.vitals.is_ready(),
                    Subject::Actor(name.to_owned()),
                ),
                _ => return None,
            };
            is_over.then_some(Sign {
                subject,
                kind: incident.kind,
                news: News::Ends,
                at: self.now,
            })
        });
        signs.collect()
    }

    /// Bots that do not run although they should, as the store has it too.
    async fn stalled(&self, cards: &[Arc<BotCard>]) -> Result<Vec<Sign>, StoreError> {
        let new =
            |card: &&Arc<BotCard>| self.incident(&card.bot.name, AlertKind::Stalled).is_none();
        let new: Vec<&Arc<BotCard>> = cards.iter().filter(new).collect();
        let stalled = new
            .iter()
            .filter_map(|card| Some((*card, self.stall(card)?)));
        let mut causes = self.still_due(stalled.collect()).await?;
        let seems = |card: &&&Arc<BotCard>| self.passed_over(card, &card.state).is_some();
        for card in new.iter().filter(seems).take(CONFIRMED) {
            let state = self.env.store.state(&card.bot.name).await?;
            let cause = state.and_then(|state| self.passed_over(card, &state));
            causes.extend(cause.map(|cause| (*card, cause)));
        }
        let signs = causes.into_iter().map(|(card, cause)| Sign {
            subject: Subject::Bot(card.bot.name.clone()),
            kind: AlertKind::Stalled,
            news: News::Begins(cause),
            at: self.now,
        });
        Ok(signs.collect())
    }

    /// Those whose slot the store has as due, too, and those that have claimed it.
    async fn still_due<'c>(
        &self,
        stalled: Vec<(&'c Arc<BotCard>, Instant)>,
    ) -> Result<Vec<(&'c Arc<BotCard>, Cause)>, StoreError> {
        if stalled.is_empty() {
            return Ok(Vec::new());
        }
        let until = self.now - self.env.alerting.rules().stalled_after;
        let due = self.env.store.due(until).await?;
        let due: HashMap<&BotName, &BotState> =
            due.iter().map(|state| (&state.bot, state)).collect();
        let stalled = stalled.into_iter().filter(|(card, _)| {
            let is_held = |state: &&BotState| state.hold.is_some();
            let known = due.get(&card.bot.name);
            card.claimed.is_some() || known.is_some_and(|state| !is_held(state))
        });
        Ok(stalled
            .map(|(card, slot)| (card, Cause::Stalled { slot }))
            .collect())
    }

    fn stall(&self, card: &BotCard) -> Option<Instant> {
        let jitter = TimeDelta::from_std(card.bot.policy.jitter);
        let seen = Seen {
            claimed: card.claimed,
            next_run: card.state.next_run,
            jitter: jitter.unwrap_or(TimeDelta::MAX),
            should_run: should_run(card, &card.state),
        };
        seen.stalled(self.env.alerting.rules().stalled_after, self.now)
    }

    /// What is wrong if the bot's next run is later than its schedule says.
    fn passed_over(&self, card: &BotCard, state: &BotState) -> Option<Cause> {
        let after = self.env.alerting.rules().stalled_after;
        let should_run = should_run(card, state) && card.claimed.is_none();
        let passed = should_run.then(|| passed_over(state, after, self.now))?;
        passed.map(|(slot, next)| Cause::PassedOver { slot, next })
    }
}

/// What is to be told of a bot's dead posts, the newest of which is the first.
fn dead(posts: &[Post]) -> Cause {
    let newest = posts.first();
    Cause::DeadPosts {
        posts: posts.len() as u64,
        newest: newest.map_or(0, |post| post.id),
        error: newest.and_then(|post| post.error.clone()),
    }
}

/// Whether nothing but a fault keeps the bot from running, and no run of it is on.
fn should_run(card: &BotCard, state: &BotState) -> bool {
    let is_held = state.hold.is_some() || card.bot.quarantine.is_some();
    card.bot.enabled && !is_held && card.running.is_empty()
}

const REMOVED: &str = "The bot is not configured any more.";

/// Whether what an incident of a bot tells of is over, as far as this state says.
fn is_over(incident: &Incident, state: &BotState, card: &BotCard, eye: &Eye<'_>) -> bool {
    let since = incident.since;
    let hold = state.hold.as_ref().map(|hold| hold.kind);
    match incident.kind {
        AlertKind::Failures => {
            let success = state.last_success.is_some_and(|at| at > since);
            success && state.consecutive_failures == 0
        }
        AlertKind::Held => {
            let kinds = [HoldKind::Failures, HoldKind::Refused, HoldKind::Invalid];
            !hold.is_some_and(|kind| kinds.contains(&kind))
        }
        AlertKind::GivenUp => hold != Some(HoldKind::GivenUp) && eye.now - since > SPREADING,
        AlertKind::Missed => state.last_run.is_some_and(|at| at > since),
        AlertKind::Stalled => eye.stall(card).is_none() && eye.passed_over(card, state).is_none(),
        AlertKind::BreakerOpen | AlertKind::DeadPosts | AlertKind::Digest | AlertKind::Test => {
            false
        }
    }
}

/// What lasts and would have been told of when it began.
fn untold(env: &Env, state: &BotState) -> Option<Cause> {
    if let Some(cause) = state.hold.as_ref().and_then(Cause::of_hold) {
        return Some(cause);
    }
    let in_a_row = state.consecutive_failures;
    if in_a_row == 0 {
        return None;
    }
    let alerts = alerts_of(env, Some(&state.bot));
    let enough = in_a_row >= env.alerting.rules().failures_from(&alerts);
    (enough && !state.removed).then_some(Cause::Failures {
        in_a_row,
        last: None,
    })
}
