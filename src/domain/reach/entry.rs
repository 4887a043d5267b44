//! One entry of `allow_hosts`, as people write it.

use std::net::IpAddr;

use ipnet::IpNet;

/// A host, or a network, that may be reached though its address is internal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    whom: Whom,
    /// Just this one; `None` is any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    /// Lower case, punycode, without the dot at the end.
    Name(String),
    /// All names below this one, which begins with a dot.
    Below(String),
    Network(IpNet),
}

/// What entries look like.
const FORMS: &str = "use a bare name such as `example.org`, `*.example.org`, an address or a network such as \
                     `10.0.0.0/8`, each with or without a `:port`";

impl AllowedHost {
    /// Reads a name, `*.name`, an address or a network, each with or without `:port` (`[…]:port` for IPv6).
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err(format!("`{text}` is no host; {FORMS}"));
        }
        let (host, port) = split(text)?;
        Ok(Self {
            whom: whom(host, text)?,
            port,
        })
    }

    /// The port, if it is about one only.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is about this host, known by this name if it has one, at this address.
    #[must_use]
    pub fn admits(&self, name: Option<&str>, port: u16, address: IpAddr) -> bool {
        let name = name.map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        let fits = match (&self.whom, name) {
            (Whom::Network(network), _) => {
                network.contains(&address) || network.contains(&address.to_canonical())
            }
            (Whom::Name(wanted), Some(name)) => *wanted == name,
            (Whom::Below(wanted), Some(name)) => {
                name.len() > wanted.len() && name.ends_with(wanted)
            }
            (Whom::Name(_) | Whom::Below(_), None) => false,
        };
        fits && self.port.is_none_or(|wanted| wanted == port)
    }
}

/// The host, and the port behind it.
fn split(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .ok_or_else(|| format!("`{text}` lacks a `]`; {FORMS}"))?,
        None if text.matches(':').count() == 1 => {
            text.split_at(text.find(':').unwrap_or(text.len()))
        }
        None => (text, ""),
    };
    if port.is_empty() {
        return Ok((host, None));
    }
    let number = port.strip_prefix(':').and_then(|port| port.parse().ok());
    match number.filter(|port| *port > 0) {
        Some(port) => Ok((host, Some(port))),
        None => Err(format!(
            "`{text}` ends in no port; use 1 to 65535 behind a `:`"
        )),
    }
}

fn whom(host: &str, text: &str) -> Result<Whom, String> {
    if host.contains('/')
        && let Ok(network) = host.parse::<IpNet>()
    {
        return network_of(network, host);
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Whom::Network(address.into()));
    }
    match host.strip_prefix("*.") {
        Some(below) => Ok(Whom::Below(format!(".{}", name(below, text)?))),
        None => Ok(Whom::Name(name(host, text)?)),
    }
}

fn network_of(network: IpNet, host: &str) -> Result<Whom, String> {
    let whole = network.trunc();
    match whole == network {
        true => Ok(Whom::Network(network)),
        false => Err(format!(
            "`{host}` is inside of a network; write `{whole}` for all of it"
        )),
    }
}

/// As names stand in URLs.
fn name(host: &str, text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no host; {FORMS}");
    match url::Host::parse(host.trim_end_matches('.')) {
        Ok(url::Host::Domain(name)) if !name.contains('*') => Ok(name),
        Ok(url::Host::Ipv4(address)) => Err(format!(
            "`{text}` is an odd way to write `{address}`; write that"
        )),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_stand_in_urls() {
        for (text, same) in [
            ("Example.ORG", "example.org"),
            ("example.org.", "example.org"),
            ("*.Example.org:80", "*.example.org:80"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("[::1]", "::1"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("[fd00::/8]:1", "[fd00::/8]:1"),
            ("10.0.0.0/8:80", "10.0.0.0/8:80"),
            ("my_host", "my_host"),
        ] {
            assert_eq!(AllowedHost::parse(text), AllowedHost::parse(same), "{text}");
            assert!(AllowedHost::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_told_with_what_would_be_right() {
        for (text, words) in [
            ("", "is no host"),
            ("*", "is no host"),
            ("a.*.example", "is no host"),
            ("https://example.org/", "is no host"),
            ("example.org/path", "is no host"),
            ("user@example.org", "is no host"),
            ("two words", "is no host"),
            ("example.org:0", "no port"),
            ("example.org:99999", "no port"),
            ("example.org:http", "no port"),
            ("[::1", "lacks a `]`"),
            ("10.1.2.3/8", "write `10.0.0.0/8`"),
            ("10.0.0.0/33", "is no host"),
            ("0x7f.1", "write that"),
            ("2130706433", "`127.0.0.1`"),
        ] {
            let error = AllowedHost::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
