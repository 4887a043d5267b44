//! `healthcheck`: asks the server on this machine whether it lives, for containers that have no other tool.
//!
//! It needs the address and nothing else: the rest of the configuration may be broken, or be changed at this moment.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use tokio::time::Instant;

use super::{Options, answer, complain};
use crate::config;

/// For everything together.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn healthcheck(options: &Options) -> ExitCode {
    let listener = config::health_address(&options.config, &|name| std::env::var_os(name));
    let address = match listener {
        Ok(listener) => over_loopback(listener),
        Err(message) => {
            complain(&message);
            return ExitCode::FAILURE;
        }
    };
    match ask(address) {
        Ok(status) if status.contains(" 200 ") => {
            answer(format!("live at {address}\n").as_bytes());
            ExitCode::SUCCESS
        }
        Ok(status) => {
            complain(&format!("{address} answers `{status}`"));
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("{address} does not answer: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A listener on every address is asked on this machine's own.
const fn over_loopback(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

/// The status line of `GET /health/live`.
fn ask(address: SocketAddr) -> io::Result<String> {
    let end = Instant::now() + PATIENCE;
    let left = || {
        let left = end.saturating_duration_since(Instant::now());
        // Zero would mean for ever.
        left.max(Duration::from_millis(1))
    };
    let mut stream = TcpStream::connect_timeout(&address, left())?;
    stream.set_write_timeout(Some(left()))?;
    let request =
        format!("GET /health/live HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let (mut line, mut byte) = (Vec::new(), [0; 256]);
    while !line.contains(&b'\n') && line.len() < 4_096 {
        if Instant::now() >= end {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left()))?;
        let n = stream.read(&mut byte)?;
        if n == 0 {
            break;
        }
        line.extend(byte.iter().take(n));
    }
    let text = String::from_utf8_lossy(&line);
    Ok(text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::over_loopback;

    #[test]
    fn a_listener_on_every_address_is_asked_on_this_machine() {
        for (listener, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            let address = over_loopback(listener.parse().unwrap());
            assert_eq!(address.to_string(), asked);
        }
    }
}
