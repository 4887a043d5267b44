//! A client that sends exactly the bytes it is told to.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long any answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
    /// From the request to the end of the answer.
    pub(crate) took: Duration,
}

impl Reply {
    /// A header's value; names in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        found.map(str::trim)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless this is a whole problem document of that status.
    pub(crate) fn assert_problem(&self, status: u16) -> Value {
        let problem = self.json();
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(problem["status"], status);
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/"));
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        problem
    }
}

/// Opens a connection.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// GETs a path on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
}

/// Sends these bytes on a connection of its own and reads one answer.
pub(crate) fn send(address: SocketAddr, request: &str) -> Reply {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    read(&mut stream).unwrap_or_else(|| panic!("no answer to {request:?}"))
}

/// Reads one answer; `None` if the connection ends before there is one.
pub(crate) fn read(stream: &mut TcpStream) -> Option<Reply> {
    let begun = Instant::now();
    let (mut bytes, mut end) = (Vec::new(), None);
    let mut byte = [0];
    while end.is_none() {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("it hangs: {bytes:?}"),
            Ok(_) | Err(_) => return None,
        }
        end = bytes.ends_with(b"\r\n\r\n").then_some(bytes.len());
    }
    let head = String::from_utf8(bytes).unwrap();
    let status = head[9..12].parse().unwrap();
    let mut reply = Reply {
        status,
        head,
        body: String::new(),
        took: Duration::ZERO,
    };
    let length = reply.header("content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    reply.body = String::from_utf8(body).unwrap();
    reply.took = begun.elapsed();
    Some(reply)
}

/// Everything until the server closes, and how long that took. Fails if it does not.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> (String, Duration) {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            panic!("it hangs after {:?}", String::from_utf8_lossy(&bytes))
        }
        // A reset is an end too.
        Ok(_) | Err(_) => {}
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text, begun.elapsed())
}
