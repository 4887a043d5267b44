//! Dead-man pings in the protocol of healthchecks.io: a service outside that is told of each run, and raises the alarm when
//! it hears nothing.
//!
//! The protocol is that of <https://healthchecks.io/docs/http_api/>: `URL/start`, `URL`, `URL/fail` and `URL/log`, with the
//! run's id in `rid` and what went wrong in the body. The URL is all that it takes to ping, so it is a secret.

use reqwest::{Url, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{NotDelivered, address, outlet::Outlet};
use crate::clock::Clock;

const USER_AGENT: &str = concat!("actor-server/", env!("CARGO_PKG_VERSION"));
/// The longest body that is sent, in bytes; the service keeps 100 kB of it, older ones 10 kB.
const LONGEST_BODY: usize = 10_000;
/// Runs of many bots ping the same host.
const IDLE_CONNECTIONS: usize = 4;

/// Where to ping for a bot.
#[derive(Clone, Debug)]
pub struct PingTarget {
    /// Of one check: `https://hc-ping.com/UUID`, or `https://hc-ping.com/PING_KEY/SLUG`.
    pub url: SecretString,
    /// Whether the service is to make the check if there is none by that slug.
    pub create: bool,
}

/// What is told about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// It has begun.
    Start,
    /// It has ended well.
    Success,
    /// It has ended badly.
    Fail,
    /// Something to note, which changes nothing.
    Log,
}

impl Signal {
    /// What stands behind the URL.
    const fn path(self) -> &'static str {
        match self {
            Self::Start => "/start",
            Self::Success => "",
            Self::Fail => "/fail",
            Self::Log => "/log",
        }
    }
}

/// Pings; one for all bots.
pub struct Pings {
    outlet: Outlet,
    clock: Clock,
}

impl Pings {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new() -> Result<Self, String> {
        Ok(Self {
            outlet: Outlet::new(USER_AGENT, IDLE_CONNECTIONS)?,
            clock: Clock::process(),
        })
    }

    /// Sends one ping. `run` is the same for the start and the end of a run; `body` is cut to 10 kB.
    ///
    /// # Errors
    /// It was not taken; whether another attempt may help.
    pub async fn ping(
        &self,
        target: &PingTarget,
        signal: Signal,
        run: Uuid,
        body: &str,
    ) -> Result<(), NotDelivered> {
        let base = address::parse("the ping URL", target.url.expose_secret())
            .map_err(NotDelivered::Never)?;
        let request = self
            .outlet
            .post(url(&base, target.create, signal, run))
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(shortened(body));
        let answer = Outlet::send(request).await?;
        if answer.is_success() {
            return heard(answer.body().await.trim());
        }
        answer.verdict(&self.clock, &address::secrets(&base)).await
    }
}

fn url(base: &Url, create: bool, signal: Signal, run: Uuid) -> Url {
    let mut url = address::below(base, signal.path());
    let mut query = url.query_pairs_mut();
    query.append_pair("rid", &run.to_string());
    if create {
        query.append_pair("create", "1");
    }
    drop(query);
    url
}

/// At most so many bytes, of whole characters, without NUL.
fn shortened(body: &str) -> String {
    let end = body.floor_char_boundary(LONGEST_BODY);
    let kept = body.get(..end).unwrap_or_default();
    kept.replace('\0', " ")
}

/// A ping of a check by its UUID is answered with 200 even when it was not taken; the body tells.
fn heard(said: &str) -> Result<(), NotDelivered> {
    match said {
        "OK (not found)" => Err(NotDelivered::Never(
            "the service has no such check (it answered OK (not found)); is the ping URL right?"
                .into(),
        )),
        "OK (rate limited)" => Err(NotDelivered::Later {
            reason: "the service was pinged too often (it answered OK (rate limited))".into(),
            after: None,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_keeps_the_query_of_its_url() {
        let run = Uuid::from_u128(7);
        let rid = "rid=00000000-0000-0000-0000-000000000007";
        for (base, create, signal, expected) in [
            (
                "https://h/k/daily",
                true,
                Signal::Start,
                "https://h/k/daily/start?{rid}&create=1",
            ),
            (
                "https://h/k/daily/",
                false,
                Signal::Success,
                "https://h/k/daily?{rid}",
            ),
            (
                "https://h/k?a=b",
                false,
                Signal::Fail,
                "https://h/k/fail?a=b&{rid}",
            ),
            (
                "https://h",
                true,
                Signal::Log,
                "https://h/log?{rid}&create=1",
            ),
        ] {
            let base = Url::parse(base).unwrap();
            let made = url(&base, create, signal, run);
            assert_eq!(made.as_str(), expected.replace("{rid}", rid));
        }
    }

    #[test]
    fn a_body_is_cut_between_characters() {
        let long = "é".repeat(20_000);
        assert_eq!(shortened(&long).len(), 10_000);
        assert_eq!(shortened(&("x".to_owned() + &long)).len(), 9_999);
        assert_eq!(shortened("a\0b\n"), "a b\n");
    }
}
