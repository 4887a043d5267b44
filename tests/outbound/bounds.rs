//! What an answer may take: time, size, and the shape of HTTP.

use std::time::Duration;

use actor_server::outbound::{Bounds, Incoming, OutboundError};
use tokio::time::Instant;

use crate::{
    PATIENCE, outbound,
    receiver::{Meet, Receiver},
    request,
};

async fn met(meet: Meet, bounds: Bounds) -> Result<Incoming, OutboundError> {
    let receiver = Receiver::that(meet);
    let mut asked = request(&receiver.url("/path?token=secret"));
    asked.bounds = bounds;
    let started = Instant::now();
    let result = outbound(&["127.0.0.1"]).send(asked).await;
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    if let Err(error) = &result {
        let text = error.to_string();
        assert!(!text.contains("secret") && !text.contains("path"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
    }
    result
}

fn raw(head: &str, body: &[u8]) -> Meet {
    Meet::Raw([head.as_bytes(), body].concat())
}

fn small() -> Bounds {
    Bounds {
        time: Duration::from_millis(500),
        bytes: 64 * 1024,
        ..Bounds::default()
    }
}

const GZIP: &str = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1053\r\n\r\n";

#[tokio::test]
async fn what_is_packed_is_unpacked_and_counted_as_it_is_then() {
    let zeros = include_bytes!("zeros.gz");
    let head = GZIP.replace("1053", &zeros.len().to_string());
    let answer = met(raw(&head, zeros), Bounds::default()).await.unwrap();
    assert_eq!(answer.body.len(), 1 << 20);
    let error = met(
        raw(&head, zeros),
        Bounds {
            bytes: (1 << 20) - 1,
            ..small()
        },
    )
    .await;
    assert!(
        matches!(error, Err(OutboundError::Bad(text)) if text.contains("more than 1048575 bytes"))
    );
    let broken = met(raw(&head, &vec![b'x'; zeros.len()]), small()).await;
    assert!(matches!(&broken, Err(OutboundError::Bad(_))), "{broken:?}");
}

#[tokio::test]
async fn an_answer_without_an_end_ends_at_the_bound_of_bytes_or_of_time() {
    let flood = met(
        Meet::Flood(200),
        Bounds {
            time: PATIENCE,
            ..small()
        },
    )
    .await;
    assert!(matches!(&flood, Err(OutboundError::Bad(_))), "{flood:?}");
    for meet in [Meet::Hang, Meet::Stall(200)] {
        let late = met(meet, small()).await.unwrap_err();
        assert!(
            matches!(&late, OutboundError::TimedOut(text) if text.contains("within 0.5 s")),
            "{late}"
        );
        assert!(late.is_transient());
    }
}

#[tokio::test]
async fn connections_that_fail_may_be_tried_again_and_what_is_no_http_is_not() {
    let cut = met(Meet::Cut, small()).await.unwrap_err();
    assert!(
        matches!(cut, OutboundError::Lost(_)) && cut.is_transient(),
        "{cut:?}"
    );
    let short = raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"short");
    let short = met(short, small()).await.unwrap_err();
    assert!(matches!(short, OutboundError::Lost(_)), "{short:?}");
    let greeting = raw("220 mail.example ESMTP\r\n", b"");
    let endless = raw(
        &format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(1 << 20)),
        b"\r\n\r\n",
    );
    let many = raw(
        &format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(1000)),
        b"\r\n",
    );
    for meet in [greeting, endless, many] {
        let bad = met(meet, small()).await.unwrap_err();
        assert!(matches!(bad, OutboundError::Bad(_)), "{bad:?}");
    }
    let gone = request("http://127.0.0.1:1/");
    let gone = outbound(&["127.0.0.1"]).send(gone).await.unwrap_err();
    assert!(
        matches!(&gone, OutboundError::Lost(text) if text.contains("cannot connect")),
        "{gone}"
    );
}
