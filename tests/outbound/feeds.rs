//! `feed_reader`: what feeds bring, and what they may not do.

use std::sync::Mutex;

use actor_server::{
    domain::{
        Instant,
        content::{ContentItem, FeedLook, FeedState, PostTally, PostedText, Selection, StoredItem},
    },
    skills::{RunContext, Shelf, Skill, SkillError, Verdict, feed_reader::FeedReader},
};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    outbound,
    receiver::{Meet, Receiver},
    run::{Desk, bot, run as run_of, settings},
};

/// Remembers feeds as a store does.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<FeedLook>>);

impl Kept {
    fn looks(&self) -> Vec<FeedLook> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn items(&self) -> Vec<ContentItem> {
        self.looks().pop().unwrap().items
    }
}

#[async_trait]
impl Shelf for Kept {
    async fn candidates(&self, _: Selection) -> Result<Vec<StoredItem>, SkillError> {
        Ok(Vec::new())
    }

    async fn posted_texts(&self, _: Instant, _: u32) -> Result<Vec<PostedText>, SkillError> {
        Ok(Vec::new())
    }

    async fn post_tally(&self, _: Instant) -> Result<PostTally, SkillError> {
        Ok(PostTally::default())
    }

    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, SkillError> {
        let looks = self.looks();
        let known = looks.iter().rev();
        let mut known = known.filter(|look| look.table == table && look.url == url);
        Ok(known.next().map(|look| look.state.clone()))
    }

    async fn take_feed(&self, look: FeedLook) -> Result<u64, SkillError> {
        let new = look.items.len() as u64;
        self.0.lock().unwrap().push(look);
        Ok(new)
    }
}

pub(crate) async fn read(
    reader: &FeedReader,
    kept: &Kept,
    given: Value,
) -> (Result<Verdict, SkillError>, Value) {
    let (bot, desk, knowledge) = (bot(), Desk::default(), ["news".to_owned()]);
    let mut run: RunContext<'_> = run_of(&bot, &desk, Value::Null);
    (run.shelf, run.knowledge) = (kept, &knowledge);
    let verdict = reader.run(&mut run, &settings(given)).await;
    (
        verdict,
        run.results.get("feed_reader").cloned().unwrap_or_default(),
    )
}

/// What comes of a feed that says this.
pub(crate) async fn fed(body: impl Into<Vec<u8>>) -> (Result<Verdict, SkillError>, Kept) {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    let receiver = Receiver::that(Meet::Raw([&head[..], &body.into()].concat()));
    let (reader, kept) = (FeedReader::new(outbound(&["127.0.0.1"])), Kept::default());
    let (verdict, _) = read(
        &reader,
        &kept,
        json!({ "url": receiver.url("/feed?key=secret") }),
    )
    .await;
    (verdict, kept)
}

pub(crate) async fn failure(body: impl Into<Vec<u8>>) -> String {
    let (verdict, kept) = fed(body).await;
    let error = verdict.unwrap_err();
    assert!(kept.looks().is_empty() && !error.recoverable, "{error}");
    assert!(!error.message.contains("secret"), "{error}");
    error.message
}

pub(crate) const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>The &amp;quot;News&amp;quot;</title><link>https://n.example/</link>
<item><title>Second &amp;amp; last</title><link>/2</link><guid isPermaLink="false">two</guid>
  <description>&lt;p&gt;Some &lt;b&gt;bold&lt;/b&gt; words&lt;/p&gt;</description><author>Ann</author>
  <category>One</category><pubDate>Wed, 04 Mar 2026 09:00:00 GMT</pubDate>
  <enclosure url="https://n.example/2.png" type="image/png" length="1"/>
  <enclosure url="javascript:alert(1)" type="image/png" length="1"/></item>
<item><title>First</title><link>https://n.example/1</link><pubDate>Tue, 03 Mar 2026 09:00:00 GMT</pubDate>
  <description/></item>
<item><pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate></item>
</channel></rss>"#;

#[tokio::test]
async fn an_rss_feed_becomes_items_the_oldest_first() {
    let (verdict, kept) = fed(RSS).await;
    assert_eq!(verdict.unwrap(), Verdict::Done);
    let items = kept.items();
    let shown: Vec<_> = items
        .iter()
        .map(|item| (item.title.as_deref(), item.body.as_str()))
        .collect();
    let expected = [
        (Some("First"), "First"),
        (Some("Second & last"), "Some bold words"),
    ];
    assert_eq!(shown, expected);
    let second = &items[1];
    assert!(
        second.source.as_deref().unwrap().ends_with("/2"),
        "{second:?}"
    );
    assert_eq!(second.media, ["https://n.example/2.png"]);
    assert!(
        second.key.as_deref().unwrap().ends_with(":two"),
        "{second:?}"
    );
    let metadata = json!({ "feed": "The \"News\"", "author": "Ann", "categories": ["One"],
        "published": "2026-03-04T09:00:00Z" });
    assert_eq!(second.metadata, metadata);
    let look = &kept.looks()[0];
    assert_eq!(look.table, "news");
}

