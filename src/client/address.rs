//! Where the server is, and where its routes are below that.

use std::fmt;

use url::{Host, Url};

use super::Error;

/// A URL that is known to be one of a server.
#[derive(Clone, Debug)]
pub(super) struct Address(Url);

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Url(format!("`{}` {what}", without_password(text)));
        let url = Url::parse(text.trim())
            .map_err(|error| wrong(&format!("is no URL ({error}); write http://HOST:PORT")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("is neither http:// nor https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("has a user name or password; give a token instead"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "has a query or a fragment; leave out what follows the path",
            ));
        }
        Ok(Self(url))
    }

    /// A route. Each segment is one of the URL, whatever characters it has.
    pub(super) fn at(&self, segments: &[&str]) -> Result<Url, Error> {
        // A server or a proxy would resolve these, and the request would go to another route.
        if let Some(name) = segments
            .iter()
            .find(|part| matches!(**part, "" | "." | ".."))
        {
            return Err(Error::Argument(format!("nothing can be called `{name}`")));
        }
        let mut url = self.0.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Url(format!("`{self}` has no place for a path")))?
            .pop_if_empty()
            .extend(segments);
        Ok(url)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is this machine, which no proxy leads to.
    pub(super) fn is_local(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// The text without what stands before an `@`, which may be a password.
fn without_password(text: &str) -> String {
    match (text.find("//"), text.rfind('@')) {
        (Some(start), Some(end)) if start + 2 < end => {
            let (head, tail) = (text.get(..start + 2), text.get(end..));
            format!(
                "{}***{}",
                head.unwrap_or_default(),
                tail.unwrap_or_default()
            )
        }
        (None, Some(end)) => format!("***{}", text.get(end..).unwrap_or_default()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(base: &str, segments: &[&str]) -> String {
        let address = Address::parse(base).unwrap();
        address.at(segments).unwrap().to_string()
    }

    #[test]
    fn routes_lie_below_the_path_of_the_url() {
        for base in ["http://h:1/bots", "http://h:1/bots/", " http://h:1/bots "] {
            assert_eq!(path(base, &["api", "v1"]), "http://h:1/bots/api/v1");
        }
        assert_eq!(path("https://h", &["health"]), "https://h/health");
    }

    #[test]
    fn a_name_never_leads_to_another_route() {
        let name = "a/../b?c#d%2e e";
        let url = path("http://h", &["actors", name, "pause"]);
        assert_eq!(url, "http://h/actors/a%2F..%2Fb%3Fc%23d%252e%20e/pause");
        let address = Address::parse("http://h").unwrap();
        for name in ["", ".", ".."] {
            let url = address.at(&["actors", name, "resume"]);
            assert!(matches!(url, Err(Error::Argument(_))), "{name:?}: {url:?}");
        }
    }

    #[test]
    fn a_url_that_is_none_is_refused_and_its_password_not_shown() {
        for (url, part) in [
            ("127.0.0.1:3000", "write http://HOST:PORT"),
            ("ftp://h", "neither http:// nor https://"),
            ("http://me:hunter2@h", "give a token instead"),
            ("http://h/?a=b", "a query"),
            ("http://h/#x", "a fragment"),
            ("http://", "is no URL"),
            ("", "is no URL"),
            ("hunter2@h", "is no URL"),
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for (url, local) in [
            ("http://127.0.0.1:3000", true),
            ("http://[::1]:3000", true),
            ("http://localhost", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().is_local(), local, "{url}");
        }
    }
}
