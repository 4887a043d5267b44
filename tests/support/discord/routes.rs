//! The routes of the fake: messages of the bot API, reading back, webhooks, and files to attach.

use std::{convert::Infallible, future::pending, time::Instant};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::StatusCode,
    rt::time::sleep,
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use futures::{StreamExt, future::LocalBoxFuture, stream};
use serde_json::{Value, json};

use super::{
    BOT_ID, TOKEN, WEBHOOK_TOKEN, cut,
    memory::{Received, Shared, Stored},
    reply::{Reading, Reply},
};

pub(super) fn routes(service: &mut ServiceConfig) {
    let messages = web::resource("/api/v10/channels/{channel}/messages");
    service
        .service(
            messages
                .route(web::post().to(create))
                .route(web::get().to(read)),
        )
        .route("/api/v10/channels/{channel}", web::get().to(channel))
        .route("/api/v10/users/@me", web::get().to(me))
        .route("/api/webhooks/{id}/{token}", web::post().to(webhook))
        .route("/files/{name}", web::get().to(file));
}

fn header(request: &HttpRequest, name: &str) -> String {
    let value = request.headers().get(name);
    let value = value.and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn is_authorized(request: &HttpRequest) -> bool {
    header(request, "authorization") == format!("Bot {TOKEN}")
}

/// A request for a new message, and what it would put into a channel.
fn received(request: &HttpRequest, channel: u64, body: &[u8], by_bot: bool) -> (Received, Stored) {
    let (payload, files) = parts(&header(request, "content-type"), body);
    let stored = Stored {
        id: String::new(),
        channel,
        payload: payload.clone(),
        files,
        by_bot,
        at: Instant::now(),
    };
    let received = Received {
        channel,
        path: request.uri().to_string(),
        user_agent: header(request, "user-agent"),
        traceparent: header(request, "traceparent"),
        tracestate: header(request, "tracestate"),
        idempotency_key: header(request, "idempotency-key"),
        payload,
        at: Instant::now(),
    };
    (received, stored)
}

async fn create(
    request: HttpRequest,
    channel: Path<u64>,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    let (received, message) = received(&request, channel.into_inner(), &body, true);
    let channel = received.channel;
    let reply = shared.receive(received);
    let (limit, latency) = {
        let mut memory = shared.lock();
        (memory.global_limit(), memory.rules.latency)
    };
    if !latency.is_zero() {
        sleep(latency).await;
    }
    if !is_authorized(&request) {
        return refusal(401, 0, "401: Unauthorized");
    }
    if let Some(limit) = limit {
        return meet(limit, message, &shared).await;
    }
    let bucket = shared.lock().bucket(channel);
    match (reply, bucket) {
        (_, Err(limit)) => meet(limit, message, &shared).await,
        (Reply::Store, Ok(headers)) => meet(Reply::StoreWith(headers), message, &shared).await,
        (reply, Ok(_)) => meet(reply, message, &shared).await,
    }
}

async fn webhook(
    request: HttpRequest,
    path: Path<(u64, String)>,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    let (id, token) = path.into_inner();
    let (received, message) = received(&request, id, &body, false);
    let reply = shared.receive(received);
    if token != WEBHOOK_TOKEN {
        return refusal(404, 10015, "Unknown Webhook");
    }
    meet(reply, message, &shared).await
}

/// What a request that reads meets before anything is looked up.
async fn before_reading(request: &HttpRequest, shared: &Shared) -> Option<HttpResponse> {
    let (scripted, limit) = {
        let mut memory = shared.lock();
        memory.reads.push(request.uri().to_string());
        (memory.read_script.pop_front(), memory.global_limit())
    };
    if !is_authorized(request) {
        return Some(refusal(401, 0, "401: Unauthorized"));
    }
    match scripted.or(limit)? {
        Reply::Store | Reply::StoreWith(_) => None,
        Reply::Answer(status, headers, body) => Some(answer(status, headers).body(body)),
        Reply::Hang => pending().await,
        _ => cut(),
    }
}

async fn read(request: HttpRequest, channel: Path<u64>, shared: Data<Shared>) -> HttpResponse {
    if let Some(answer) = before_reading(&request, &shared).await {
        return answer;
    }
    let asked = |name: &str| {
        let mut pairs = request.query_string().split('&');
        let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        value.parse::<u64>().ok()
    };
    let limit = asked("limit").unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return refusal(400, 50035, "Invalid Form Body");
    }
    let limit = usize::try_from(limit).unwrap();
    let memory = shared.lock();
    match (memory.rules.reading, asked("after")) {
        (Reading::Forbidden, _) => refusal(403, 50001, "Missing Access"),
        (Reading::NoHistory, _) => HttpResponse::Ok().json(json!([])),
        (Reading::Allowed, Some(after)) => {
            HttpResponse::Ok().json(memory.page(channel.into_inner(), after, limit))
        }
        (Reading::Allowed, None) => {
            HttpResponse::Ok().json(memory.newest(channel.into_inner(), limit))
        }
    }
}

