//! Bodies and parameters: bounded, typed, and refused with a problem document.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode, web};
use serde::de::DeserializeOwned;

use super::error::Problem;

/// A JSON body; an empty one counts as `{}` whatever its content type. List it behind the extractor of `auth`.
pub struct Body<T>(pub T);

/// The query string.
pub struct Params<T>(pub T);

/// The parts of the path.
pub struct PathOf<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let wrong = |error: String| Problem::new(StatusCode::BAD_REQUEST, error);
            let bytes = bytes.await.map_err(|error| wrong(error.to_string()))?;
            let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
            serde_json::from_slice(text)
                .map(Self)
                .map_err(|error| wrong(error.to_string()))
        })
    }
}

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = web::Query::<T>::from_query(request.query_string());
        let wrong = |error| Problem::new(StatusCode::BAD_REQUEST, format!("{error}"));
        std::future::ready(read.map(|query| Self(query.into_inner())).map_err(wrong))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for PathOf<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = web::Path::<T>::from_request(request, payload).into_inner();
        let wrong = |error| Problem::new(StatusCode::NOT_FOUND, format!("{error}"));
        std::future::ready(read.map(|path| Self(path.into_inner())).map_err(wrong))
    }
}
