//! What every channel makes of answers, of bad ones most of all.

use std::{net::TcpListener, time::Duration};

use actor_server::platforms::ops::{
    NotDelivered, OpsChannel,
    pings::{PingTarget, Pings, Signal},
};
use futures::future::join_all;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    discord, later, never, notice, pagerduty,
    receiver::{Meet, Receiver},
    webhook,
};

const PATH: &str = "/a-secret-part-of-the-url";

fn channels(receiver: &Receiver) -> Vec<Box<dyn OpsChannel>> {
    let url = receiver.url(PATH);
    vec![
        Box::new(webhook::webhook(&url)),
        Box::new(discord::webhook(&url)),
        Box::new(discord::bot(receiver)),
        Box::new(pagerduty::pagerduty(&url)),
    ]
}

async fn ping(receiver: &Receiver) -> Result<(), NotDelivered> {
    let target = PingTarget {
        url: receiver.url(PATH).into(),
        create: false,
    };
    let pings = Pings::new().unwrap();
    pings.ping(&target, Signal::Success, Uuid::nil(), "").await
}

/// What each channel, and a ping, comes to.
async fn all(meet: Meet) -> (Receiver, Vec<Result<(), NotDelivered>>) {
    let receiver = Receiver::that(meet);
    let mut results = Vec::new();
    for channel in channels(&receiver) {
        results.push(channel.deliver(&notice()).await);
    }
    results.push(ping(&receiver).await);
    (receiver, results)
}

#[tokio::test]
async fn each_channel_has_the_name_that_the_configuration_uses() {
    let receiver = Receiver::start();
    let names: Vec<&str> = channels(&receiver)
        .iter()
        .map(|channel| channel.name())
        .collect();
    assert_eq!(names, ["webhook", "discord", "discord", "pagerduty"]);
}

#[tokio::test]
async fn a_success_is_one_whatever_the_body_says() {
    for status in [200, 201, 202, 204] {
        let (_, results) = all(Meet::status(status)).await;
        assert!(results.iter().all(Result::is_ok), "{status}: {results:?}");
    }
    let (_, results) = all(Meet::says(200, "<html>\0")).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[tokio::test]
async fn what_may_pass_is_put_off_and_what_may_not_is_final() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        let (_, results) = all(Meet::says(status, "no")).await;
        for result in results {
            let (reason, after) = later(result);
            assert!(
                reason.ends_with(&format!("answered {status}: no")),
                "{reason}"
            );
            assert_eq!(after, None);
        }
    }
    for status in [400, 401, 403, 404, 405, 409, 410, 413, 422] {
        let (_, results) = all(Meet::status(status)).await;
        for result in results {
            let reason = never(result);
            assert!(reason.ends_with(&format!("answered {status}")), "{reason}");
        }
    }
}

#[tokio::test]
async fn a_wait_is_taken_in_both_forms_and_bounded() {
    let dated = |after: &str| {
        let headers = vec![
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            ("Retry-After", after.to_owned()),
        ];
        Meet::Answer(503, headers, String::new())
    };
    for (meet, seconds) in [
        (Meet::with(429, "Retry-After", 30), 30),
        (Meet::with(503, "Retry-After", 86_400), 3_600),
        (dated("Sun, 06 Nov 1994 08:50:37 GMT"), 60),
        (dated("Fri, 05 Nov 2094 08:50:37 GMT"), 3_600),
    ] {
        let (_, results) = all(meet).await;
        for result in results {
            assert_eq!(later(result).1, Some(Duration::from_secs(seconds)));
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start();
    for status in [301, 302, 303, 307, 308] {
        let (receiver, results) = all(Meet::with(status, "Location", elsewhere.url(PATH))).await;
        for result in results {
            let (reason, _) = later(result);
            assert!(reason.contains("redirects are not followed"), "{reason}");
        }
        assert_eq!(receiver.taken().len(), 5);
    }
    assert_eq!(elsewhere.taken().len(), 0);
}

#[tokio::test]
async fn a_cut_connection_and_a_closed_port_say_where_but_not_the_whole_address() {
    let (receiver, results) = all(Meet::Cut).await;
    let origin = receiver.url("");
    for result in results {
        let (reason, after) = later(result);
        assert!(
            reason.starts_with(&format!("the connection to {origin} was lost")),
            "{reason}"
        );
        assert!(!reason.contains("secret") && after.is_none(), "{reason}");
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let closed = webhook::webhook(&format!("http://127.0.0.1:{port}{PATH}"));
    let (reason, _) = later(closed.deliver(&notice()).await);
    assert!(
        reason.starts_with("cannot connect to http://127.0.0.1"),
        "{reason}"
    );
    assert!(!reason.contains("secret"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_huge_answer_is_read_as_far_as_it_is_needed_and_the_connection_closed() {
    for status in [200, 400, 500] {
        let (receiver, results) = all(Meet::Flood(status)).await;
        for result in results {
            match (status, result) {
                (200, Ok(())) => {}
                (400, Err(NotDelivered::Never(reason)))
                | (500, Err(NotDelivered::Later { reason, .. })) => {
                    assert!(reason.chars().count() < 400, "{reason}");
                }
                (_, other) => panic!("{other:?}"),
            }
        }
        receiver.wait_until_alone(Duration::from_secs(10));
    }
}

/// Takes as long as the channels' patience, which is real: a test's clock cannot be stopped beside a socket.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_waits_for_an_answer_for_more_than_ten_seconds() {
    let (hanging, stalled) = (Receiver::that(Meet::Hang), Receiver::that(Meet::Stall(500)));
    let begun = Instant::now();
    let senders = channels(&hanging).into_iter().chain(channels(&stalled));
    let results = join_all(senders.map(|channel| async move { channel.deliver(&notice()).await }));
    let (results, silent) = tokio::join!(results, ping(&hanging));
    assert!(
        begun.elapsed() < Duration::from_secs(14),
        "{:?}",
        begun.elapsed()
    );
    let (hung, cut) = results.split_at(4);
    for result in hung.iter().cloned().chain([silent]) {
        let (reason, _) = later(result);
        assert!(reason.ends_with("did not answer within 10 s"), "{reason}");
    }
    for result in cut.iter().cloned() {
        assert!(later(result).0.ends_with("answered 500: so"));
    }
    for receiver in [hanging, stalled] {
        receiver.wait_until_alone(Duration::from_secs(10));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_success_whose_answer_does_not_end_is_one_at_once() {
    let receiver = Receiver::that(Meet::Stall(200));
    let begun = Instant::now();
    for channel in channels(&receiver) {
        channel.deliver(&notice()).await.unwrap();
    }
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    receiver.wait_until_alone(Duration::from_secs(10));
}