#[tokio::test]
async fn atom_and_json_feeds_are_read_too() {
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><id>urn:a</id>
      <entry><id>urn:1</id><title>1 &lt; 2</title><updated>not a date</updated>
        <link href="https://a.example/1"/><link rel="enclosure" href="https://a.example/1.mp3"/>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long</p><p>text</p></div></content></entry>
    </feed>"#;
    let (verdict, kept) = fed(atom).await;
    verdict.unwrap();
    let item = &kept.items()[0];
    assert_eq!(
        (item.title.as_deref(), item.body.as_str()),
        (Some("1 < 2"), "Long\n\ntext")
    );
    assert_eq!(item.media, ["https://a.example/1.mp3"]);
    let feed = json!({ "version": "https://jsonfeed.org/version/1.1", "title": "J", "authors": [{ "name": "Joe" }],
        "items": [{ "id": "7", "content_text": "plain <b>", "date_published": "2999-01-01T00:00:00Z",
            "url": "https://j.example/7", "tags": ["x"],
            "attachments": [{ "url": "https://j.example/7.jpg", "mime_type": "image/jpeg" }] }] });
    let (verdict, kept) =
        fed([b"\xef\xbb\xbf".to_vec(), feed.to_string().into_bytes()].concat()).await;
    verdict.unwrap();
    let item = &kept.items()[0];
    assert_eq!(
        (item.body.as_str(), item.source.as_deref()),
        ("plain <b>", Some("https://j.example/7"))
    );
    assert_eq!(
        (&item.media[..], item.not_before),
        (&["https://j.example/7.jpg".to_owned()][..], None)
    );
    assert_eq!(item.metadata["author"], "Joe");
}

#[tokio::test]
async fn an_id_that_is_a_number_is_taken_for_its_text() {
    let entry = |id: Value| {
        json!({ "version": "https://jsonfeed.org/version/1.1", "title": "J",
            "items": [{ "id": id, "content_text": "a text" }] })
    };
    let (verdict, as_number) = fed(entry(json!(7)).to_string()).await;
    verdict.unwrap();
    let (_, as_text) = fed(entry(json!("7")).to_string()).await;
    let key = |kept: &Kept| kept.items()[0].key.clone().unwrap();
    assert!(key(&as_number).ends_with(":7"));
    let id = |key: String| key.rsplit(':').next().map(str::to_owned);
    assert_eq!(id(key(&as_number)), id(key(&as_text)));
}

#[tokio::test]
async fn a_picture_inside_of_a_long_text_is_not_read_as_text() {
    let picture = format!(
        "&lt;img src=&quot;data:image/png;base64,{}&quot;&gt;",
        "A".repeat(40_000)
    );
    let feed = format!(
        "<rss version=\"2.0\"><channel><title>t</title>\
         <item><guid>1</guid><title>Said</title><description>{picture}</description></item>\
         <item><guid>2</guid><description>&lt;p&gt;Hello&lt;/p&gt;{picture}</description></item>\
         <item><guid>3</guid><description>1 &amp;lt; 2</description></item></channel></rss>"
    );
    let (_, kept) = fed(feed).await;
    let mut bodies: Vec<String> = kept.items().into_iter().map(|item| item.body).collect();
    bodies.sort();
    assert_eq!(bodies, ["1 < 2", "Hello", "Said"]);
}