async fn channel(request: HttpRequest, channel: Path<u64>, shared: Data<Shared>) -> HttpResponse {
    if let Some(answer) = before_reading(&request, &shared).await {
        return answer;
    }
    let (memory, id) = (shared.lock(), channel.into_inner());
    let newest = memory.newest(id, 1).pop();
    let newest = newest.map(|message| message["id"].clone());
    HttpResponse::Ok().json(json!({ "id": id.to_string(), "type": 0, "last_message_id": newest }))
}

async fn me(request: HttpRequest, shared: Data<Shared>) -> HttpResponse {
    match before_reading(&request, &shared).await {
        Some(answer) => answer,
        None => HttpResponse::Ok().json(json!({ "id": BOT_ID, "bot": true })),
    }
}

async fn file(name: Path<String>, shared: Data<Shared>) -> HttpResponse {
    let file = shared.lock().files.get(name.as_str()).cloned();
    match file {
        Some((kind, bytes)) => HttpResponse::Ok().content_type(kind).body(bytes),
        None => HttpResponse::NotFound().body("no such file"),
    }
}

fn meet(reply: Reply, message: Stored, shared: &Shared) -> LocalBoxFuture<'_, HttpResponse> {
    Box::pin(async move {
        match reply {
            Reply::Store => stored(message, shared, Vec::new()),
            Reply::StoreWith(headers) => stored(message, shared, headers),
            Reply::StoreAndAnswer(status, body) => {
                shared.store(message);
                answer(status, Vec::new()).body(body)
            }
            Reply::Answer(status, headers, body) => answer(status, headers).body(body),
            Reply::Hang => pending().await,
            Reply::CutBefore => cut(),
            Reply::CutAfter => {
                shared.store(message);
                cut()
            }
            Reply::SlowBody => {
                shared.store(message);
                let half = [Ok::<_, Infallible>(Bytes::from_static(b"{\"id\": \"14"))];
                let half = stream::iter(half).chain(stream::pending());
                answer(200, Vec::new()).streaming(half)
            }
            Reply::GiantBody => {
                shared.store(message);
                let chunk = Bytes::from(vec![b' '; 1 << 16]);
                answer(200, Vec::new()).streaming(stream::repeat(Ok::<_, Infallible>(chunk)))
            }
            Reply::After(wait, then) => {
                sleep(wait).await;
                meet(*then, message, shared).await
            }
        }
    })
}

/// Discord's own checks of a message.
fn stored(message: Stored, shared: &Shared, headers: Vec<(&'static str, String)>) -> HttpResponse {
    let payload = &message.payload;
    let length = |key: &str| payload[key].as_str().map_or(0, |text| text.chars().count());
    let no_embeds = payload["embeds"].as_array().is_none_or(Vec::is_empty);
    let too_large = message.files.iter().any(|(_, file)| file.len() > 10 << 20);
    if too_large {
        return refusal(413, 40005, "Request entity too large");
    }
    if length("content") > 2000 || length("nonce") > 25 || message.files.len() > 10 {
        return refusal(400, 50035, "Invalid Form Body");
    }
    if length("content") == 0 && no_embeds && message.files.is_empty() {
        return refusal(400, 50006, "Cannot send an empty message");
    }
    let message = shared.store(message);
    let body = json!({
        "id": message.id, "channel_id": message.channel.to_string(), "content": message.content(),
        "nonce": message.payload["nonce"],
    });
    answer(200, headers).json(body)
}

/// The JSON and the files of a body, which is JSON or `multipart/form-data`.
fn parts(kind: &str, body: &[u8]) -> (Value, Vec<(String, Vec<u8>)>) {
    let Some((_, boundary)) = kind.split_once("boundary=") else {
        return (serde_json::from_slice(body).unwrap_or_default(), Vec::new());
    };
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let (mut payload, mut files) = (Value::Null, Vec::new());
    for part in split(body, boundary.as_bytes()).into_iter().skip(1) {
        let pieces = split(part, b"\r\n\r\n");
        let Some((head, _)) = pieces.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            continue;
        };
        let content = &part[head.len() + 4..part.len() - 2];
        let head = String::from_utf8_lossy(head);
        let named = |key: &str| Some(head.split_once(key)?.1.split('"').next()?.to_owned());
        match named("filename=\"") {
            Some(name) => files.push((name, content.to_vec())),
            None => payload = serde_json::from_slice(content).unwrap_or_default(),
        }
    }
    (payload, files)
}

fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(by.len()).position(|window| window == by) {
        pieces.push(&rest[..at]);
        rest = &rest[at + by.len()..];
    }
    pieces.push(rest);
    pieces
}

fn refusal(status: u16, code: u32, message: &str) -> HttpResponse {
    answer(status, Vec::new()).json(json!({ "message": message, "code": code }))
}

fn answer(status: u16, headers: Vec<(&'static str, String)>) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    for header in headers {
        answer.insert_header(header);
    }
    answer
}
