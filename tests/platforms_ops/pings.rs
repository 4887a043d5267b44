//! Pings in the protocol of healthchecks.io.

use actor_server::platforms::ops::pings::{PingTarget, Pings, Signal};
use uuid::Uuid;

use super::{
    later, never,
    receiver::{Meet, Receiver},
};

const KEY: &str = "fqOOd6-F4MMNuCEnzTU01w";

fn target(url: &str, create: bool) -> PingTarget {
    PingTarget {
        url: url.into(),
        create,
    }
}

#[tokio::test]
async fn a_run_is_pinged_from_its_start_to_its_end_under_one_id() {
    let receiver = Receiver::that(Meet::says(200, "OK"));
    let (pings, run) = (Pings::new().unwrap(), Uuid::new_v4());
    let by_id = target(
        &receiver.url("/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278/"),
        false,
    );
    let by_slug = target(&receiver.url(&format!("/{KEY}/daily")), true);
    pings.ping(&by_id, Signal::Start, run, "").await.unwrap();
    pings.ping(&by_id, Signal::Success, run, "").await.unwrap();
    pings
        .ping(&by_slug, Signal::Fail, run, "the feed is gone\nagain")
        .await
        .unwrap();
    pings
        .ping(&by_slug, Signal::Log, run, "cancelled")
        .await
        .unwrap();
    let taken = receiver.taken();
    let lines: Vec<&str> = taken.iter().map(|one| one.line.as_str()).collect();
    let check = "/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";
    assert_eq!(
        lines,
        [
            format!("POST {check}/start?rid={run}"),
            format!("POST {check}?rid={run}"),
            format!("POST /{KEY}/daily/fail?rid={run}&create=1"),
            format!("POST /{KEY}/daily/log?rid={run}&create=1"),
        ]
    );
    assert_eq!(
        (taken[0].text(), taken[2].text()),
        ("", "the feed is gone\nagain")
    );
    assert!(taken[2].header("content-type").starts_with("text/plain"));
}

#[tokio::test]
async fn a_long_error_is_cut() {
    let receiver = Receiver::start();
    let (pings, text) = (Pings::new().unwrap(), "é\0".repeat(1 << 20));
    let target = target(&receiver.url("/x"), false);
    pings
        .ping(&target, Signal::Fail, Uuid::nil(), &text)
        .await
        .unwrap();
    let body = receiver.only().body;
    assert!(body.len() <= 10_000 && !body.contains(&0), "{}", body.len());
}

#[tokio::test]
async fn a_200_that_says_no_is_a_no() {
    let receiver = Receiver::start();
    receiver.script([
        Meet::says(200, "OK (not found)"),
        Meet::says(200, "OK (rate limited)"),
        Meet::says(201, "Created"),
        Meet::status(429),
        Meet::says(404, format!("no {KEY} here")),
        Meet::says(409, "ambiguous slug"),
    ]);
    let pings = Pings::new().unwrap();
    let target = target(&receiver.url(&format!("/{KEY}/daily")), true);
    let ping = || pings.ping(&target, Signal::Success, Uuid::nil(), "");
    assert!(never(ping().await).contains("no such check"));
    assert!(later(ping().await).0.contains("too often"));
    ping().await.unwrap();
    later(ping().await);
    let unknown = never(ping().await);
    assert!(unknown.ends_with("answered 404: no *** here"), "{unknown}");
    assert!(never(ping().await).contains("ambiguous slug"));
}

#[tokio::test]
async fn a_url_that_is_none_is_not_shown() {
    let pings = Pings::new().unwrap();
    for url in [
        "",
        "hc-ping.com/hunter2",
        "ftp://hc-ping.com/hunter2",
        "https://hunter2@h/",
    ] {
        let wrong = never(
            pings
                .ping(&target(url, false), Signal::Start, Uuid::nil(), "")
                .await,
        );
        assert!(
            wrong.contains("the ping URL") && !wrong.contains("hunter2"),
            "{wrong}"
        );
    }
}
