//! The same for JSON Feed, whose authors the reader compares with one another and copies into every entry.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use serde_json::Value;

use super::guard::MOST_ENTRIES;

/// Authors, tags and attachments of a feed or an entry.
const MOST_NAMED: usize = 500;

/// Authors of the feed, each of which goes into each entry.
const MOST_AUTHORS: usize = 20;

/// The lists of a feed, by their length.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline {
    authors: Length,
    items: Items,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    authors: Length,
    tags: Length,
    attachments: Length,
}

pub(super) fn check(feed: &[u8]) -> Result<(), String> {
    let outline: Outline =
        serde_json::from_slice(feed).map_err(|error| format!("is no JSON Feed: {error}"))?;
    for (what, count, most) in [
        ("authors", outline.authors.0, MOST_AUTHORS),
        ("entries", outline.items.count, MOST_ENTRIES),
        (
            "authors, tags or attachments in an entry",
            outline.items.longest,
            MOST_NAMED,
        ),
    ] {
        if count > most {
            return Err(format!("has more than {most} {what}"));
        }
    }
    Ok(())
}

/// JSON Feed 1.1 wants ids to be texts, and of readers that they take what is none for the text of it; the parser does not.
pub(super) fn with_ids_as_texts(feed: &[u8]) -> Cow<'_, [u8]> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(feed) else {
        return Cow::Borrowed(feed);
    };
    let entries = fields.get_mut("items").and_then(Value::as_array_mut);
    let ids = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get_mut("id"));
    let mut is_changed = false;
    for id in ids.filter(|id| id.is_number()) {
        *id = Value::String(id.to_string());
        is_changed = true;
    }
    match serde_json::to_vec(&fields) {
        Ok(mended) if is_changed => Cow::Owned(mended),
        _ => Cow::Borrowed(feed),
    }
}

/// How long a list is; 0 for what is none.
#[derive(Clone, Copy, Default)]
struct Length(usize);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Option::<Counted<IgnoredAny>>::deserialize(deserializer)?;
        Ok(Self(list.map_or(0, |list| list.count)))
    }
}

/// How many entries there are, and the longest list in any of them.
#[derive(Default)]
struct Items {
    count: usize,
    longest: usize,
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Counted::<Entry>::deserialize(deserializer)?;
        Ok(Self {
            count: list.count,
            longest: list.longest,
        })
    }
}

/// What has a size that matters.
trait Measured {
    fn size(&self) -> usize;
}

impl Measured for IgnoredAny {
    fn size(&self) -> usize {
        0
    }
}

impl Measured for Entry {
    fn size(&self) -> usize {
        let lists = [self.authors, self.tags, self.attachments];
        lists.iter().map(|list| list.0).max().unwrap_or_default()
    }
}

/// A list that is counted and not kept.
struct Counted<T> {
    count: usize,
    longest: usize,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de> + Measured> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self {
            count: 0,
            longest: 0,
            of: PhantomData,
        })
    }
}

impl<'de, T: Deserialize<'de> + Measured> Visitor<'de> for Counted<T> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(item) = list.next_element::<T>()? {
            self.count += 1;
            self.longest = self.longest.max(item.size());
        }
        Ok(self)
    }
}
