//! Where a trace comes from: the headers of the W3C Trace Context recommendation, levels 1 and 2, read strictly.
//!
//! What does not follow the recommendation is as if it were not there: a caller's mistake must not stop its request. A
//! bad `tracestate` costs only itself.

use serde_json::{Map, Value};

/// The longest `traceparent` that is looked at; later versions of the recommendation may add to the 55 characters of this
/// one.
const LONGEST_PARENT: usize = 256;
/// The longest `tracestate` that is taken along, in characters: what the recommendation wants at least.
const LONGEST_STATE: usize = 512;
/// Most members of a `tracestate`, by the recommendation.
const MOST_MEMBERS: usize = 32;
/// The flags that have a meaning: sampled, and (level 2) a random trace id.
const KNOWN_FLAGS: u8 = 0b11;

/// A caller's span, and what its tracing systems want to know again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not zero.
    pub(super) trace_id: u128,
    /// The caller's span; not zero.
    pub(super) span_id: u64,
    /// Those of [`KNOWN_FLAGS`].
    pub(super) flags: u8,
    /// A valid `tracestate`; may be empty.
    pub(super) state: String,
}

impl TraceContext {
    /// Reads the values of the headers `traceparent` and `tracestate`, each as often as it came; there may be one
    /// `traceparent` only.
    #[must_use]
    pub fn read<'a>(
        mut parents: impl Iterator<Item = &'a str>,
        states: impl Iterator<Item = &'a str>,
    ) -> Option<Self> {
        let parent = parents.next().filter(|_| parents.next().is_none())?;
        let (trace_id, span_id, flags) = parse(parent)?;
        let state = states.collect::<Vec<_>>().join(",");
        Some(Self {
            trace_id,
            span_id,
            flags,
            state: members(&state).unwrap_or_default(),
        })
    }

    /// The header `traceparent`.
    #[must_use]
    pub fn parent(&self) -> String {
        let Self {
            trace_id,
            span_id,
            flags,
            ..
        } = self;
        format!("00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
    }

    /// The header `tracestate`; empty if there is nothing in it.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// As it is kept with a run: `{"parent": …, "state": …}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut kept = Map::new();
        kept.insert("parent".into(), self.parent().into());
        if !self.state.is_empty() {
            kept.insert("state".into(), self.state.as_str().into());
        }
        kept.into()
    }

    /// Reads what was kept with a run.
    #[must_use]
    pub fn from_json(kept: &Value) -> Option<Self> {
        let text = |key| kept.get(key).and_then(Value::as_str).into_iter();
        Self::read(text("parent"), text("state"))
    }
}

/// `version-trace_id-span_id-flags`, all of it lower-case hexadecimal.
fn parse(parent: &str) -> Option<(u128, u64, u8)> {
    let (known, further) = parent.split_at_checked(55)?;
    let mut parts = known.split('-');
    let mut part = |length: usize| parts.next().filter(|part| is_hex(part, length));
    let (version, trace_id, span_id, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    let fits = match version {
        "ff" => false,
        "00" => further.is_empty(),
        _ => further.is_empty() || further.starts_with('-'),
    };
    let trace_id = u128::from_str_radix(trace_id, 16).ok()?;
    let span_id = u64::from_str_radix(span_id, 16).ok()?;
    let flags = u8::from_str_radix(flags, 16).ok()? & KNOWN_FLAGS;
    let good = fits && parent.len() <= LONGEST_PARENT && trace_id != 0 && span_id != 0;
    good.then_some((trace_id, span_id, flags))
}

fn is_hex(text: &str, length: usize) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(hex)
}

/// The members of a `tracestate` without what may stand between them; `None` if one of them is wrong, or two have one key.
fn members(state: &str) -> Option<String> {
    if state.len() > LONGEST_STATE {
        return None;
    }
    let members = state
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for member in members.filter(|member| !member.is_empty()) {
        let (key, value) = member.split_once('=')?;
        let again = kept.iter().any(|(other, _)| *other == key);
        if again || !is_key(key) || !is_value(value) {
            return None;
        }
        kept.push((key, value));
    }
    let texts = kept.iter().map(|(key, value)| format!("{key}={value}"));
    let texts: Vec<String> = texts.collect();
    (texts.len() <= MOST_MEMBERS).then(|| texts.join(","))
}

