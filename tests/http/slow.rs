//! Clients that send, or take, as slowly as they can.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    client::{connect, read, read_to_end},
    home,
};

/// The promise is ten seconds; a busy machine may add to it.
const CUT: Duration = Duration::from_secs(13);

/// Sends a byte every 200 ms until the other side has had enough; how long that took, and the status it said.
fn drip(mut stream: TcpStream, bytes: &[u8]) -> (Duration, Option<u16>) {
    let begun = Instant::now();
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).is_err() || begun.elapsed() > CUT * 2 {
            break;
        }
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let mut end = [0; 1];
        match stream.peek(&mut end) {
            Ok(0) => break,
            Ok(_) => {
                stream.set_read_timeout(Some(CUT)).unwrap();
                let status = read(&mut stream).map(|reply| reply.status);
                let (_, _) = read_to_end(&mut stream);
                return (begun.elapsed(), status);
            }
            Err(_) => {}
        }
    }
    (begun.elapsed(), None)
}

#[test]
fn a_head_that_comes_byte_by_byte_is_cut_within_ten_seconds() {
    let home = home();
    let server = home.start();
    for name in ["api", "health"] {
        let mut stream = connect(server.address(name));
        stream
            .write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
            .unwrap();
        let (took, status) = drip(stream, b"X-A: b\r\n");
        assert!(took < CUT, "{took:?}");
        assert_eq!(status, Some(408));
    }
    server.stop();
}

#[test]
fn so_is_the_head_of_a_later_request_on_the_same_connection() {
    let home = home();
    let server = home.start();
    let mut stream = connect(server.address("api"));
    let request = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request).unwrap();
    assert_eq!(read(&mut stream).unwrap().status, 200);
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
        .unwrap();
    let (took, _) = drip(stream, b"X-A: b\r\n");
    assert!(took < CUT, "{took:?}");
    server.stop();
}

#[test]
fn a_body_that_nobody_reads_is_cut_within_ten_seconds() {
    let home = home();
    let server = home.start();
    for (head, body) in [
        ("Content-Length: 60000", &b"x"[..]),
        ("Transfer-Encoding: chunked", &b"1\r\nx\r\n"[..]),
    ] {
        let mut stream = connect(server.address("api"));
        let request = format!("POST /nothing HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let (took, status) = drip(stream, body);
        assert!(took < CUT, "{head}: {took:?}");
        assert_eq!(status, Some(404), "{head}");
    }
    server.stop();
}

#[test]
fn a_connection_that_says_nothing_is_let_go_of() {
    let home = home();
    let server = home.start();
    let mut silent = connect(server.address("health"));
    let (_, took) = read_to_end(&mut silent);
    assert!(took < CUT, "{took:?}");
    let mut idle = connect(server.address("health"));
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert_eq!(read(&mut idle).unwrap().status, 200);
    let (_, took) = read_to_end(&mut idle);
    assert!(took < CUT, "{took:?}");
    server.stop();
}
