//! Feeds that are made to do harm.

use actor_server::skills::feed_reader::FeedReader;
use serde_json::json;

use crate::{
    feeds::{Kept, RSS, failure, fed, read},
    outbound,
    receiver::{Meet, Receiver},
};

#[tokio::test]
async fn a_feed_that_would_grow_is_refused_before_it_is_parsed() {
    let rss = |inside: &str| {
        format!(
            "<rss version=\"2.0\" xmlns:m=\"http://search.yahoo.com/mrss/\"><channel>{inside}</channel></rss>"
        )
    };
    let deep = format!("<item>{}", "<m:group>".repeat(100_000));
    let hidden = format!("<item>{}", "<m:group><!-- </m:group> -->".repeat(50_000));
    let wide = format!(
        "<item>{}{}</item>",
        "<m:thumbnail url=\"a\"/>".repeat(50_000),
        "<m:group><m:content url=\"http://a/\"/></m:group>".repeat(50_000)
    );
    let attributes: String = (0..100_000).map(|n| format!("a{n}=\"\" ")).collect();
    for (inside, words) in [
        (deep, "inside of one another"),
        (hidden, "inside of one another"),
        (wide, "more than 400000 elements"),
        ("<item/>".repeat(500_000), "more than 5000 entries"),
        (format!("<item {attributes}/>"), "attributes"),
    ] {
        let text = failure(rss(&inside)).await;
        assert!(text.contains(words), "{text}");
    }
    let json = |authors: usize, items: usize| {
        let authors: Vec<_> = (0..authors)
            .map(|n| json!({ "name": n.to_string() }))
            .collect();
        let items = vec![json!({}); items];
        json!({ "version": "https://jsonfeed.org/version/1.1", "title": "", "authors": authors, "items": items })
    };
    assert!(
        failure(json(30_000, 1).to_string())
            .await
            .contains("authors")
    );
    assert!(
        failure(json(0, 100_000).to_string())
            .await
            .contains("entries")
    );
    let nested = format!("{{\"items\": {}", "[".repeat(1_000_000));
    assert!(failure(nested).await.contains("is no JSON Feed"));
}

#[tokio::test]
async fn entities_stay_as_they_are_and_texts_end_at_their_bound() {
    let bomb = format!(
        "<!DOCTYPE rss [<!ENTITY a \"{}\">{}]><rss version=\"2.0\"><channel><item><title>&a9;&x;</title>\
         <guid>{}</guid><description>{}</description></item></channel></rss>",
        "a".repeat(1000),
        (0..10)
            .map(|n| format!("<!ENTITY a{n} \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"))
            .collect::<String>(),
        "g".repeat(10_000),
        "&lt;a&gt;x".repeat(200_000),
    );
    let (verdict, kept) = fed(bomb).await;
    verdict.unwrap();
    let item = &kept.items()[0];
    assert_eq!(item.title.as_deref(), Some("&a9;&x;"));
    assert!(item.body.chars().count() <= 8_000 && item.key.as_ref().unwrap().len() < 200);
}

#[test]
fn the_deepest_feed_that_is_let_through_fits_on_half_the_stack_of_a_run() {
    let inside = "<m:group>".repeat(120) + &"</m:group>".repeat(120);
    let feed = format!(
        "<rss version=\"2.0\" xmlns:m=\"http://search.yahoo.com/mrss/\"><channel><item><title>x</title>{inside}</item>\
         </channel></rss>"
    );
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .unwrap()
            .block_on(async { fed(feed).await.0.is_ok() })
    };
    std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(1 << 20);
        assert!(small.spawn_scoped(scope, run).unwrap().join().unwrap());
    });
}

/// One of three feeds with some bytes changed, left out or said twice; the same ones in every run of the test.
struct Broken(u64);

impl Broken {
    fn number(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn feed(&mut self) -> Vec<u8> {
        let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"http://a/\"><entry><id>1</id><title type=\"xhtml\"><b>\
                    x</b></title><published>2026-01-01T00:00:00Z</published><link href=\"b\"/></entry></feed>";
        let json = "{\"version\":\"https://jsonfeed.org/version/1\",\"title\":\"t\",\"items\":[{\"id\":\"1\",\
                    \"date_published\":\"2026-13-01\",\"tags\":[\"a\"],\"content_html\":\"<a href=\"}]}";
        let mut feed = [RSS, atom, json][self.number(3)].as_bytes().to_vec();
        for _ in 0..=self.number(6) {
            let at = self.number(feed.len());
            match self.number(4) {
                0 => feed[at] = u8::try_from(self.number(256)).unwrap(),
                1 => feed.truncate(at.max(1)),
                2 => drop(feed.drain(at..(at + 9).min(feed.len()))),
                _ => feed.extend_from_within(at..(at + 40).min(feed.len())),
            }
            if feed.is_empty() {
                feed.push(b'<');
            }
        }
        feed
    }
}

#[tokio::test]
async fn a_broken_feed_never_ends_in_a_panic() {
    let (receiver, mut broken) = (Receiver::start(), Broken(1));
    let (reader, kept) = (FeedReader::new(outbound(&["127.0.0.1"])), Kept::default());
    let mut good = 0;
    for _ in 0..400 {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        receiver.otherwise(Meet::Raw([head, broken.feed()].concat()));
        let (verdict, _) = read(&reader, &kept, json!({ "url": receiver.url("/") })).await;
        match verdict {
            Ok(_) => good += 1,
            Err(error) => assert!(!error.recoverable, "{error}"),
        }
    }
    assert!((20..380).contains(&good), "{good} of 400 could be read");
}
