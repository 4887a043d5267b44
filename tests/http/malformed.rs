//! Requests that two servers could read in two ways, and requests that are none: a 4xx and a close, never a hang, a 5xx or
//! a second answer.

use std::io::Write;

use crate::{
    client::{connect, get, read_to_end},
    home,
};

/// What a smuggled request would be: its answer would be a second one.
const HIDDEN: &str = "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";

fn shapes() -> Vec<(&'static str, String)> {
    let post = |headers: &str, body: &str| {
        format!("POST /health/live HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}")
    };
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n{HIDDEN}");
    let header =
        |header: &str| format!("GET /health/live HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n{HIDDEN}");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let hidden = HIDDEN;
    vec![
        (
            "length and chunked",
            post(
                &format!("Content-Length: 4\r\n{chunked}"),
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "chunked and length",
            post(
                &format!("{chunked}Content-Length: 4\r\n"),
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "two lengths",
            post("Content-Length: 0\r\nContent-Length: 42\r\n", hidden),
        ),
        (
            "two equal lengths",
            post(
                "Content-Length: 3\r\nContent-Length: 3\r\n",
                &format!("abc{hidden}"),
            ),
        ),
        (
            "a list of lengths",
            post("Content-Length: 3, 3\r\n", &format!("abc{hidden}")),
        ),
        ("a negative length", post("Content-Length: -1\r\n", hidden)),
        (
            "a signed length",
            post("Content-Length: +3\r\n", &format!("abc{hidden}")),
        ),
        (
            "a length in hex",
            post("Content-Length: 0x3\r\n", &format!("abc{hidden}")),
        ),
        (
            "a length beyond 64 bits",
            post("Content-Length: 18446744073709551616\r\n", hidden),
        ),
        (
            "a length that is no number",
            post("Content-Length: three\r\n", hidden),
        ),
        (
            "chunked twice",
            post(
                &format!("{chunked}{chunked}"),
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "chunked, then identity",
            post(
                "Transfer-Encoding: chunked, identity\r\n",
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "unknown coding",
            post(
                "Transfer-Encoding: xchunked\r\n",
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "vertical tab before chunked",
            post(
                "Transfer-Encoding: \x0bchunked\r\n",
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "chunked in HTTP/1.0",
            format!("POST /health/live HTTP/1.0\r\nHost: a\r\n{chunked}\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "space before the colon",
            post("Content-Length : 3\r\n", &format!("abc{hidden}")),
        ),
        ("a folded header", header("X-A: b\r\n c: d")),
        (
            "a folded coding",
            post(
                "Transfer-Encoding:\r\n chunked\r\n",
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        ("a header without a name", header(": b")),
        ("a header without a colon", header("nonsense")),
        ("a NUL in a header", header("X-A: b\0c")),
        ("a lone CR in a header", header("X-A: b\rX-B: c")),
        (
            "no Host",
            format!("GET /health/live HTTP/1.1\r\n\r\n{hidden}"),
        ),
        ("two Hosts", header("Host: b")),
        ("no version", line("GET /health/live")),
        ("a strange version", line("GET /health/live HTTP/9.9")),
        ("a lower case version", line("GET /health/live http/1.1")),
        ("a method that is none", line("G(T /health/live HTTP/1.1")),
        ("a path with a space", line("GET /health /live HTTP/1.1")),
        (
            "a huge header",
            header(&format!("X-A: {}", "x".repeat(200_000))),
        ),
        (
            "very many headers",
            header(&vec!["X-A: b"; 5_000].join("\r\n")),
        ),
        (
            "a huge path",
            line(&format!("GET /{} HTTP/1.1", "x".repeat(200_000))),
        ),
        (
            "TLS",
            "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n".into(),
        ),
        (
            "HTTP/2 by prior knowledge",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        ),
    ]
}

/// Bodies that break off in a way that the head did not tell.
fn bodies() -> Vec<(&'static str, &'static str)> {
    vec![
        ("a chunk size that is none", "zz\r\nabc\r\n0\r\n\r\n"),
        ("a negative chunk size", "-1\r\nabc\r\n0\r\n\r\n"),
        (
            "a chunk size beyond 64 bits",
            "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        ),
        ("a chunk longer than it says", "1\r\nabc\r\n0\r\n\r\n"),
        ("a chunk size with a space", "3 3\r\nabc\r\n0\r\n\r\n"),
        ("an empty chunk size", "\r\nabc\r\n0\r\n\r\n"),
        ("a chunk size in 0x", "0x3\r\nabc\r\n0\r\n\r\n"),
    ]
}

#[test]
fn a_malformed_request_gets_one_4xx_and_a_close() {
    let home = home();
    let server = home.start();
    let api = server.address("api");
    for (name, request) in shapes() {
        let mut stream = connect(api);
        // The server may have heard enough before everything is sent.
        let _ = stream.write_all(request.as_bytes());
        let (text, _) = read_to_end(&mut stream);
        let answers = text.matches("HTTP/1.1 ").count();
        let refused = text.starts_with("HTTP/1.1 4") || text.is_empty();
        assert!(refused && answers <= 1, "{name}: {text}");
    }
    assert_eq!(get(api, "/health/live").status, 200);
    server.stop();
}

#[test]
fn a_malformed_body_leaves_no_second_request() {
    let home = home();
    let server = home.start();
    let api = server.address("api");
    for (name, body) in bodies() {
        let mut stream = connect(api);
        let head = "POST /health/live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = stream.write_all(format!("{head}{body}{HIDDEN}").as_bytes());
        let (text, _) = read_to_end(&mut stream);
        assert!(text.starts_with("HTTP/1.1 4"), "{name}: {text}");
        assert!(
            !text.contains("HTTP/1.1 2") && !text.contains("HTTP/1.1 5"),
            "{name}: {text}"
        );
    }
    server.stop();
}

#[test]
fn bytes_that_are_no_http_at_all_end_the_connection() {
    let home = home();
    let server = home.start();
    for name in ["api", "health", "metrics"] {
        let mut stream = connect(server.address(name));
        let noise: Vec<u8> = (0..20_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let _ = stream.write_all(&noise);
        let (text, _) = read_to_end(&mut stream);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
    server.stop();
}
