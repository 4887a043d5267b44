//! What webhooks have in common: posts name them, and only the configuration knows their URLs.

use super::PostFailure;
use crate::outbound::OutboundError;

/// A post that was stored for a webhook that is no longer there: it goes out when it is back.
pub(super) fn unknown(name: &str) -> PostFailure {
    PostFailure::Unprepared(format!(
        "there is no webhook `{name}` of this type in `[outbound.webhooks]`"
    ))
}

/// A post that got no answer. An address that may not be reached is the destination's fault, not the post's.
pub(super) fn unsent(error: OutboundError) -> PostFailure {
    match error {
        OutboundError::Refused(text) => PostFailure::Forbidden(text),
        OutboundError::Bad(text) | OutboundError::Lost(text) => PostFailure::Transient(text),
        OutboundError::TimedOut(text) => PostFailure::TimedOut(text),
    }
}
