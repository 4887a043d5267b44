//! Why there is no answer, in words that name the origin and nothing else of the URL.

use std::{
    error::Error,
    io::{self, ErrorKind},
    time::Duration,
};

use reqwest::Url;

use super::{OutboundError, clients::OutOfReach};
use crate::domain::{reach::Reach, text::bounded};

/// Scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The whole time is over.
pub(super) fn late(origin: &str, time: Duration) -> OutboundError {
    let seconds = time.as_secs_f64();
    OutboundError::TimedOut(format!("{origin} did not answer within {seconds} s"))
}

/// No answer has begun.
pub(super) fn of(reach: &Reach, url: &Url, error: reqwest::Error) -> OutboundError {
    let (origin, error) = (origin(url), error.without_url());
    if causes(&error).any(|cause| cause.is::<OutOfReach>()) {
        return OutboundError::Refused(reach.refusal(&origin));
    }
    let what = innermost(&error);
    if error.is_builder() {
        return OutboundError::Refused(format!("cannot make the request to {origin}: {what}"));
    }
    if error.is_timeout() {
        return OutboundError::TimedOut(format!("cannot connect to {origin} in time"));
    }
    if error.is_connect() {
        return OutboundError::Lost(format!("cannot connect to {origin}: {what}"));
    }
    match causes(&error).any(|cause| is_no_http(&cause.to_string())) {
        true => OutboundError::Bad(format!("{origin} does not speak HTTP as it should: {what}")),
        false => OutboundError::Lost(format!("the connection to {origin} was lost: {what}")),
    }
}

/// An answer has begun, and has no end.
pub(super) fn unread(origin: &str, error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let what = innermost(&error);
    let broken = |cause: &(dyn Error + 'static)| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(kind, Some(ErrorKind::InvalidData | ErrorKind::InvalidInput))
            && !causes(cause).skip(1).any(|deeper| deeper.is::<io::Error>())
    };
    match causes(&error).any(broken) {
        true => OutboundError::Bad(format!("the answer of {origin} cannot be unpacked: {what}")),
        false => OutboundError::Lost(format!("the answer of {origin} broke off: {what}")),
    }
}

/// How the HTTP library words what is no HTTP; it has no other way to tell.
fn is_no_http(words: &str) -> bool {
    words.starts_with("invalid HTTP") || words.starts_with("message head is too large")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// The cause at the bottom, which says more than the layers above it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let deepest = causes(error).last().map(ToString::to_string);
    bounded(&deepest.unwrap_or_default(), 200)
}