#[tokio::test]
async fn a_feed_is_asked_whether_it_has_changed() {
    let receiver = Receiver::start();
    let (reader, kept) = (FeedReader::new(outbound(&["127.0.0.1"])), Kept::default());
    let headers = vec![
        ("ETag", "W/\"1\"".to_owned()),
        ("Last-Modified", "Tue, 03 Mar 2026 09:00:00 GMT".to_owned()),
    ];
    receiver.script([Meet::Answer(200, headers, RSS.into()), Meet::status(304)]);
    let given = json!({ "url": receiver.url("/"), "table": "own", "priority": 0.9, "tags": ["t"], "max_items": 1 });
    let (verdict, result) = read(&reader, &kept, given.clone()).await;
    assert_eq!(
        (verdict.unwrap(), result),
        (Verdict::Done, json!({ "entries": 1, "new": 1 }))
    );
    let item = &kept.items()[0];
    assert_eq!(
        (item.priority, &item.tags[..], item.title.as_deref()),
        (0.9, &["t".to_owned()][..], Some("Second & last"))
    );
    let (verdict, _) = read(&reader, &kept, given).await;
    assert_eq!(
        verdict.unwrap(),
        Verdict::NothingToDo("not modified".into())
    );
    let asked = receiver.taken();
    assert_eq!(
        (
            asked[0].header("if-none-match"),
            asked[1].header("if-none-match")
        ),
        ("", "W/\"1\"")
    );
    assert_eq!(
        asked[1].header("if-modified-since"),
        "Tue, 03 Mar 2026 09:00:00 GMT"
    );
    assert_eq!(
        (kept.looks().len(), kept.looks()[0].table.as_str()),
        (1, "own")
    );
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is() {
    let receiver = Receiver::that(Meet::with(429, "Retry-After", "120"));
    let (reader, kept) = (FeedReader::new(outbound(&["127.0.0.1"])), Kept::default());
    for _ in 0..3 {
        let (verdict, _) = read(&reader, &kept, json!({ "url": receiver.url("/") })).await;
        let error = verdict.unwrap_err();
        assert!(
            error.recoverable && error.message.contains("left alone"),
            "{error}"
        );
    }
    assert_eq!(receiver.taken().len(), 1);
}

#[tokio::test]
async fn one_feed_that_fails_does_not_keep_the_others_from_being_read() {
    let (good, gone) = (
        Receiver::that(Meet::says(200, RSS)),
        Receiver::that(Meet::status(404)),
    );
    let (reader, kept) = (FeedReader::new(outbound(&["127.0.0.1"])), Kept::default());
    let urls = json!({ "urls": [gone.url("/x"), good.url("/")] });
    let (verdict, result) = read(&reader, &kept, urls).await;
    let error = verdict.unwrap_err();
    assert!(
        error.message.contains("404") && !error.recoverable,
        "{error}"
    );
    assert_eq!(result, json!({ "entries": 2, "new": 2 }));
    gone.otherwise(Meet::status(503));
    let (verdict, _) = read(&reader, &kept, json!({ "url": gone.url("/x") })).await;
    assert!(verdict.unwrap_err().recoverable);
}

#[tokio::test]
async fn what_is_no_feed_says_so() {
    for (body, words) in [
        (
            "<!doctype html><html><body><p>Hi</body></html>",
            "is no feed (text/html)",
        ),
        ("", "neither XML nor JSON"),
        ("plain words", "neither XML nor JSON"),
        ("{\"version\": \"1\"}", "is no"),
        ("{\"items\": 5}", "is no JSON Feed"),
        ("<rss version=\"2.0\"><channel><item>", "is no feed"),
        ("<rss version=\"2.0\"><channel></rss>", "is no feed"),
    ] {
        let text = failure(body).await;
        assert!(text.contains(words), "{body}: {text}");
    }
    failure(&b"<rss version=\"2.0\"><channel><title>\xff\xfe\x80</title>"[..]).await;
    let text = failure(vec![b' '; 6 << 20]).await;
    assert!(text.contains("more than 5242880 bytes"), "{text}");
}

#[test]
fn settings_are_checked_and_the_hosts_that_they_need_are_named() {
    let reader = FeedReader::default();
    for (given, words) in [
        (json!({}), "url: is missing"),
        (json!({ "url": "feed.xml" }), "url: is no URL"),
        (
            json!({ "url": "ftp://a.example/" }),
            "url: `ftp` is no scheme",
        ),
        (
            json!({ "urls": [] }),
            "urls: must be a list of 1 to 20 URLs",
        ),
        (
            json!({ "url": "http://a.example/", "table": "a b" }),
            "table: must be",
        ),
        (
            json!({ "url": "http://a.example/", "priority": 2 }),
            "priority: must be",
        ),
        (
            json!({ "url": "http://a.example/", "max_items": 0 }),
            "max_items: must be",
        ),
        (
            json!({ "url": "http://a.example/", "max_item": 1 }),
            "did you mean `max_items`?",
        ),
        (
            json!({ "url": "http://a.example/", "max_bytes": 1 << 30 }),
            "max_bytes: must be",
        ),
    ] {
        let problems = reader.check(&settings(given.clone()));
        let texts: Vec<_> = problems
            .iter()
            .map(|p| format!("{}: {}", p.key, p.message))
            .collect();
        assert!(texts.join("\n").contains(words), "{given}: {texts:?}");
    }
    let good =
        settings(json!({ "urls": ["https://a.example/", "http://10.0.0.1/"], "max_items": 5 }));
    assert!(reader.check(&good).is_empty());
    assert_eq!(reader.needs(&good).len(), 2);
}
