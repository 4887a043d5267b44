//! Addresses of databases and web origins: which are good, and what would be right. Passwords are never repeated.

use std::{net::SocketAddr, str::FromStr};

use url::Url;

const USE: &str = "use `sqlite://data/actor_server.db`, `sqlite:///absolute/path.db` or `postgres://user@host/database`";

/// Checks where state is to be kept.
pub(super) fn check_database(url: &str) -> Result<(), String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return check_postgres(url);
    }
    match url.strip_prefix("sqlite:") {
        None => Err(format!("is no database URL; {USE}")),
        Some(rest) if rest.contains(":memory:") || rest.contains("mode=memory") => Err(
            "a database in memory forgets everything at a stop; use a file, such as `sqlite://data/actor_server.db`"
                .into(),
        ),
        Some(rest) => check_sqlite(rest),
    }
}

fn check_sqlite(rest: &str) -> Result<(), String> {
    match rest.strip_prefix("//") {
        None => Err(format!("is no database URL; {USE}")),
        Some(path) if path.is_empty() || path.ends_with('/') => {
            Err(format!("names no file; {USE}"))
        }
        Some(path) if path.contains('?') => {
            Err("a SQLite URL takes no parameters; use `sqlite://PATH` alone".into())
        }
        Some(path) if path.contains('\0') => Err(format!("contains a NUL; {USE}")),
        Some(_) => Ok(()),
    }
}

fn check_postgres(url: &str) -> Result<(), String> {
    let config = tokio_postgres::Config::from_str(url).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let cause = cause.unwrap_or_else(|| error.to_string());
        format!("is no PostgreSQL URL ({cause}); use `postgres://user:password@host:5432/database?sslmode=require`")
    })?;
    if config.get_hosts().is_empty() {
        return Err("names no host; use `postgres://user@host/database`".into());
    }
    Ok(())
}

/// Reads an origin, `scheme://host` with an optional port and nothing behind it.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let good = Url::parse(text).ok().filter(is_origin);
    good.map(|url| url.as_str().trim_end_matches('/').to_owned())
        .ok_or_else(|| {
            "is no origin; use scheme, host and perhaps a port, such as `https://discord.com` or `http://127.0.0.1:8000`".into()
        })
}

fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// Reads the address of somebody who is told something: its path and query may be secrets.
pub(super) fn receiver(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text)
        .map_err(|_| "is no address; write it in full, such as `https://example.org/alerts`")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("is no address of a web server; begin with `https://` or `http://`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user or password in it; leave them out");
    }
    if url.fragment().is_some() {
        return Err("has a fragment (`#…`), which is never sent; leave it out");
    }
    Ok(text.to_owned())
}

/// Reads an address to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| {
        format!("`{text}` is no address to listen on; use an IP address and a port, such as `127.0.0.1:3000`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_servers_are_good_databases() {
        for url in [
            "sqlite://data/actor_server.db",
            "sqlite:///var/lib/bots.db",
            "postgres://bots:secret@db.example/bots?sslmode=require",
            "postgresql://localhost/bots",
            "postgres://bots@[::1]:5433/bots",
        ] {
            assert_eq!(check_database(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn other_databases_are_refused_without_repeating_them() {
        for url in [
            "",
            "data.db",
            "mysql://u:hunter2@h/d",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:",
            "sqlite://",
            "sqlite:data.db",
            "sqlite://x?mode=memory",
            "sqlite://hunter2?x=y",
            "postgres://",
            "postgres:///bots",
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
        ] {
            let message = check_database(url).expect_err(url);
            assert!(
                !message.contains("hunter2") && message.contains("use"),
                "{url}: {message}"
            );
        }
    }

    #[test]
    fn an_origin_has_no_path_and_no_user() {
        assert_eq!(
            origin("https://discord.com/"),
            Ok("https://discord.com".into())
        );
        assert_eq!(
            origin("http://127.0.0.1:8000"),
            Ok("http://127.0.0.1:8000".into())
        );
        for text in [
            "",
            "discord.com",
            "ftp://x",
            "https://x/api",
            "https://u:p@x",
            "https://x?y",
            "file:///etc",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_numeric_or_localhost() {
        assert_eq!(listen("localhost:80").unwrap(), ([127, 0, 0, 1], 80).into());
        assert!(listen("[::]:80").is_ok());
        for text in [
            "3000",
            ":3000",
            "example.org:80",
            "127.0.0.1:99999",
            "localhost",
        ] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
