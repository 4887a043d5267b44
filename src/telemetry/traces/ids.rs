//! Names of traces and spans: random, but for a trace that must be found again by another process.

use std::cell::Cell;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use sha2::{Digest, Sha256};

thread_local! {
    /// The name of the next trace that begins on this thread.
    static NEXT: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// The source of names.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Does `begin`; a trace that begins in it has the name that follows from `seed`. Whoever knows the seed makes the same.
pub(super) fn named<T>(seed: &str, begin: impl FnOnce() -> T) -> T {
    NEXT.set(Some(name(seed)));
    let begun = begin();
    NEXT.set(None);
    begun
}

/// As even as a random one, so that sampling by trace ids takes as many as it should.
fn name(seed: &str) -> TraceId {
    let digest = Sha256::digest(seed);
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    TraceId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_makes_one_name_once_and_all_others_are_random() {
        let ids = Ids::default();
        let of = |seed: &str| named(seed, || ids.new_trace_id());
        assert_eq!(of("database 1"), of("database 1"));
        assert_ne!(of("database 1"), of("database 2"));
        assert_ne!(ids.new_trace_id(), ids.new_trace_id());
        named("database 1", || ());
        assert_ne!(ids.new_trace_id(), of("database 1"));
    }
}
