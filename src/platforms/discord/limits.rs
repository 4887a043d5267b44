//! The waits that Discord has asked for, kept so that no request is spent on a sure refusal.
//!
//! A 429 holds back its bucket, or everything when it is global; a success that used up its bucket holds that back until it is
//! full again. Routes share a bucket when Discord names the same one for them, each channel (or webhook) apart. Refusals of
//! any kind are counted, because Discord bans an address that collects 10,000 of them within 10 minutes. The answer in hand is
//! never changed by any of this.

use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::StatusCode;
use tokio::time::Instant;

use super::answer::{Answer, Limit};

/// Refused requests within [`BAN_WINDOW`] after which none is sent any more until it is over: Discord's bound is for the
/// address, which other programs may share.
const MOST_REFUSED: u32 = 2_000;

/// Discord counts refused requests within 10 minutes.
const BAN_WINDOW: Duration = Duration::from_secs(600);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Route {
    /// A new message.
    Create,
    /// Messages of a channel.
    Read,
    /// A channel.
    Channel,
    /// Who the bot is.
    Me,
    /// A new message of a webhook.
    Webhook,
}

/// Of what: buckets are counted for each apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Major {
    /// Of nothing in particular.
    None,
    /// Of a channel.
    Channel(NonZeroU64),
    /// Of a webhook, by its name here.
    Webhook(Arc<str>),
}

/// Where a request goes, as far as limits care.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) route: Route,
    pub(super) major: Major,
}

/// What one token has to wait for; of webhooks, what each has.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Waits>);

/// A bucket that Discord has named, or that of a route whose bucket has no name yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Bucket {
    Named(Arc<str>),
    Of(Route),
}

#[derive(Debug, Default)]
struct Waits {
    /// No request at all before this.
    all: Option<Instant>,
    /// The names that Discord has told. As many as there are channels.
    names: HashMap<Place, Arc<str>>,
    /// No request before this. Waits that are over are swept out, so it holds live ones only.
    buckets: HashMap<(Bucket, Major), Instant>,
    /// Since when refusals are counted, and how many there are.
    refused: Option<(Instant, u32)>,
}

impl Limits {
    /// How long a request has to wait still.
    pub(super) fn wait(&self, place: &Place) -> Option<Duration> {
        let now = Instant::now();
        let waits = self.waits();
        let of = |bucket| waits.buckets.get(&(bucket, place.major.clone())).copied();
        let named = waits.names.get(place);
        let named = named.and_then(|name| of(Bucket::Named(Arc::clone(name))));
        let until = waits.all.max(of(Bucket::Of(place.route))).max(named);
        let until = until.max(waits.refused_enough())?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Takes in what an answer says about limits.
    pub(super) fn hear(&self, place: &Place, answer: &Answer) {
        let now = Instant::now();
        let mut waits = self.waits();
        waits.buckets.retain(|_, until| *until > now);
        waits.count(answer, now);
        let bucket = match answer.bucket() {
            Some(name) => {
                let name: Arc<str> = name.into();
                waits.names.insert(place.clone(), Arc::clone(&name));
                Bucket::Named(name)
            }
            None => Bucket::Of(place.route),
        };
        match answer.limit() {
            Some(Limit::Everywhere(wait)) => waits.all = waits.all.max(now.checked_add(wait)),
            Some(Limit::Bucket(wait)) => {
                let key = (bucket, place.major.clone());
                let until = waits.buckets.entry(key).or_insert(now);
                *until = (*until).max(now + wait);
            }
            None => {}
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waits {
    /// A 429 counts unless it is of a limit that others share.
    fn count(&mut self, answer: &Answer, now: Instant) {
        let counts = match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => true,
            StatusCode::TOO_MANY_REQUESTS => !answer.is_shared(),
            _ => false,
        };
        let open = self.refused.filter(|(since, _)| now - *since < BAN_WINDOW);
        let (since, refused) = open.unwrap_or((now, 0));
        self.refused = Some((since, refused + u32::from(counts)));
    }

    fn refused_enough(&self) -> Option<Instant> {
        let (since, refused) = self.refused?;
        (refused >= MOST_REFUSED).then(|| since + BAN_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn place(route: Route, channel: u64) -> Place {
        let major = Major::Channel(NonZeroU64::new(channel).unwrap());
        Place { route, major }
    }

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let status = StatusCode::from_u16(status).unwrap();
        Answer::new(status, HeaderMap::from_iter(headers), Vec::new())
    }

    #[tokio::test(start_paused = true)]
    async fn routes_that_share_a_bucket_wait_for_each_other_and_other_channels_do_not() {
        let (limits, named) = (Limits::default(), ("x-ratelimit-bucket", "abc"));
        let (create, read) = (place(Route::Create, 1), place(Route::Read, 1));
        limits.hear(&read, &answer(200, &[named]));
        let spent = [
            named,
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset-after", "5"),
        ];
        limits.hear(&create, &answer(200, &spent));
        assert_eq!(limits.wait(&create), Some(Duration::from_secs(5)));
        assert_eq!(limits.wait(&read), limits.wait(&create));
        for other in [place(Route::Create, 2), place(Route::Channel, 1)] {
            assert_eq!(limits.wait(&other), None);
        }
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(limits.wait(&create), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_refused_too_often_asks_no_more_for_a_while() {
        let (limits, place) = (Limits::default(), place(Route::Create, 1));
        let shared = [("x-ratelimit-scope", "shared"), ("retry-after", "0")];
        for _ in 0..MOST_REFUSED {
            limits.hear(&place, &answer(429, &shared));
        }
        for _ in 1..MOST_REFUSED {
            limits.hear(&place, &answer(403, &[]));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(limits.wait(&place), None);
        limits.hear(&place, &answer(401, &[]));
        assert_eq!(
            limits.wait(&place),
            Some(BAN_WINDOW - Duration::from_secs(1))
        );
        tokio::time::advance(BAN_WINDOW).await;
        assert_eq!(limits.wait(&place), None);
        limits.hear(&place, &answer(200, &[]));
        assert_eq!(limits.wait(&place), None);
    }
}
