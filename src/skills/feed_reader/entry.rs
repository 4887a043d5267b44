//! From an entry of a feed to an item of knowledge.

use feed_rs::model::{Entry, Feed, FeedType, Text};
use reqwest::Url;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::domain::{content::ContentItem, text::bounded, text::rfc3339};

/// Characters of a title, a name, and whatever else is one line.
const LONGEST_LINE: usize = 300;

/// Characters of a text.
const LONGEST_TEXT: usize = 8_000;

/// Bytes of HTML that are looked at for it.
const LONGEST_HTML: usize = 16 * 1024;

/// Characters of a URL.
const LONGEST_URL: usize = 2_000;

/// Bytes of an id; a longer one is kept as its hash.
const LONGEST_ID: usize = 160;

/// URLs of images and enclosures, and words of the entry's own.
const MOST: usize = 10;

/// What every item of a feed is given.
pub(super) struct Given<'a> {
    pub(super) url: &'a Url,
    pub(super) priority: f64,
    pub(super) tags: &'a [&'a str],
}

/// The newest entries, the oldest of them first, so that they are stored in the order in which they were published; at most
/// so many. Entries without a date stay where the feed has them.
pub(super) fn items(feed: Feed, most: usize, given: &Given<'_>) -> Vec<ContentItem> {
    let title = feed
        .title
        .as_ref()
        .map(|title| line(title, &feed.feed_type));
    let mut entries = feed.entries;
    let dated = |entry: &Entry| entry.published.or(entry.updated);
    if entries.iter().all(|entry| dated(entry).is_some()) {
        entries.sort_by_key(|entry| std::cmp::Reverse(dated(entry)));
    }
    let newest = entries.iter().take(most).rev();
    let read = newest.filter_map(|entry| item(entry, title.as_deref(), &feed.feed_type, given));
    read.collect()
}

/// `None` if the entry says nothing.
fn item(
    entry: &Entry,
    feed: Option<&str>,
    kind: &FeedType,
    given: &Given<'_>,
) -> Option<ContentItem> {
    let title = entry.title.as_ref().map(|title| line(title, kind));
    let title = title.filter(|title| !title.is_empty());
    let source = link(entry);
    let body = body(entry, kind)
        .or_else(|| title.clone())
        .or_else(|| source.clone())?;
    Some(ContentItem {
        key: Some(key(entry, given.url, source.as_deref(), title.as_deref())),
        title,
        body,
        source,
        tags: given.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        priority: given.priority,
        not_before: None,
        expires_at: None,
        media: media(entry),
        metadata: metadata(entry, feed),
    })
}

/// The entry's id within its feed; two feeds that fill one table do not get into each other's way.
fn key(entry: &Entry, feed: &Url, link: Option<&str>, title: Option<&str>) -> String {
    let dated = entry.published.or(entry.updated).map(rfc3339);
    let id = match entry.id.trim() {
        "" => link.map_or_else(
            || {
                format!(
                    "{} {}",
                    title.unwrap_or_default(),
                    dated.unwrap_or_default()
                )
            },
            str::to_owned,
        ),
        id => id.to_owned(),
    };
    let feed = short_hash(feed.as_str());
    match id.len() > LONGEST_ID || id.contains(char::is_control) {
        true => format!("{feed}:{}", hash(&id)),
        false => format!("{feed}:{id}"),
    }
}

fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

fn short_hash(text: &str) -> String {
    hash(text).chars().take(16).collect()
}

/// The summary, or else the whole text, as plain text.
fn body(entry: &Entry, kind: &FeedType) -> Option<String> {
    let summary = entry.summary.as_ref();
    let summary =
        summary.map(|text| plain(&text.content, is_html(text.content_type.as_ref(), kind)));
    let content = || {
        let content = entry.content.as_ref()?;
        let html = is_html(content.content_type.as_ref(), kind);
        Some(plain(content.body.as_deref()?, html))
    };
    let spoken = |text: &String| !text.is_empty();
    summary.filter(spoken).or_else(content).filter(spoken)
}

/// RSS does not say whether a text is HTML, and most are.
fn is_html(content_type: &str, kind: &FeedType) -> bool {
    content_type.contains("html")
        || matches!(kind, FeedType::RSS0 | FeedType::RSS1 | FeedType::RSS2)
}

