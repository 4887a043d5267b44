//! How many requests a client address may send in a second (`[http] rate_limit_per_second`).

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};

use super::error::Problem;

/// After so many requests, addresses that were quiet for a second are forgotten.
const TIDY_EVERY: u32 = 4096;

/// The limit; clones share the counts.
#[derive(Clone)]
pub(super) struct Limit(Arc<Counts>);

struct Counts {
    limit: NonZeroU32,
    limiter: RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>,
    clock: DefaultClock,
    seen: AtomicU32,
}

impl Limit {
    /// `None` for no limit.
    pub(super) fn new(per_second: u32) -> Option<Self> {
        let limit = NonZeroU32::new(per_second)?;
        Some(Self(Arc::new(Counts {
            limit,
            limiter: RateLimiter::dashmap(Quota::per_second(limit)),
            clock: DefaultClock::default(),
            seen: AtomicU32::new(0),
        })))
    }

    /// Counts one request of this address.
    ///
    /// # Errors
    /// It is one too many; how long to wait.
    fn count(&self, client: IpAddr) -> Result<(), Duration> {
        let counts = &self.0;
        if counts.seen.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            counts.limiter.retain_recent();
            counts.limiter.shrink_to_fit();
        }
        let checked = counts.limiter.check_key(&neighbourhood(client));
        checked.map_err(|until| until.wait_time_from(counts.clock.now()))
    }
}

/// Who has one IPv6 address has 2^64 of them.
fn neighbourhood(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        v4 => v4,
    }
}

/// Probes and scrapes on a shared listener are not counted: who looks after the server is no flood.
fn is_counted(path: &str) -> bool {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    !["/health", "/metrics"]
        .iter()
        .any(|free| path == *free || path.starts_with("/health/"))
}

/// Lets a request through, or answers 429.
pub(super) async fn keep<B: MessageBody>(
    limit: Option<Limit>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<actix_web::body::EitherBody<B>>, actix_web::Error> {
    let client = request.peer_addr().map(|address| address.ip());
    if let (Some(limit), Some(client)) = (limit, client)
        && is_counted(request.path())
        && let Err(wait) = limit.count(client)
    {
        // A client that waits as long as it is told must get through.
        let wait_s = wait.as_secs() + 1;
        let problem = Problem::too_many(limit.0.limit.get(), wait_s);
        let response = HttpResponse::from_error(problem).map_into_right_body();
        return Ok(ServiceResponse::new(request.into_parts().0, response));
    }
    Ok(next.call(request).await?.map_into_left_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_share_and_another_its_own() {
        let limit = Limit::new(2).unwrap();
        let (one, other) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert!(limit.count(one).is_ok() && limit.count(one).is_ok());
        let wait = limit.count(one).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limit.count(other).is_ok());
    }

    #[test]
    fn the_addresses_of_one_network_are_one_client() {
        let near = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(near("2001:db8::1"), near("2001:db8::ffff:1"));
        assert_ne!(near("2001:db8::1"), near("2001:db8:0:1::1"));
        assert_eq!(near("::ffff:10.0.0.1"), near("10.0.0.1"));
    }

    #[test]
    fn addresses_that_went_quiet_are_forgotten() {
        let limit = Limit::new(1_000_000).unwrap();
        for n in 0..TIDY_EVERY * 8 {
            let _ = limit.count(IpAddr::from(n.to_be_bytes()));
        }
        assert!(limit.0.limiter.len() <= TIDY_EVERY as usize * 2);
    }

    #[test]
    fn probes_are_not_counted() {
        for free in [
            "/health",
            "/health/live",
            "/api/v1/health/ready",
            "/metrics",
        ] {
            assert!(!is_counted(free), "{free}");
        }
        for counted in ["/api/v1/actors", "/healthy", "/", "/metricsx"] {
            assert!(is_counted(counted), "{counted}");
        }
    }
}
