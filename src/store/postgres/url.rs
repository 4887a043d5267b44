//! The database's URL: what PostgreSQL's own clients understand by it, TLS included.

use std::{path::PathBuf, time::Duration};

use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls;
use crate::store::StoreError;

/// How long a connection may take to be made, unless the URL says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long sent data may stay unacknowledged before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

/// How to connect.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

/// `sslmode`, as libpq defines it (PostgreSQL, chapter 34.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// No encryption.
    Disable,
    /// Encrypted if the server can, no check of who it is (default).
    Prefer,
    /// Encrypted, no check of who it is; with a root certificate as `VerifyCa`.
    Require,
    /// Encrypted, and the certificate is signed by a known authority.
    VerifyCa,
    /// And it is made out to the host of the URL.
    VerifyFull,
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "disable" => Some(Self::Disable),
            "allow" | "prefer" => Some(Self::Prefer),
            "require" => Some(Self::Require),
            "verify-ca" => Some(Self::VerifyCa),
            "verify-full" => Some(Self::VerifyFull),
            _ => None,
        }
    }

    const fn negotiation(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

impl Settings {
    /// Reads a URL; what it leaves open is set to what a server process needs.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let split = Split::of(url)?;
        let mut config: Config = split
            .rest
            .parse()
            .map_err(|e: tokio_postgres::Error| unreadable(&e))?;
        if config.get_hosts().is_empty() {
            return Err(invalid("names no host"));
        }
        let mode = if is_local(&config) {
            Mode::Disable
        } else {
            split.mode
        };
        complete(&mut config, mode);
        let tls = tls::connector(mode, split.roots.as_deref())?;
        Ok(Self { config, tls })
    }
}

/// The URL without what the client library does not know.
struct Split {
    rest: String,
    mode: Mode,
    roots: Option<PathBuf>,
}

impl Split {
    fn of(url: &str) -> Result<Self, StoreError> {
        let address = url.trim().split_once("://").filter(|(scheme, _)| {
            scheme.eq_ignore_ascii_case("postgres") || scheme.eq_ignore_ascii_case("postgresql")
        });
        let Some((_, address)) = address else {
            return Err(invalid(
                "is none of PostgreSQL; use postgres://user:password@host/database",
            ));
        };
        let (base, query) = address.split_once('?').unwrap_or((address, ""));
        let (mut mode, mut roots, mut rest) = (Mode::Prefer, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => {
                    mode = Mode::parse(value).ok_or_else(|| {
                        invalid("has an unknown sslmode; use disable, prefer, require, verify-ca or verify-full")
                    })?;
                }
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(decoded(value)?)),
                _ => rest.push(pair),
            }
        }
        let rest = if rest.is_empty() {
            format!("postgres://{base}")
        } else {
            format!("postgres://{base}?{}", rest.join("&"))
        };
        Ok(Self { rest, mode, roots })
    }
}

/// Files of a socket need no encryption; libpq does not offer it there either.
fn is_local(config: &Config) -> bool {
    let unix = |host: &Host| match host {
        Host::Tcp(_) => false,
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(unix)
}

fn complete(config: &mut Config, mode: Mode) {
    config.ssl_mode(mode.negotiation());
    if config.get_application_name().is_none() {
        config.application_name("actor-server");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    config.keepalives_idle(SILENCE);
}

fn decoded(value: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| char::from(digit?).to_digit(16);
        let byte = if byte == b'%' {
            let pair = hex(rest.next()).zip(hex(rest.next()));
            let code = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
            code.ok_or_else(|| invalid("has a broken %-escape in sslrootcert"))?
        } else {
            byte
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| invalid("has a sslrootcert that is not UTF-8"))
}

/// Says which part is wrong, never what it holds: that may be a password.
fn unreadable(error: &tokio_postgres::Error) -> StoreError {
    let cause =
        std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    invalid(&format!("cannot be read{cause}"))
}

pub(super) fn invalid(what: &str) -> StoreError {
    StoreError::Url(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        match Settings::parse(url) {
            Err(StoreError::Url(text)) => text,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn a_url_says_how_to_connect() {
        let url = "postgres://bot:s%40cret@db.example:5433/bots?sslmode=require&application_name=x";
        let settings = Settings::parse(url).unwrap();
        assert_eq!(settings.config.get_user(), Some("bot"));
        assert_eq!(settings.config.get_password(), Some(b"s@cret".as_slice()));
        assert_eq!(settings.config.get_dbname(), Some("bots"));
        assert_eq!(settings.config.get_ports(), [5433]);
        assert_eq!(settings.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(settings.config.get_application_name(), Some("x"));
        assert_eq!(
            settings.config.get_connect_timeout(),
            Some(&CONNECT_TIMEOUT)
        );
    }

    #[test]
    fn encryption_is_preferred_unless_the_url_says_otherwise_and_off_for_sockets() {
        let mode = |url| Settings::parse(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://h/d"), SslMode::Prefer);
        assert_eq!(mode("PostgreSQL://h/d?sslmode=disable"), SslMode::Disable);
        assert_eq!(
            mode("postgres://u@%2Frun%2Fpg/d?sslmode=require"),
            SslMode::Disable
        );
    }

    #[test]
    fn a_broken_url_is_refused_without_repeating_its_password() {
        for url in [
            "mysql://u:hunter2@h/d",
            "host=h password=hunter2",
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=maybe",
            "postgres://u:hunter2@h/d?colour=red",
            "postgres://u:hunter2@h/d?sslmode=verify-ca&sslrootcert=%2",
            "postgres://u:hunter2@h/d?sslmode=verify-ca&sslrootcert=/none/such.pem",
            "postgres:///d",
            "",
        ] {
            let text = error(url);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
