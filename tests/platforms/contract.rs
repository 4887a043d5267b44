//! What every platform must do, asked of each of them; and what the console and the stub do besides.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::posts::{post, with_options};
use actor_server::platforms::{
    ContentPoster, PostFailure, Receipt,
    console::{Console, DESTINATION},
    stub::{Answer, StubPlatform},
};
use futures::future::join_all;
use serde_json::json;

/// What somebody who reads along would have seen, in order: the texts of the posts.
type Seen = Box<dyn Fn() -> Vec<String>>;

/// The rules of `ContentPoster`, whatever the platform.
async fn keeps_the_contract(platform: Arc<dyn ContentPoster>, destination: &str, seen: Seen) {
    let word = platform.platform();
    assert!(!word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()));

    for (n, body) in ["plain", "zwei Zeilen\nund @everyone", "👩‍👩‍👧 e\u{301} ‏עברית"]
        .iter()
        .enumerate()
    {
        let sent = platform.post(&post(n as i64, destination, body)).await;
        assert!(sent.is_ok(), "{word}: {sent:?}");
        assert_eq!(seen().last().unwrap(), body, "{word}");
    }

    let at_once = (10..40).map(|n| {
        let platform = Arc::clone(&platform);
        let post = post(
            n,
            destination,
            &format!("one of many: {n}\nsecond line of {n}"),
        );
        async move { platform.post(&post).await }
    });
    let receipts: Result<Vec<Receipt>, PostFailure> = join_all(at_once).await.into_iter().collect();
    let mut ids: Vec<_> = receipts
        .unwrap()
        .into_iter()
        .filter_map(|r| r.message_id)
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "{word}: two posts share an id");
    for n in 10..40 {
        let body = format!("one of many: {n}\nsecond line of {n}");
        assert_eq!(
            seen().iter().filter(|text| **text == body).count(),
            1,
            "{word}"
        );
    }
    assert_eq!(seen().len(), 33, "{word}");

    let embed = json!({ "embeds": [{ "title": "only an embed" }] });
    assert!(
        platform
            .post(&with_options(50, destination, "", embed))
            .await
            .is_ok(),
        "{word}"
    );
}

/// A repeated nonce is one message with one id.
async fn enforces_nonces(platform: &dyn ContentPoster, destination: &str, seen: Seen) {
    let first = platform.post(&post(70, destination, "once")).await.unwrap();
    let again = platform.post(&post(70, destination, "once")).await.unwrap();
    assert_eq!(first, again);
    assert!(first.message_id.is_some());
    assert_eq!(seen().iter().filter(|text| *text == "once").count(), 1);
}

#[tokio::test]
async fn the_console_keeps_the_contract() {
    let page = Page::default();
    let lines = page.clone();
    let seen = move || texts_on(&lines.text());
    keeps_the_contract(Arc::new(Console::new(page)), DESTINATION, Box::new(seen)).await;
}

#[tokio::test]
async fn the_stub_keeps_the_contract() {
    let stub = StubPlatform::new();
    let seen = |stub: &StubPlatform| {
        let stub = stub.clone();
        Box::new(move || {
            stub.delivered()
                .into_iter()
                .map(|post| post.message.body)
                .collect()
        })
    };
    keeps_the_contract(Arc::new(stub.clone()), "anywhere", seen(&stub)).await;
    enforces_nonces(&stub, "anywhere", seen(&stub)).await;
}

#[cfg(feature = "discord")]
#[tokio::test]
async fn discord_keeps_the_contract() {
    use crate::discord;
    use actor_server::platforms::discord::{Discord, DiscordOptions};
    let fake = Arc::new(discord::FakeDiscord::start());
    let seen = |fake: &Arc<discord::FakeDiscord>| -> Seen {
        let fake = Arc::clone(fake);
        Box::new(move || {
            fake.messages()
                .iter()
                .map(|m| m.content().to_owned())
                .collect()
        })
    };
    let options = DiscordOptions::new(fake.url(), discord::TOKEN.into());
    let platform = Arc::new(Discord::new(options).unwrap());
    keeps_the_contract(platform.clone(), "42", seen(&fake)).await;
    enforces_nonces(platform.as_ref(), "42", seen(&fake)).await;
}

