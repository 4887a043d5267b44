//! Reads an answer to its end, or to the bound.

use reqwest::Response;

use super::{Incoming, OutboundError, fault};

/// The answer, whole; at most so many bytes after unpacking.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Incoming, OutboundError> {
    let (status, url) = (response.status(), response.url().clone());
    let headers = std::mem::take(response.headers_mut());
    let origin = fault::origin(&url);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                return Err(OutboundError::Bad(format!(
                    "{origin} answered with more than {most} bytes"
                )));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(fault::unread(&origin, error)),
        }
    }
    Ok(Incoming {
        status,
        headers,
        url,
        body,
    })
}
