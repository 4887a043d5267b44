//! Bodies and parameters: bounded in size and time, typed, and refused with a problem document.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH},
    },
    web,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use super::{error::Problem, params};

/// The largest body of a route that sets no other limit: 64 KiB.
pub const LIMIT: usize = 64 * 1024;

/// How long a body may take to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// A JSON body of at most `MOST` bytes; an empty one counts as `{}` whatever its content type. List it behind the
/// extractor of `auth`, and let `T` deny unknown fields.
#[derive(Debug)]
pub struct Body<T, const MOST: usize = LIMIT>(pub T);

/// A body of at most `MOST` bytes as it came, of any content type.
#[derive(Debug)]
pub struct Raw<const MOST: usize = LIMIT>(pub Bytes);

/// The query string. A parameter that `T` does not have is refused; `T` must not flatten.
#[derive(Debug)]
pub struct Params<T>(pub T);

/// The parts of the path.
#[derive(Debug)]
pub struct PathOf<T>(pub T);

impl<T: DeserializeOwned + 'static, const MOST: usize> FromRequest for Body<T, MOST> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload.take(), MOST);
        let json = is_json(request);
        Box::pin(async move { parse(&bytes.await?, json).map(Self) })
    }
}

impl<const MOST: usize> FromRequest for Raw<MOST> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload.take(), MOST);
        Box::pin(async move { bytes.await.map(Self) })
    }
}

/// Reads a JSON object that has come in full; `json` is whether its content type says that it is some.
///
/// # Errors
/// 415, or 400 with what is wrong and where.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], json: bool) -> Result<T, Problem> {
    if !bytes.is_empty() && !json {
        let detail = "the body's content type is not JSON; send `Content-Type: application/json`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let text = if bytes.is_empty() { b"{}" } else { bytes };
    object(text).map_err(|what| Problem::bad_request(format!("the body: {what}")))
}

/// Reads a JSON object; an array of its fields' values, which serde takes for one, is none.
///
/// # Errors
/// What is wrong and where.
pub fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let read = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match text.trim_ascii_start().first() {
        Some(b'{') => Ok(read),
        _ => Err("it must be a JSON object".into()),
    }
}

/// Whether the content type is JSON, or says nothing else about being some.
#[must_use]
pub fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.content_type().to_ascii_lowercase();
    let subtype = content_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// Reads the whole body.
fn read(
    request: &HttpRequest,
    payload: Payload,
    most: usize,
) -> impl Future<Output = Result<Bytes, Problem>> + use<> {
    let encoded = request
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    async move {
        if encoded {
            let detail = "the body is encoded; send it as it is, without `Content-Encoding`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        if announced.is_some_and(|length: u64| length > most as u64) {
            return Err(too_large(most));
        }
        let read = tokio::time::timeout(PATIENCE, collect(payload, most)).await;
        read.unwrap_or_else(|_| {
            let detail = format!("the body did not come within {} s", PATIENCE.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        })
    }
}

async fn collect(mut payload: Payload, most: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the body broke off: {error}"),
            )
        })?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_large(most: usize) -> Problem {
    let detail = format!("the body has more than {most} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = params::read(request.query_string()).map(Self);
        ready(read.map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail)))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for PathOf<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = web::Path::<T>::from_request(request, payload).into_inner();
        let nothing = |_| Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path");
        ready(read.map(|path| Self(path.into_inner())).map_err(nothing))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::parse;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Wish {
        dry_run: bool,
        note: Option<String>,
    }

    #[test]
    fn a_body_is_an_object_or_empty() {
        for text in ["", "{}", " \n{} "] {
            let wish: Wish = parse(text.as_bytes(), true).unwrap();
            assert_eq!(wish, Wish::default(), "{text}");
        }
        for text in [
            "[]",
            "[true]",
            "\n[false, \"x\"]",
            "null",
            "1",
            "\"x\"",
            "{",
            " ",
        ] {
            let refused = parse::<Wish>(text.as_bytes(), true).unwrap_err();
            assert_eq!(refused.status, 400, "{text}");
        }
    }
}