#[tokio::test]
async fn each_line_on_the_console_names_its_bot_and_nothing_steers_the_terminal() {
    for (body, options, shown) in [
        ("one line", json!({}), "herald: one line\n"),
        ("a\n\nb\n", json!({}), "herald: a\nherald| \nherald| b\n"),
        ("a\r\nb", json!({}), "herald: a\nherald| b\n"),
        (
            "fake\rother: line",
            json!({}),
            "herald: fake\\rother: line\n",
        ),
        ("\x1b[2Jgone\0", json!({}), "herald: \\u{1b}[2Jgone\\u{0}\n"),
        ("tab\tstays", json!({}), "herald: tab\tstays\n"),
        ("", json!({}), "herald:\n"),
        (
            "text",
            json!({ "allowed_mentions": { "parse": [] } }),
            "herald: text\n",
        ),
        (
            "",
            json!({ "embeds": [{ "title": "two\nlines" }] }),
            "herald: embeds: [{\"title\":\"two\\nlines\"}]\n",
        ),
        (
            "look",
            json!({ "attachments": [{ "url": "https://h/a\n.png" }] }),
            "herald: look\nherald| attachment: https://h/a\\n.png\n",
        ),
    ] {
        let page = Page::default();
        let console = Console::new(page.clone());
        console
            .post(&with_options(1, DESTINATION, body, options))
            .await
            .unwrap();
        assert_eq!(page.text(), shown);
    }
}

#[tokio::test]
async fn a_closed_pipe_is_a_failure_that_may_pass_and_the_next_post_is_tried() {
    for broken in [Broken::Refuses, Broken::AtFlush, Broken::Panics] {
        let console = Console::new(broken);
        for _ in 0..2 {
            let failure = console
                .post(&post(1, DESTINATION, "text"))
                .await
                .unwrap_err();
            assert!(matches!(failure, PostFailure::Transient(_)), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn the_stub_answers_by_its_script_and_remembers_every_call() {
    let cut = PostFailure::Transient("cut".into());
    let stub = StubPlatform::new().answering([
        Answer::Fail(PostFailure::RateLimited(Duration::from_secs(1))),
        Answer::DeliverAndFail(cut.clone()),
        Answer::Deliver,
        Answer::Hang,
    ]);
    let post = post(1, "anywhere", "text");
    let limited = stub.post(&post).await.unwrap_err();
    assert_eq!(limited, PostFailure::RateLimited(Duration::from_secs(1)));
    assert_eq!(stub.delivered(), []);
    assert_eq!(stub.post(&post).await, Err(cut));
    assert_eq!(stub.post(&post).await.unwrap().message_id.unwrap(), "1");
    assert_eq!((stub.received().len(), stub.delivered().len()), (3, 1));
    let hangs = tokio::time::timeout(Duration::from_millis(20), stub.post(&post)).await;
    assert!(hangs.is_err());
}

/// A page that is written to, and can be read meanwhile. Takes a few bytes at a time, as a pipe may.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = &bytes[..bytes.len().min(3)];
        self.0.lock().unwrap().extend_from_slice(some);
        std::thread::yield_now();
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts posts together again from their lines.
fn texts_on(page: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in page.lines() {
        if let Some(first) = line.strip_prefix("herald: ") {
            texts.push(first.to_owned());
        } else {
            let next = line
                .strip_prefix("herald| ")
                .expect("a line without its bot");
            let text = texts.last_mut().expect("a post begins with its first line");
            text.push('\n');
            text.push_str(next);
        }
    }
    texts
}

enum Broken {
    Refuses,
    AtFlush,
    Panics,
}

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Refuses => Err(io::ErrorKind::BrokenPipe.into()),
            Self::AtFlush => Ok(bytes.len()),
            Self::Panics => std::panic::resume_unwind(Box::new("a writer that panics")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}
