//! What control requests leave in the audit trail, carried out or refused.

use actix_web::{
    App, HttpRequest, HttpResponse, delete, get,
    http::header::AUTHORIZATION,
    middleware::from_fn,
    post,
    test::{TestRequest, call_service, init_service},
    web::{self, Data, Path},
};
use actor_server::{
    domain::audit::AuditEntry,
    http::{
        Shared,
        audit::{self, Note},
        auth::{Admin, Guard, Operator, Reads},
        error::{Answer, Problem},
    },
};
use serde_json::json;

use super::stand::{NOW, claims, claims_with, clock_at, only_secret, shared, token};

#[get("/actors/{id}")]
async fn look(_: Reads) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[post("/actors/{id}/pause")]
async fn pause(_: Operator, id: Path<String>, request: HttpRequest) -> Answer {
    if *id == "nobody" {
        let status = actix_web::http::StatusCode::NOT_FOUND;
        return Err(Problem::new(status, "there is no bot `nobody`\r\n"));
    }
    let note = Note {
        before: Some(json!({"is_paused": false})),
        after: Some(json!({"is_paused": true})),
        ..Note::default()
    };
    audit::note(&request, note);
    Ok(HttpResponse::Ok().finish())
}

#[delete("/content/{table}/{id}")]
async fn remove(_: Operator) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

#[post("/config/reload")]
async fn reload(_: Admin) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[post("/events")]
async fn event(request: HttpRequest) -> HttpResponse {
    let note = Note {
        subject: Some("event signature".into()),
        target: Some("build.finished".into()),
        ..Note::default()
    };
    audit::note(&request, note);
    HttpResponse::Accepted().finish()
}

/// Sends requests (method and path, token) and returns what is on its way to the table.
async fn trail(requests: &[(&str, Option<&str>)]) -> Vec<AuditEntry> {
    let shared: Shared = shared(Guard::new(only_secret(), clock_at(NOW)));
    let scope = web::scope("/api/v1")
        .wrap(from_fn(audit::record))
        .service(look)
        .service(pause)
        .service(remove)
        .service(reload)
        .service(event);
    let app = init_service(
        App::new()
            .app_data(Data::new(shared.clone()))
            .service(scope),
    )
    .await;
    for (what, bearer) in requests {
        let (method, path) = what.split_once(' ').unwrap();
        let request = TestRequest::with_uri(&format!("/api/v1{path}"))
            .method(method.parse().unwrap())
            .peer_addr("203.0.113.9:4711".parse().unwrap())
            .insert_header(("X-Forwarded-For", "198.51.100.1"));
        let request = bearer.iter().fold(request, |request, bearer| {
            request.insert_header((AUTHORIZATION, format!("Bearer {bearer}")))
        });
        call_service(&app, request.to_request()).await;
    }
    shared.door.audit().waiting()
}

#[actix_web::test]
async fn a_control_action_is_recorded_with_who_what_where_and_what_it_changed() {
    let alice = token(&claims());
    let rows = trail(&[("POST /actors/ticker/pause", Some(&alice))]).await;
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(
        (row.subject.as_str(), row.role.as_deref()),
        ("alice", Some("operator"))
    );
    assert_eq!(
        (row.action.as_str(), row.target.as_deref()),
        ("pause", Some("ticker"))
    );
    assert_eq!(
        row.remote.as_deref(),
        Some("203.0.113.9"),
        "not what a header says"
    );
    assert_eq!(row.before, Some(json!({"is_paused": false})));
    assert_eq!(row.after, Some(json!({"is_paused": true})));
    assert_eq!(row.outcome, "ok");
}

#[actix_web::test]
async fn a_refused_action_is_recorded_with_the_reason() {
    let (alice, expired) = (token(&claims()), token(&claims_with(json!({"exp": 1}))));
    let rows = trail(&[
        ("POST /config/reload", Some(&alice)),
        ("POST /config/reload", Some(&expired)),
        ("POST /config/reload", None),
        ("POST /actors/nobody/pause", Some(&alice)),
    ])
    .await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (&*row.subject, &*row.action, &*row.outcome))
        .collect();
    let missing = "401: a token is needed, as Authorization: Bearer TOKEN";
    assert_eq!(
        seen,
        [
            ("alice", "reload", "403: this needs the role admin"),
            ("anonymous", "reload", "401: the token has expired"),
            ("anonymous", "reload", missing),
            ("alice", "pause", "404: there is no bot `nobody`  "),
        ]
    );
}

#[actix_web::test]
async fn what_only_reads_leaves_no_row() {
    let alice = token(&claims());
    let rows = trail(&[
        ("GET /actors/ticker", Some(&alice)),
        ("GET /actors/ticker", Some("forged")),
        ("POST /nowhere", Some(&alice)),
        ("DELETE /actors/ticker/pause", Some(&alice)),
    ])
    .await;
    assert_eq!(rows, []);
}

#[actix_web::test]
async fn a_handler_can_say_who_and_what_it_was() {
    let alice = token(&claims());
    let rows = trail(&[
        ("POST /events", None),
        ("DELETE /content/posts/7", Some(&alice)),
    ])
    .await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (&*row.subject, &*row.action, row.target.as_deref().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("event signature", "event", "build.finished"),
            ("alice", "remove_content", "posts/7")
        ]
    );
}

#[actix_web::test]
async fn a_flood_of_strangers_leaves_a_few_rows() {
    let rows = trail(&[("POST /config/reload", Some("forged")); 500]).await;
    assert!((5..50).contains(&rows.len()), "{} rows", rows.len());
}

#[actix_web::test]
async fn the_longest_target_is_bounded() {
    let path = format!("POST /actors/{}/pause", "x".repeat(5_000));
    let rows = trail(&[(path.as_str(), None)]).await;
    assert_eq!(rows[0].target.as_ref().unwrap().len(), 300);
}
