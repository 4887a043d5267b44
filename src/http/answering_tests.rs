//! Extractors and errors as a client sees them, on routes made for it.

use actix_web::{
    App, HttpResponse, http::StatusCode, http::header::RETRY_AFTER, middleware::from_fn, test, web,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use crate::{
    http::{
        body::{Body, Params, PathOf, Raw},
        error::{Answer, Problem},
        request_id::RequestId,
        unrouted::unrouted,
    },
    telemetry::metrics::Metrics,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    depth: Value,
}

#[derive(Deserialize)]
struct Filter {
    limit: Option<u32>,
}

async fn wish(Body(wish): Body<Wish>) -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "reason": wish.reason, "depth": wish.depth })))
}

async fn large(Raw(bytes): Raw<{ 1024 * 1024 }>) -> Answer {
    Ok(HttpResponse::Ok().body(bytes.len().to_string()))
}

async fn filter(Params(filter): Params<Filter>) -> Answer {
    Ok(HttpResponse::Ok().json(filter.limit))
}

async fn numbered(PathOf(number): PathOf<u32>) -> Answer {
    Ok(HttpResponse::Ok().json(number))
}

async fn named(id: RequestId) -> Answer {
    Ok(HttpResponse::Ok().body(id.to_string()))
}

async fn broken() -> Answer {
    panic!("the cause")
}

async fn foreign() -> Result<HttpResponse, std::io::Error> {
    Err(std::io::Error::other("the cause"))
}

async fn later() -> Answer {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "later");
    Err(problem.with_header(RETRY_AFTER, "7"))
}

/// What came back: status, header fields, body.
struct Reply {
    status: u16,
    retry_after: Option<String>,
    id: String,
    body: String,
}

async fn ask(request: test::TestRequest) -> Reply {
    let metrics = Metrics::default();
    let app = App::new()
        .route("/wish", web::post().to(wish))
        .route("/large", web::post().to(large))
        .route("/filter", web::get().to(filter))
        .route("/numbered/{number}", web::get().to(numbered))
        .route("/named", web::get().to(named))
        .route("/broken", web::get().to(broken))
        .route("/foreign", web::get().to(foreign))
        .route("/later", web::get().to(later))
        .default_service(web::to(unrouted))
        .wrap(from_fn(move |request, next| {
            answer(metrics.clone(), request, next)
        }));
    let app = test::init_service(app).await;
    let (status, headers, body) = match test::try_call_service(&app, request.to_request()).await {
        Ok(response) => {
            let (status, headers) = (response.status(), response.headers().clone());
            (status, headers, test::read_body(response).await)
        }
        // The framework makes the answer of it, as it does here.
        Err(error) => {
            let response = error.error_response();
            let (status, headers) = (response.status(), response.headers().clone());
            let body = actix_web::body::to_bytes(response.into_body()).await;
            (status, headers, body.unwrap_or_default())
        }
    };
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    Reply {
        status: status.as_u16(),
        retry_after: header("retry-after"),
        id: header("x-request-id").unwrap(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// Fails unless the answer is a problem of this status that says `part`.
async fn refused(request: test::TestRequest, status: u16, part: &str) -> Reply {
    let reply = ask(request).await;
    let problem: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &problem["status"]), (status, &json!(status)));
    assert_eq!(problem["request_id"], reply.id);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(part), "{part} is not in {detail}");
    reply
}

fn post(path: &str, content_type: &str, body: impl Into<web::Bytes>) -> test::TestRequest {
    let request = test::TestRequest::post().uri(path).set_payload(body);
    match content_type {
        "" => request,
        some => request.insert_header(("content-type", some)),
    }
}

fn get(path: &str) -> test::TestRequest {
    test::TestRequest::get().uri(path)
}

#[actix_web::test]
async fn an_empty_body_is_an_empty_object_whatever_its_content_type() {
    for content_type in ["", "text/plain", "application/json", "nonsense"] {
        let reply = ask(post("/wish", content_type, "")).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (200, r#"{"depth":null,"reason":null}"#)
        );
    }
}

#[actix_web::test]
async fn a_body_must_be_json_that_fits() {
    let json = "application/json";
    for good in [
        json,
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/x+json",
    ] {
        let reply = ask(post("/wish", good, r#"{"reason":"x"}"#)).await;
        assert_eq!(reply.status, 200, "{good}: {}", reply.body);
    }
    for other in ["", "text/plain", "application/xml", "application/jsonp"] {
        refused(post("/wish", other, "{}"), 415, "application/json").await;
    }
    refused(post("/wish", json, r#"{"raeson":"x"}"#), 400, "`raeson`").await;
    refused(post("/wish", json, r#"{"reason":7}"#), 400, "integer `7`").await;
    refused(
        post("/wish", json, r#"{"reason":"a","reason":"b"}"#),
        400,
        "duplicate",
    )
    .await;
    refused(post("/wish", json, "{\"reason\":\"a\"} x"), 400, "trailing").await;
    refused(post("/wish", json, "{"), 400, "the body").await;
    refused(
        post("/wish", json, &b"{\"reason\":\"\xff\"}"[..]),
        400,
        "the body",
    )
    .await;
    let deep = format!("{{\"depth\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    refused(post("/wish", json, deep), 400, "recursion").await;
}

#[actix_web::test]
async fn a_body_is_bounded_by_what_its_route_allows() {
    let most = format!("{{\"reason\":\"{}\"}}", "x".repeat(64 * 1024 - 13));
    assert_eq!(most.len(), 64 * 1024);
    assert_eq!(
        ask(post("/wish", "application/json", most.clone()))
            .await
            .status,
        200
    );
    refused(
        post("/wish", "application/json", most + " "),
        413,
        "65536 bytes",
    )
    .await;
    assert_eq!(
        ask(post("/large", "", vec![0; 1024 * 1024])).await.status,
        200
    );
    refused(
        post("/large", "", vec![0; 1024 * 1024 + 1]),
        413,
        "1048576 bytes",
    )
    .await;
    let encoded =
        post("/wish", "application/json", "{}").insert_header(("content-encoding", "gzip"));
    refused(encoded, 415, "Content-Encoding").await;
}

#[actix_web::test]
async fn parameters_and_paths_that_do_not_fit_are_problems() {
    assert_eq!(ask(get("/filter?limit=3")).await.body, "3");
    refused(get("/filter?limit=three"), 400, "`limit` is `three`").await;
    refused(get("/filter?limits=3"), 400, "`limits`").await;
    assert_eq!(ask(get("/numbered/3")).await.body, "3");
    refused(get("/numbered/three"), 404, "nothing at this path").await;
    refused(get("/nowhere"), 404, "nothing at this path").await;
    refused(post("/nowhere", "", ""), 404, "nothing at this path").await;
}

#[actix_web::test]
async fn what_breaks_here_is_a_problem_without_its_cause() {
    for path in ["/broken", "/foreign"] {
        let named = get(path).insert_header(("x-request-id", "mine"));
        let reply = refused(named, 500, "something broke").await;
        assert_eq!(reply.id, "mine");
        assert!(!reply.body.contains("the cause"), "{}", reply.body);
    }
}

#[actix_web::test]
async fn handlers_know_the_request_id_and_may_add_headers_to_problems() {
    let named = get("/named").insert_header(("x-request-id", "mine"));
    assert_eq!(ask(named).await.body, "mine");
    let reply = refused(get("/later"), 503, "later").await;
    assert_eq!(reply.retry_after.as_deref(), Some("7"));
}
