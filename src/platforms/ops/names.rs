//! What notices and incidents are called by the other side: the same text for the same thing, within its limits.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// The longest id of a message that receivers have to keep, in characters.
const LONGEST_ID: usize = 255;
/// PagerDuty's limit of a `dedup_key`, in characters.
const LONGEST_KEY: usize = 255;
/// Below Discord's limit of a nonce, which is 25 characters.
const NONCE: usize = 24;

/// The id of a notice as a header may carry it and Standard Webhooks may sign it: visible ASCII without `.`, which
/// separates what is signed.
pub(super) fn id(notice: &str) -> Cow<'_, str> {
    let fits = (1..=LONGEST_ID).contains(&notice.len());
    let plain = notice.bytes().all(|b| b.is_ascii_graphic() && b != b'.');
    if fits && plain {
        Cow::Borrowed(notice)
    } else {
        Cow::Owned(hash(notice))
    }
}

/// What Discord recognises a repetition by.
pub(super) fn nonce(notice: &str) -> String {
    hash(notice).chars().take(NONCE).collect()
}

/// What PagerDuty knows an incident by.
pub(super) fn dedup_key(incident: &str) -> Cow<'_, str> {
    let fits = (1..=LONGEST_KEY).contains(&incident.chars().count());
    if fits && !incident.chars().any(char::is_control) {
        Cow::Borrowed(incident)
    } else {
        Cow::Owned(hash(incident))
    }
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fits_stays_and_any_other_becomes_a_hash() {
        let long = "é".repeat(256);
        assert_eq!(
            id("failures/daily:raised:webhook"),
            "failures/daily:raised:webhook"
        );
        assert_eq!(dedup_key("held/daily poster"), "held/daily poster");
        for odd in ["", "a.b", "a b", "a\nb", "ä", long.as_str()] {
            assert_eq!(id(odd).len(), 64, "{odd}");
        }
        for odd in ["", "a\0b", long.as_str()] {
            assert_eq!(dedup_key(odd).len(), 64, "{odd}");
        }
        assert_eq!(nonce("a").len(), 24);
        assert_eq!(
            (nonce("a"), id("a.b")),
            (nonce("a"), Cow::Owned(hash("a.b")))
        );
        assert_ne!(nonce("a"), nonce("b"));
    }
}
