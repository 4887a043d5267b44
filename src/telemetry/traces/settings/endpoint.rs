//! Where spans are sent to, and what goes with every request.

use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use secrecy::SecretString;

use super::Reader;

/// Below the address for all signals.
const TRACES: &str = "/v1/traces";

impl Reader<'_> {
    /// The address for traces as it is, or the one for all signals and the path of traces.
    pub(super) fn endpoint(&mut self) -> Option<Url> {
        let (name, value) = self.traces_or_all("ENDPOINT")?;
        let url = Url::parse(&value).ok().filter(is_usable);
        let Some(mut url) = url else {
            self.wrong(
                &name,
                "is no address; write it like http://collector:4318, and credentials into OTEL_EXPORTER_OTLP_HEADERS",
            );
            return None;
        };
        if !name.contains("TRACES") {
            let path = format!("{}{TRACES}", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Some(url)
    }

    /// The values may be secrets: no problem shows one.
    pub(super) fn headers(&mut self) -> Vec<(String, SecretString)> {
        let Some((name, _)) = self.traces_or_all("HEADERS") else {
            return Vec::new();
        };
        let pairs = self.pairs(&name).into_iter();
        let (good, bad): (Vec<_>, Vec<_>) = pairs.partition(|(key, value)| {
            HeaderName::try_from(key).is_ok() && HeaderValue::try_from(value).is_ok()
        });
        if let Some((key, _)) = bad.first() {
            let key = key.escape_debug();
            self.wrong(
                &name,
                format!("has `{key}`, which no header can be called or carry"),
            );
        }
        let good = good.into_iter();
        good.map(|(key, value)| (key, SecretString::from(value)))
            .collect()
    }
}

/// What stands before an `@` would be logged with the address.
fn is_usable(url: &Url) -> bool {
    let open = url.username().is_empty() && url.password().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && open && url.fragment().is_none()
}