fn plain(text: &str, html: bool) -> String {
    let head = head(text, LONGEST_HTML);
    let text = match html {
        true => nanohtml2text::html2text(whole_tags(head, text)).replace("\r\n", "\n"),
        false => head.to_owned(),
    };
    let shown = |c: &char| !c.is_control() || *c == '\n';
    let mut kept: String = text
        .trim()
        .chars()
        .filter(shown)
        .take(LONGEST_TEXT)
        .collect();
    kept.truncate(kept.trim_end().len());
    kept
}

/// As many bytes as there may be, cut between two characters.
fn head(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Without the tag that the cut went through: a picture that is written into its tag would be read as text.
fn whole_tags<'a>(head: &'a str, text: &str) -> &'a str {
    match (head.rfind('<'), head.rfind('>')) {
        (Some(begun), ended) if head.len() < text.len() && ended.is_none_or(|at| at < begun) => {
            head.get(..begun).unwrap_or_default()
        }
        _ => head,
    }
}

fn line(text: &Text, kind: &FeedType) -> String {
    let text = plain(&text.content, is_html(text.content_type.as_ref(), kind));
    short(&text)
}

fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    bounded(&words.join(" "), LONGEST_LINE)
}

/// Where the entry can be read.
fn link(entry: &Entry) -> Option<String> {
    let usual = |rel: &Option<String>| rel.as_deref().is_none_or(|rel| rel == "alternate");
    let best = entry.links.iter().find(|link| usual(&link.rel));
    let link = best.or_else(|| {
        entry
            .links
            .iter()
            .find(|link| link.rel.as_deref() != Some("enclosure"))
    })?;
    web(&link.href)
}

/// A URL that people can open.
fn web(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let fits = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= LONGEST_URL;
    fits.then(|| url.into())
}

/// Enclosures and images, each once.
fn media(entry: &Entry) -> Vec<String> {
    let is_enclosure = |rel: &Option<String>| rel.as_deref() == Some("enclosure");
    let linked = entry
        .links
        .iter()
        .filter(|link| is_enclosure(&link.rel) || is_attached(&link.media_type));
    let linked = linked.map(|link| link.href.as_str());
    let contents = entry.media.iter().flat_map(|media| &media.content);
    let contents = contents.filter_map(|content| content.url.as_ref().map(Url::as_str));
    let thumbnails = entry.media.iter().flat_map(|media| &media.thumbnails);
    let thumbnails = thumbnails.map(|thumbnail| thumbnail.image.uri.as_str());
    let mut found: Vec<String> = Vec::new();
    for url in contents.chain(linked).chain(thumbnails).filter_map(web) {
        if found.len() < MOST && !found.contains(&url) {
            found.push(url);
        }
    }
    found
}

/// JSON Feed's attachments come as links with a type that is no page's.
fn is_attached(media_type: &Option<String>) -> bool {
    let media = ["image/", "audio/", "video/"];
    let kind = media_type.as_deref().unwrap_or_default();
    media.iter().any(|prefix| kind.starts_with(prefix))
}

fn metadata(entry: &Entry, feed: Option<&str>) -> Value {
    let mut metadata = Map::new();
    let mut set = |key: &str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty());
        metadata.extend(value.map(|value| (key.to_owned(), value.into())));
    };
    set("feed", feed.map(str::to_owned));
    let names = entry
        .authors
        .iter()
        .filter_map(|author| author.name.as_deref());
    let names: Vec<String> = names.take(MOST).map(short).collect();
    set("author", Some(bounded(&names.join(", "), LONGEST_LINE)));
    set("published", entry.published.map(rfc3339));
    let changed = entry
        .updated
        .filter(|updated| entry.published != Some(*updated));
    set("updated", changed.map(rfc3339));
    let words = entry
        .categories
        .iter()
        .map(|category| category.label.as_deref().unwrap_or(&category.term));
    let words: Vec<Value> = words.take(MOST).map(|word| short(word).into()).collect();
    if !words.is_empty() {
        metadata.insert("categories".into(), words.into());
    }
    Value::Object(metadata)
}
