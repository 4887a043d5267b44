//! Which backend a database URL names. Only the address is read here; nothing is opened.

use std::{fmt, path::PathBuf};

use secrecy::SecretString;

use super::StoreError;

/// A database URL, understood.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// `sqlite://data/x.db` is relative to the working directory, `sqlite:///data/x.db` is absolute.
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`, which may hold a password.
    Postgres(SecretString),
}

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`StoreError::Url`], saying what would be right. A PostgreSQL URL is never quoted, because it may hold a password.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(unknown_scheme());
        };
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest).map(Self::Sqlite),
            "postgres" | "postgresql" if rest.starts_with("//") => {
                Ok(Self::Postgres(text.to_owned().into()))
            }
            _ => Err(unknown_scheme()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://***"),
        }
    }
}

fn unknown_scheme() -> StoreError {
    wrong("starts with neither `sqlite://` nor `postgres://`".to_owned())
}

fn wrong(what: String) -> StoreError {
    StoreError::Url(what)
}

fn sqlite(rest: &str) -> Result<PathBuf, StoreError> {
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    // What other programs write for "make the file if there is none", which is the rule here.
    if !matches!(query, "" | "mode=rwc") {
        return Err(wrong(format!(
            "has the unknown option `{}`; an SQLite URL takes none",
            query.escape_debug()
        )));
    }
    let path = decoded(address.strip_prefix("//").unwrap_or(address))?;
    if path.contains(":memory:") {
        return Err(wrong(
            "names a database in memory, which would forget every slot; name a file".to_owned(),
        ));
    }
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err(wrong(
            "names no file; write `sqlite://data/actor_server.db`, or `sqlite:///…` for an absolute path"
                .to_owned(),
        ));
    }
    Ok(path.into())
}

/// Replaces `%20` and the like (RFC 3986, section 2.1).
fn decoded(text: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let code = tail.get(..2).and_then(hex).ok_or_else(|| {
            wrong("has a `%` that no two hexadecimal digits follow; write it as `%25`".to_owned())
        })?;
        bytes.push(code);
        rest = tail.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_error| wrong("is not valid UTF-8 when decoded".to_owned()))
}

fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(text, 16).ok().filter(|_code| plain)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn path(url: &str) -> PathBuf {
        match DatabaseUrl::parse(url) {
            Ok(DatabaseUrl::Sqlite(path)) => path,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn two_slashes_are_relative_and_three_absolute() {
        for (url, expected) in [
            ("sqlite://data/actor_server.db", "data/actor_server.db"),
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:a.db", "a.db"),
            (" SQLite://a.db\n", "a.db"),
            ("sqlite://a.db?mode=rwc", "a.db"),
            (
                "sqlite://with%20space/100%25/%C3%A4.db",
                "with space/100%/ä.db",
            ),
        ] {
            assert_eq!(path(url), Path::new(expected), "{url}");
        }
    }

    #[test]
    fn what_names_no_database_is_refused_with_what_would_be_right() {
        for (url, hint) in [
            ("", "sqlite://"),
            ("data/a.db", "sqlite://"),
            ("mysql://root@localhost/x", "postgres://"),
            ("postgres", "postgres://"),
            ("postgres:x", "postgres://"),
            ("sqlite://", "names no file"),
            ("sqlite://data/", "names no file"),
            ("sqlite://a%00b", "names no file"),
            ("sqlite::memory:", "name a file"),
            ("sqlite://a.db?mode=ro", "mode=ro"),
            ("sqlite://a%2", "%25"),
            ("sqlite://a%+1", "%25"),
            ("sqlite://a%ff", "UTF-8"),
        ] {
            let error = DatabaseUrl::parse(url).unwrap_err();
            assert!(matches!(error, StoreError::Url(_)), "{url}: {error}");
            assert!(error.to_string().contains(hint), "{url}: {error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in ["postgres://u:hunter2@h/d", "postgresql://u:hunter2@h/d"] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(format!("{parsed:?}"), "postgres://***");
        }
        let error = DatabaseUrl::parse("mysql://u:hunter2@h/d").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
