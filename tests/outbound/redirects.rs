//! Where redirects lead.

use actor_server::outbound::OutboundError;
use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};

use crate::{
    authority, get, outbound,
    receiver::{Meet, Receiver},
    request,
};

#[tokio::test]
async fn a_redirect_is_judged_as_a_request_is() {
    let (open, inside) = (Receiver::start(), Receiver::start());
    let entry = authority(&open.url("")).to_owned();
    let port = inside.url("").rsplit(':').next().unwrap().to_owned();
    for to in [
        inside.url("/admin"),
        format!("http://localhost:{port}/admin"),
        format!("//[::ffff:7f00:1]:{port}/"),
        "http://169.254.169.254/latest/meta-data".into(),
        "file:///etc/passwd".into(),
        format!("http://user:hunter2@{entry}/"),
    ] {
        open.script([Meet::with(302, "Location", &to)]);
        let error = get(&[&entry], &open.url("/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused(_)), "{to}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(inside.taken().is_empty());
}

#[tokio::test]
async fn a_post_is_redirected_without_its_secrets() {
    let (first, second) = (Receiver::start(), Receiver::that(Meet::says(200, "end")));
    for (status, line, body) in [(307, "POST /next", "hello"), (303, "GET /next", "")] {
        first.script([Meet::with(status, "Location", second.url("/next"))]);
        let secret = HeaderValue::from_static("secret");
        let mut post = request(&first.url("/"))
            .header(AUTHORIZATION, secret.clone())
            .header(HeaderName::from_static("x-api-key"), secret)
            .header(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        (post.method, post.body) = (Method::POST, b"hello".to_vec());
        let answer = outbound(&["127.0.0.1"]).send(post).await.unwrap();
        assert_eq!(answer.url.as_str(), second.url("/next"));
        let taken = second.taken().pop().unwrap();
        assert_eq!((taken.line.as_str(), taken.text()), (line, body));
        assert_eq!(
            (taken.header("authorization"), taken.header("x-api-key")),
            ("", "")
        );
    }
    assert_eq!(first.taken()[0].header("x-api-key"), "secret");
}

#[tokio::test]
async fn a_circle_of_redirects_has_an_end() {
    let receiver = Receiver::that(Meet::with(302, "Location", "/again"));
    let error = get(&["127.0.0.1"], &receiver.url("/")).await.unwrap_err();
    assert!(
        matches!(&error, OutboundError::Bad(text) if text.contains("more than 5 times")),
        "{error}"
    );
    assert_eq!(receiver.taken().len(), 6);
}

#[tokio::test]
async fn one_who_follows_no_redirects_gets_them_as_answers() {
    let receiver = Receiver::that(Meet::with(302, "Location", "/again"));
    let mut asked = request(&receiver.url("/"));
    asked.bounds.redirects = 0;
    let answer = outbound(&["127.0.0.1"]).send(asked).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(receiver.taken().len(), 1);
}
