//! Where a redirect leads, and what goes along (RFC 9110, section 15.4).

use reqwest::{
    Method, StatusCode, Url,
    header::{self, HeaderMap, HeaderName},
};

use super::{OutboundError, Outgoing, fault};

/// Headers that another origin may see; all others may be secrets.
const FOR_ANYBODY: [HeaderName; 6] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::USER_AGENT,
];

/// Headers that are about a body.
const OF_BODIES: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
];

/// The request that this answer asks for; `None` if it is no redirect.
pub(super) fn next(
    request: &Outgoing,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Outgoing>, OutboundError> {
    let Some(location) = headers.get(header::LOCATION) else {
        return Ok(None);
    };
    let as_get = match status.as_u16() {
        301 | 302 => request.method == Method::POST,
        303 => request.method != Method::HEAD,
        307 | 308 => false,
        _ => return Ok(None),
    };
    let origin = fault::origin(&request.url);
    let location = String::from_utf8_lossy(location.as_bytes());
    let url = request.url.join(&location).map_err(|error| {
        OutboundError::Bad(format!("{origin} redirects to what is no URL: {error}"))
    })?;
    if request.url.scheme() == "https" && url.scheme() == "http" {
        return Err(OutboundError::Refused(format!(
            "{origin} redirects from https to http, where everybody could read along"
        )));
    }
    Ok(Some(follow(request, url, as_get)))
}

fn follow(request: &Outgoing, url: Url, as_get: bool) -> Outgoing {
    let mut next = request.clone();
    if url.origin() != request.url.origin() {
        next.headers = only(&request.headers, |name| FOR_ANYBODY.contains(name));
    }
    if as_get {
        next.method = Method::GET;
        next.body = Vec::new();
        next.headers = only(&next.headers, |name| !OF_BODIES.contains(name));
    }
    next.url = url;
    next
}

fn only(headers: &HeaderMap, wanted: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| wanted(name));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn request(method: Method, url: &str) -> Outgoing {
        let mut request = Outgoing::new(method, url.parse().unwrap());
        request.body = b"body".to_vec();
        for name in [
            "accept",
            "authorization",
            "cookie",
            "x-api-key",
            "content-type",
        ] {
            let name = HeaderName::from_static(name);
            request = request.header(name, HeaderValue::from_static("text/plain"));
        }
        request
    }

    fn redirected(
        method: Method,
        url: &str,
        status: u16,
        to: &'static str,
    ) -> Result<Option<Outgoing>, OutboundError> {
        let headers = [(header::LOCATION, HeaderValue::from_static(to))];
        let status = StatusCode::from_u16(status).unwrap();
        next(
            &request(method, url),
            status,
            &headers.into_iter().collect(),
        )
    }

    fn names(request: &Outgoing) -> Vec<&str> {
        let mut names: Vec<&str> = request.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn secrets_stay_behind_when_the_origin_changes() {
        let all = [
            "accept",
            "authorization",
            "content-type",
            "cookie",
            "x-api-key",
        ];
        for (to, kept) in [
            ("/other", &all[..]),
            ("https://a.example/x", &all),
            ("https://a.example:444/", &["accept", "content-type"]),
            ("https://b.a.example/", &["accept", "content-type"]),
            ("//c.example/", &["accept", "content-type"]),
        ] {
            let next = redirected(Method::POST, "https://a.example/", 307, to)
                .unwrap()
                .unwrap();
            assert_eq!(names(&next), kept, "{to}");
            assert_eq!((next.method, next.body), (Method::POST, b"body".to_vec()));
        }
    }

    #[test]
    fn a_method_with_a_body_becomes_a_get_where_it_should() {
        for (status, method, becomes) in [
            (301, Method::POST, Method::GET),
            (302, Method::POST, Method::GET),
            (302, Method::PUT, Method::PUT),
            (303, Method::PUT, Method::GET),
            (303, Method::HEAD, Method::HEAD),
            (307, Method::POST, Method::POST),
            (308, Method::DELETE, Method::DELETE),
        ] {
            let next = redirected(method.clone(), "http://a.example/", status, "/b")
                .unwrap()
                .unwrap();
            assert_eq!(next.method, becomes, "{status} {method}");
            if becomes == Method::GET {
                assert!(next.body.is_empty() && !names(&next).contains(&"content-type"));
            }
        }
    }

    #[test]
    fn what_is_no_redirect_is_an_answer_and_what_would_be_read_along_is_refused() {
        for status in [200, 201, 300, 304, 404] {
            let next = redirected(Method::GET, "http://a.example/", status, "/b").unwrap();
            assert!(next.is_none(), "{status}");
        }
        let down = redirected(
            Method::GET,
            "https://a.example/p?q=secret",
            302,
            "http://a.example/",
        );
        let error = down.unwrap_err();
        assert!(
            matches!(&error, OutboundError::Refused(text) if !text.contains("secret")),
            "{error}"
        );
        let garbage = redirected(Method::GET, "https://a.example/", 302, "http://[");
        assert!(matches!(garbage, Err(OutboundError::Bad(_))));
    }
}
