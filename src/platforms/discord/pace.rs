//! Discord's global limit, kept on this side: within any second it takes at most 50 requests of a token.
//!
//! Requests go out evenly, a little slower than the limit; one that comes late never makes the next ones come in a heap. Even
//! so they may arrive closer together than they went out. A request counts from when it is sent until a second after it was
//! answered, less the shortest way there and back that was ever seen, and at most 50 may count at a time: then no second
//! of Discord's clock has more, whatever the network does to them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

/// Requests that may count at a time (Discord: 50 a second).
const MOST: usize = 50;

/// Discord's window.
const SECOND: Duration = Duration::from_secs(1);

/// From one request to the next: 49.3 a second.
const STEP: Duration = Duration::from_micros(20_300);

/// So much of a delay is made up for.
const SLACK: Duration = Duration::from_millis(8);

/// Keeps the pace of one token.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the next may go; held by whoever is next, so that the others stay in line.
    next: tokio::sync::Mutex<Option<Instant>>,
    counted: Mutex<Counted>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct Counted {
    /// At most [`MOST`].
    requests: Vec<Request>,
    last_id: u64,
    /// The shortest way there and back.
    quickest: Option<Duration>,
}

#[derive(Debug)]
struct Request {
    id: u64,
    sent: Instant,
    answered: Option<Instant>,
}

/// The right to send one request now; dropped when it is answered.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    id: u64,
}

impl Pace {
    /// Waits for the turn of one request; first come, first served.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        let id = self.room().await;
        let now = Instant::now();
        let even = next.map_or(now, |at| at + STEP);
        *next = Some(even.max(now + STEP - SLACK));
        Turn { pace: self, id }
    }

    /// Waits until one more may count.
    async fn room(&self) -> u64 {
        loop {
            let answered = self.answered.notified();
            let wait = match self.counted().take(Instant::now()) {
                Ok(id) => return id,
                Err(wait) => wait,
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = answered => {}
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Counts one more, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<u64, Duration> {
        let quickest = self.quickest.unwrap_or_default().min(SECOND / 2);
        let until = |request: &Request| request.until(now) + SECOND - quickest;
        self.requests.retain(|request| until(request) > now);
        if self.requests.len() < MOST {
            self.last_id += 1;
            let (id, sent, answered) = (self.last_id, now, None);
            self.requests.push(Request { id, sent, answered });
            return Ok(id);
        }
        let soonest = self.requests.iter().map(until).min();
        let wait = soonest.map_or(SECOND, |at| at.saturating_duration_since(now));
        Err(wait.max(Duration::from_millis(1)))
    }

    fn answer(&mut self, id: u64, now: Instant) {
        let request = self.requests.iter_mut().find(|request| request.id == id);
        if let Some(request) = request {
            request.answered = Some(now);
            let took = now - request.sent;
            self.quickest = Some(self.quickest.map_or(took, |least| least.min(took)));
        }
    }
}

impl Request {
    /// The latest that Discord may have got it; one that hangs has long arrived, and holds up nobody.
    fn until(&self, now: Instant) -> Instant {
        self.answered.unwrap_or(now).min(self.sent + SECOND)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.counted().answer(self.id, Instant::now());
        self.pace.answered.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most requests within any second.
    fn densest(times: &[Instant]) -> usize {
        let within = |from: &Instant| {
            let later = times
                .iter()
                .filter(|at| **at >= *from && **at - *from < SECOND);
            later.count()
        };
        times.iter().map(within).max().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn any_second_has_at_most_fifty_and_almost_so_many() {
        let pace = Pace::default();
        let (start, mut sent) = (Instant::now(), Vec::new());
        while start.elapsed() < SECOND * 10 {
            let turn = pace.turn().await;
            sent.push(Instant::now());
            drop(turn);
        }
        assert!(densest(&sent) <= 50, "{}", densest(&sent));
        assert!(sent.len() >= 480, "{}", sent.len());
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_the_way_takes_no_second_of_the_other_side_has_more() {
        for late in [0, 30, 150, 400, 900] {
            let pace = std::sync::Arc::new(Pace::default());
            let arrived = std::sync::Arc::new(Mutex::new(Vec::new()));
            let mut asking = Vec::new();
            for n in 0..300_u64 {
                let (pace, arrived) = (pace.clone(), arrived.clone());
                asking.push(tokio::spawn(async move {
                    let turn = pace.turn().await;
                    // Some are held up: those behind them catch up with them.
                    let held_up = if n % 50 < 40 { late } else { 0 };
                    sleep(Duration::from_millis(10 + held_up)).await;
                    arrived.lock().unwrap().push(Instant::now());
                    sleep(Duration::from_millis(10)).await;
                    drop(turn);
                }));
            }
            for one in asking {
                one.await.unwrap();
            }
            let mut arrived = arrived.lock().unwrap().clone();
            arrived.sort();
            assert!(densest(&arrived) <= 50, "{late}: {}", densest(&arrived));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_holds_up_nobody_for_long() {
        let pace = Pace::default();
        let mut hanging = Vec::new();
        for _ in 0..50 {
            hanging.push(pace.turn().await);
        }
        let start = Instant::now();
        drop(pace.turn().await);
        assert!(start.elapsed() <= SECOND * 2, "{:?}", start.elapsed());
    }
}
