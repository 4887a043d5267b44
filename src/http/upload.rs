//! Bodies that are files: longer than others may be, read after the caller is known.

use std::time::Duration;

use actix_web::{HttpRequest, web};
use bytes::BytesMut;
use futures::StreamExt;
use tokio::time::{Instant as Monotonic, timeout_at};

use super::error::Problem;

/// The longest file.
pub const LARGEST: usize = 8 << 20;

/// How long the first byte, or a file that comes slower than [`SLOWEST`], is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes a second.
const SLOWEST: usize = 64 << 10;

/// Reads a file as text.
///
/// # Errors
/// It is longer than [`LARGEST`], comes too slowly, or is no UTF-8.
pub async fn text(request: &HttpRequest, mut payload: web::Payload) -> Result<String, Problem> {
    refuse_early(request)?;
    let (began, mut body) = (Monotonic::now(), BytesMut::new());
    loop {
        let earned = Duration::from_secs((body.len() / SLOWEST) as u64);
        let chunk = timeout_at(began + PATIENCE + earned, payload.next()).await;
        let Some(chunk) = chunk.map_err(|_| Problem::too_slow())? else {
            return String::from_utf8(body.into())
                .map_err(|_| Problem::bad_request("the body is no UTF-8 text"));
        };
        let chunk = chunk.map_err(|error| Problem::bad_request(error.to_string()))?;
        if body.len() + chunk.len() > LARGEST {
            return Err(Problem::too_large(LARGEST));
        }
        body.extend_from_slice(&chunk);
    }
}

/// A file that says that it is too long is not waited for.
fn refuse_early(request: &HttpRequest) -> Result<(), Problem> {
    let length = request.headers().get("Content-Length");
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > LARGEST as u64 => Err(Problem::too_large(LARGEST)),
        _ => Ok(()),
    }
}
