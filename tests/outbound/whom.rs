//! Whom requests reach.

use actor_server::outbound::{Outbound, OutboundError, OutboundRules};

use crate::{
    authority, get,
    receiver::{Meet, Receiver},
    request,
};

fn refused(result: Result<impl std::fmt::Debug, OutboundError>) -> String {
    match result {
        Err(OutboundError::Refused(text)) => text,
        other => panic!("was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn nobody_inside_is_reached_by_any_spelling_of_an_address() {
    let receiver = Receiver::start();
    let port = receiver.url("").rsplit(':').next().unwrap().to_owned();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1.",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
    ] {
        let text = refused(get(&[], &format!("http://{host}:{port}/secret?key=1")).await);
        assert!(
            text.contains("internal") && !text.contains("secret"),
            "{host}: {text}"
        );
    }
    assert!(receiver.taken().is_empty(), "{:?}", receiver.taken());
}

#[tokio::test]
async fn an_entry_opens_a_host_by_name_by_address_and_by_network() {
    let receiver = Receiver::that(Meet::says(200, "here"));
    let url = receiver.url("/a");
    for entry in ["127.0.0.1", "127.0.0.0/8", authority(&url)] {
        let answer = get(&[entry], &url).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, &b"here"[..]),
            "{entry}"
        );
    }
    let by_name = url.replace("127.0.0.1", "localhost");
    for entry in [
        "localhost",
        "127.0.0.1",
        authority(&by_name),
        authority(&url),
    ] {
        assert!(get(&[entry], &by_name).await.is_ok(), "{entry}");
    }
    refused(get(&["*.localhost", "example.org"], &by_name).await);
}

#[tokio::test]
async fn an_entry_with_a_port_opens_just_that_one_however_often_it_is_asked() {
    let (open, closed) = (Receiver::start(), Receiver::start());
    let by_name = |receiver: &Receiver| receiver.url("/").replace("127.0.0.1", "localhost");
    let entries = [authority(&open.url("")).to_owned()];
    let outbound = Outbound::new(OutboundRules {
        allow_hosts: entries.into(),
    });
    for _ in 0..3 {
        for url in [open.url("/"), by_name(&open)] {
            assert!(outbound.send(request(&url)).await.is_ok(), "{url}");
        }
        for url in [closed.url("/"), by_name(&closed)] {
            refused(outbound.send(request(&url)).await);
        }
    }
    assert_eq!((open.taken().len(), closed.taken().len()), (6, 0));
}

#[tokio::test]
async fn with_only_allowed_hosts_nobody_else_is_asked() {
    let receiver = Receiver::start();
    let outbound = Outbound::only(OutboundRules {
        allow_hosts: vec!["127.0.0.1".into()],
    });
    assert!(outbound.send(request(&receiver.url("/"))).await.is_ok());
    let text = refused(outbound.send(request("http://1.1.1.1/")).await);
    assert!(text.contains("not in `allow_hosts`"), "{text}");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_opens_nothing() {
    let receiver = Receiver::start();
    refused(get(&["127.0.0.1/99", "*", ""], &receiver.url("/")).await);
}
