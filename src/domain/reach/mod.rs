//! Whom the requests of bots may reach: everybody outside, and of what is inside only what the operator names.
//!
//! A host is judged by the address that it has at the moment of connecting, never by its name alone.

mod entry;
mod public;

use std::net::IpAddr;

pub use self::{entry::AllowedHost, public::is_public};

/// Who may be reached, `[outbound]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// These may be reached whatever their address is.
    pub allowed: Vec<AllowedHost>,
    /// Nobody else may.
    pub only_allowed: bool,
}

impl Reach {
    /// Whether a host may be reached at this address; `name` is `None` where the address itself stands in the URL.
    #[must_use]
    pub fn permits(&self, name: Option<&str>, port: u16, address: IpAddr) -> bool {
        let named = |entry: &AllowedHost| entry.admits(name, port, address);
        self.allowed.iter().any(named) || (!self.only_allowed && is_public(address))
    }

    /// The ports that matter, because an entry opens just that one.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.allowed.iter().filter_map(AllowedHost::port)
    }

    /// What can be said of a URL before its name is looked up.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right. The text names the origin and nothing else of the URL.
    pub fn check(&self, url: &url::Url) -> Result<(), String> {
        check_form(url)?;
        let port = url.port_or_known_default().unwrap_or_default();
        let address = match url.host() {
            Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
            Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
            Some(url::Host::Domain(_)) | None => return Ok(()),
        };
        match self.permits(None, port, address) {
            true => Ok(()),
            false => Err(self.refusal(&url.origin().ascii_serialization())),
        }
    }

    /// Says that an origin may not be reached.
    #[must_use]
    pub fn refusal(&self, origin: &str) -> String {
        match self.only_allowed {
            true => {
                format!("{origin} may not be reached: it is not in `allow_hosts` of `[outbound]`")
            }
            false => format!(
                "{origin} may not be reached: its address is an internal one; `allow_hosts` of `[outbound]` can open it"
            ),
        }
    }
}

/// What can be said of any URL for a request.
///
/// # Errors
/// What is wrong with it, and what would be right. The text names the origin and nothing else of the URL.
pub fn check_form(url: &url::Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        let scheme = url.scheme();
        return Err(format!(
            "`{scheme}` is no scheme for requests; use http or https"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let origin = url.origin().ascii_serialization();
        return Err(format!(
            "the URL at {origin} has a user or password in it; send an `Authorization` header instead"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(entries: &[&str], only_allowed: bool) -> Reach {
        let entries = entries.iter().map(|text| AllowedHost::parse(text).unwrap());
        Reach {
            allowed: entries.collect(),
            only_allowed,
        }
    }

    fn permits(reach: &Reach, name: &str, port: u16, address: &str) -> bool {
        let name = (!name.is_empty()).then_some(name);
        reach.permits(name, port, address.parse().unwrap())
    }

    #[test]
    fn an_entry_opens_what_it_names_and_nothing_beside_it() {
        let entries = [
            "in.example",
            "*.lab.example:8080",
            "10.1.0.0/16",
            "[fd00::7]:81",
        ];
        let reach = reach(&entries, false);
        for (name, port, address, open) in [
            ("in.example", 1, "127.0.0.1", true),
            ("in.example.", 1, "127.0.0.1", true),
            ("x.in.example", 1, "127.0.0.1", false),
            ("a.lab.example", 8080, "10.0.0.1", true),
            ("a.b.lab.example", 8080, "10.0.0.1", true),
            ("a.lab.example", 8081, "10.0.0.1", false),
            ("lab.example", 8080, "10.0.0.1", false),
            ("xlab.example", 8080, "10.0.0.1", false),
            ("anything", 5, "10.1.255.255", true),
            ("anything", 5, "::ffff:10.1.2.3", true),
            ("", 5, "10.2.0.0", false),
            ("", 81, "fd00::7", true),
            ("", 80, "fd00::7", false),
            ("", 80, "8.8.8.8", true),
        ] {
            assert_eq!(
                permits(&reach, name, port, address),
                open,
                "{name} {port} {address}"
            );
        }
    }

    #[test]
    fn only_allowed_hosts_shuts_out_the_rest_of_the_world() {
        let reach = reach(&["api.example", "9.9.9.0/24"], true);
        for (name, address, open) in [
            ("api.example", "1.1.1.1", true),
            ("other.example", "9.9.9.9", true),
            ("other.example", "1.1.1.1", false),
        ] {
            assert_eq!(
                permits(&reach, name, 443, address),
                open,
                "{name} {address}"
            );
        }
    }

    #[test]
    fn every_spelling_of_an_internal_address_is_seen_before_a_connection_is_made() {
        let reach = Reach::default();
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.01/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://１２７.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[2002:7f00:1::]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0/",
        ] {
            let url = url::Url::parse(url).unwrap();
            let error = reach.check(&url).unwrap_err();
            assert!(error.contains("internal"), "{url}: {error}");
            assert!(!error.contains("meta-data"), "{error}");
        }
    }

    #[test]
    fn other_schemes_and_passwords_are_refused_without_being_repeated() {
        let reach = Reach::default();
        for (url, words) in [
            ("file:///etc/passwd", "use http or https"),
            ("gopher://a.example/", "use http or https"),
            ("http://user@a.example/", "Authorization"),
            ("http://:secret@a.example/", "Authorization"),
        ] {
            let error = reach.check(&url::Url::parse(url).unwrap()).unwrap_err();
            assert!(
                error.contains(words) && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
