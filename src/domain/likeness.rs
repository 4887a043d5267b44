//! Whether a text says what an earlier one said already.
//!
//! Case, white space and the way in which accents are written count for nothing. The measure is
//! `2 × (longest common subsequence) / (sum of the lengths)`, in characters: 1 for equal texts, 0 for such without a common
//! character. Computing it takes time in proportion to both lengths, so that almost every pair is ruled out by cheaper means
//! that never rule out too much: by the lengths, and by the runs of three characters that two like texts must share.

use std::{collections::HashMap, sync::Arc};

use rapidfuzz::distance::indel::{Args, BatchComparator};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::text::bounded;

/// So many characters of a text are compared; Discord takes half of them in a message.
pub const COMPARED: usize = 4000;

/// Characters of an earlier text that are shown.
const SHOWN: usize = 60;

/// Texts that were there before.
#[derive(Debug, Default)]
pub struct Earlier {
    texts: Vec<Text>,
    /// Where each stands.
    places: HashMap<Arc<str>, usize>,
}

#[derive(Debug)]
struct Text {
    plain: Arc<str>,
    length: usize,
    /// How it begins.
    shown: String,
}

/// An earlier text that says the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// How it begins.
    pub text: String,
    /// How like, up to 1.
    pub score: f64,
}

impl Earlier {
    /// Adds a text; one that is there already, and an empty one, changes nothing.
    pub fn add(&mut self, text: &str) {
        let plain: Arc<str> = plain(text).into();
        if plain.is_empty() || self.places.contains_key(&plain) {
            return;
        }
        self.places.insert(Arc::clone(&plain), self.texts.len());
        self.texts.push(Text {
            length: plain.chars().count(),
            plain,
            shown: bounded(text.trim(), SHOWN),
        });
    }

    /// The first text that is at least so much like this one; an equal one goes before all.
    #[must_use]
    pub fn like(&self, text: &str, threshold: f64) -> Option<Likeness> {
        let plain = plain(text);
        if plain.is_empty() {
            return None;
        }
        if let Some(equal) = self.places.get(&*plain).and_then(|n| self.texts.get(*n)) {
            return Some(equal.at(1.0));
        }
        if threshold >= 1.0 {
            return None;
        }
        let wanted = Wanted::new(&plain, threshold);
        self.texts
            .iter()
            .find_map(|earlier| wanted.score(earlier).map(|score| earlier.at(score)))
    }
}

impl Text {
    fn at(&self, score: f64) -> Likeness {
        let text = self.shown.clone();
        Likeness { text, score }
    }
}

/// The text without what makes no difference, at most [`COMPARED`] characters of it.
#[must_use]
pub fn plain(text: &str) -> String {
    match text.is_ascii() {
        true => joined(text.split_ascii_whitespace(), text.len()),
        false => joined(text.split_whitespace(), text.len()),
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>, length: usize) -> String {
    let mut plain = String::with_capacity(length.min(COMPARED));
    let mut left = COMPARED;
    for word in words {
        if !plain.is_empty() {
            plain.push(' ');
            left -= 1;
        }
        left = push_lower(&mut plain, word, left);
        if left == 0 {
            break;
        }
    }
    match plain.is_ascii() || is_nfc(&plain) {
        true => plain,
        false => plain.nfc().collect(),
    }
}

/// Adds at most `left` characters of the word, in lower case; answers how many more there may be.
fn push_lower(plain: &mut String, word: &str, left: usize) -> usize {
    if word.is_ascii() && word.len() <= left {
        let start = plain.len();
        plain.push_str(word);
        if let Some(added) = plain.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        return left - word.len();
    }
    let mut left = left;
    for c in word.chars() {
        if left == 0 {
            break;
        }
        plain.extend(c.to_lowercase());
        left -= 1;
    }
    left
}

/// A text that others are compared with.
struct Wanted {
    length: usize,
    threshold: f64,
    comparator: BatchComparator<char>,
    /// How many runs of three characters fall into which drawer.
    runs: Box<[u16]>,
}

/// 2 to the power of 13. Two different runs in one drawer only let a pair through that is then compared in full.
const DRAWERS: usize = 8192;

impl Wanted {
    fn new(plain: &str, threshold: f64) -> Self {
        let mut runs = vec![0_u16; DRAWERS].into_boxed_slice();
        for drawer in drawers(plain) {
            if let Some(count) = runs.get_mut(drawer) {
                *count = count.saturating_add(1);
            }
        }
        Self {
            length: plain.chars().count(),
            threshold,
            comparator: BatchComparator::new(plain.chars()),
            runs,
        }
    }

    /// How like it is, if that is enough.
    fn score(&self, other: &Text) -> Option<f64> {
        let common = self.needed(other.length)?;
        if self.shared_runs(&other.plain) < common {
            return None;
        }
        let cutoff = Args::default().score_cutoff(self.threshold);
        self.comparator
            .normalized_similarity_with_args(other.plain.chars(), &cutoff)
    }

    /// How many runs of three a text of that length must share to be like enough; `None` if it cannot be for its length.
    ///
    /// Each character of one text that is not in the common subsequence breaks at most three of its runs, and each of the
    /// other's that comes in between breaks at most two of those that are left.
    fn needed(&self, other: usize) -> Option<usize> {
        let (a, b) = (self.length, other);
        let subsequence = shortest_subsequence(a + b, self.threshold);
        let gone = a.checked_sub(subsequence)?;
        let come = b.checked_sub(subsequence)?;
        let runs = a.saturating_sub(2);
        Some(runs.saturating_sub(3 * gone + 2 * come))
    }

    fn shared_runs(&self, other: &str) -> usize {
        let mut left = self.runs.clone();
        let mut shared = 0;
        for drawer in drawers(other) {
            if let Some(count) = left.get_mut(drawer) {
                // Without a branch: it would be taken every other time.
                shared += usize::from(*count > 0);
                *count = count.saturating_sub(1);
            }
        }
        shared
    }
}

/// The length of a common subsequence that is needed. Rounded down a little: what is on the edge is compared in full.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are below 8,000 and the threshold is from 0 to 1"
)]
fn shortest_subsequence(lengths: usize, threshold: f64) -> usize {
    (threshold * lengths as f64 / 2.0 - 1e-6).ceil().max(0.0) as usize
}

/// The drawer of each run of three characters.
fn drawers(text: &str) -> impl Iterator<Item = usize> {
    let mut before = (0_u32, 0_u32);
    let all = text.chars().map(move |c| {
        let (first, second, third) = (before.0, before.1, u32::from(c));
        before = (second, third);
        let mixed = first
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(second.wrapping_mul(0x85EB_CA77))
            .wrapping_add(third.wrapping_mul(0xC2B2_AE3D));
        usize::try_from(mixed >> 19).unwrap_or(0) % DRAWERS
    });
    all.skip(2)
}

#[cfg(test)]
mod tests;