fn is_key(key: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte: u8| first(&byte) || b"_-*/@".contains(&byte);
    key.len() <= 256 && key.as_bytes().first().is_some_and(first) && key.bytes().all(rest)
}

fn is_value(value: &str) -> bool {
    let allowed = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(parent: &str, state: &str) -> Option<TraceContext> {
        TraceContext::read([parent].into_iter(), [state].into_iter())
    }

    #[test]
    fn a_good_header_is_read_and_written_again() {
        let found = read(GOOD, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE").unwrap();
        assert_eq!(found.parent(), GOOD);
        assert_eq!(found.state(), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
        assert_eq!(TraceContext::from_json(&found.to_json()), Some(found));
        let bare = read(GOOD, "").unwrap();
        assert_eq!(TraceContext::from_json(&bare.to_json()), Some(bare));
    }

    #[test]
    fn a_header_that_does_not_follow_the_recommendation_is_none() {
        let [version, trace, span, flags] = ["00", &GOOD[3..35], &GOOD[36..52], "01"];
        for bad in [
            String::new(),
            "x".repeat(55),
            GOOD.to_uppercase(),
            format!("{GOOD} "),
            format!("{GOOD}-"),
            format!("{GOOD}-00"),
            format!("ff-{trace}-{span}-{flags}"),
            format!("{version}-{}-{span}-{flags}", "0".repeat(32)),
            format!("{version}-{trace}-{}-{flags}", "0".repeat(16)),
            format!("{version}-{}-{span}-{flags}", &trace[1..]),
            format!("{version}-{trace}-{span}-1"),
            format!("{version}-{trace}-{span}-+1"),
            format!("{version}_{trace}_{span}_{flags}"),
            format!("01-{trace}-{span}-{flags}x"),
            format!("01-{trace}-{span}-{flags}-{}", "a".repeat(300)),
            format!("{}é", &GOOD[..54]),
        ] {
            assert_eq!(read(&bad, ""), None, "{bad}");
        }
        let twice = TraceContext::read([GOOD, GOOD].into_iter(), [].into_iter());
        assert_eq!(twice, None);
        assert_eq!(
            TraceContext::read([].into_iter(), ["a=b"].into_iter()),
            None
        );
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = format!("cc{}-what-may-come", &GOOD[2..]);
        assert_eq!(read(&later, "").unwrap().parent(), GOOD);
        let flags = format!("{}fe", &GOOD[..53]);
        assert!(read(&flags, "").unwrap().parent().ends_with("-02"));
    }

    #[test]
    fn a_bad_tracestate_costs_only_itself() {
        for (state, kept) in [
            ("a=1, b=2 ,,\tc=3", "a=1,b=2,c=3"),
            ("0a@b=x y", "0a@b=x y"),
            ("a=1,a=2", ""),
            ("A=1", ""),
            ("a", ""),
            ("a=", ""),
            ("=1", ""),
            ("a=b=c", ""),
            ("a=\u{7f}", ""),
            ("a=é", ""),
        ] {
            assert_eq!(read(GOOD, state).unwrap().state(), kept, "{state}");
        }
        let many = |n: usize| {
            (0..n)
                .map(|n| format!("k{n}=1"))
                .collect::<Vec<_>>()
                .join(",")
        };
        assert_eq!(read(GOOD, &many(32)).unwrap().state(), many(32));
        assert_eq!(read(GOOD, &many(33)).unwrap().state(), "");
        let long = format!("a={}", "x".repeat(256));
        assert_eq!(read(GOOD, &long).unwrap().state(), long);
        assert_eq!(read(GOOD, &format!("{long}x")).unwrap().state(), "");
        let total = format!("{long},b={}", "x".repeat(256));
        assert_eq!(read(GOOD, &total).unwrap().state(), "");
        let parts = TraceContext::read([GOOD].into_iter(), ["a=1", "b=2"].into_iter());
        assert_eq!(parts.unwrap().state(), "a=1,b=2");
    }
}
