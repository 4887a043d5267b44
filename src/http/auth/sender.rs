//! Who may send events: whoever has an operator's token, or signs with the secret of events.
//!
//! A token is judged before the body is read. A signature is over the body, so that is read first, up to its bound; a
//! request with neither is refused without reading it.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header::AUTHORIZATION},
    web,
};
use bytes::Bytes;
use tokio::time::timeout;

use super::{
    Caller, Operator, Role,
    signature::{Signatures, Unsigned, is_key},
};
use crate::{
    actors::door::Unanswered,
    http::{
        Shared,
        body::{LIMIT, PATIENCE},
        error::Problem,
    },
};

/// What a repetition of a request is recognised by.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Who it is that signs, for logs and the audit.
const SIGNER: &str = "event signature";

/// An event whose sender may send it, as it came.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What a repetition is recognised by.
    pub key: Option<String>,
    /// The exact bytes.
    pub body: Bytes,
}

impl FromRequest for Sent {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let shared = request.app_data::<web::Data<Shared>>();
            let signatures = shared.map(|shared| &shared.signatures);
            match signatures.filter(|it| is_by_signature(&request, it)) {
                Some(signatures) => signed(&request, signatures, payload).await,
                None => by_token(&request, payload).await,
            }
        })
    }
}

/// A token is what counts if there is one. Without either, the answer says what is missing.
fn is_by_signature(request: &HttpRequest, signatures: &Signatures) -> bool {
    let token = request.headers().contains_key(AUTHORIZATION);
    !token && signatures.is_configured()
}

async fn by_token(request: &HttpRequest, mut payload: Payload) -> Result<Sent, Problem> {
    Operator::from_request(request, &mut payload).await?;
    let key = idempotency_key(request)?;
    let body = read(request, payload).await?;
    Ok(Sent { key, body })
}

async fn signed(
    request: &HttpRequest,
    signatures: &Signatures,
    payload: Payload,
) -> Result<Sent, Problem> {
    if !Signatures::are_in(request.headers()) {
        return Err(Unsigned::Missing.into());
    }
    let shared = request.app_data::<web::Data<Shared>>();
    let env = shared.and_then(|shared| shared.door.env());
    let clock = &env.ok_or(Unanswered::Starting)?.clock;
    let body = read(request, payload).await?;
    let id = signatures.check(request.headers(), &body, clock.now())?;
    request.extensions_mut().insert(Caller {
        subject: SIGNER.into(),
        role: Role::Operator,
    });
    // The signature is over the id, and not over other headers: with a key of its own choice anybody could repeat a
    // message that was overheard.
    match idempotency_key(request)? {
        Some(key) if key != id => Err(wrong(
            "a signed event is recognised by its webhook-id; leave Idempotency-Key out",
        )),
        _ => Ok(Sent {
            key: Some(id),
            body,
        }),
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, Problem> {
    let payload = web::Payload::from_request(request, &mut payload).await;
    let payload = payload.map_err(|error| wrong(&error.to_string()))?;
    let body = timeout(PATIENCE, payload.to_bytes_limited(LIMIT)).await;
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
    let large = |_| {
        let detail = format!("the body is longer than {LIMIT} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    };
    let body = body.map_err(late)?.map_err(large)?;
    body.map_err(|error| wrong(&error.to_string()))
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|text| is_key(text));
    let text = text.filter(|_| values.next().is_none());
    let text = text.ok_or_else(|| {
        wrong("Idempotency-Key must be there once, with 1 to 255 visible ASCII characters")
    })?;
    Ok(Some(text.to_owned()))
}

fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}
