//! Where a token may stand in a request: in one header, and nowhere else.

use actix_web::{
    App, HttpResponse, get,
    http::header::AUTHORIZATION,
    test::{TestRequest, call_service, init_service},
    web::Data,
};
use actor_server::http::auth::{Guard, Readonly, Refusal, Role};
use serde_json::{Value, json};

use super::stand::{
    HEADER, NOW, SECRET, claims, claims_with, clock_at, judged, only_secret, shared, token, verdict,
};

#[get("/config")]
async fn closed(Readonly(caller): Readonly) -> HttpResponse {
    HttpResponse::Ok().body(caller.subject)
}

#[test]
fn tokens_as_existing_scripts_make_them_are_good() {
    // PyJWT writes its header so, and keeps the order of the claims.
    let payload = format!(
        r#"{{"sub": "ops-script", "role": "admin", "exp": {}}}"#,
        NOW + 3600
    );
    for header in [
        HEADER,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256"}"#,
    ] {
        let caller = judged(&only_secret(), &super::stand::ours(header, &payload)).unwrap();
        assert_eq!(
            (caller.subject.as_str(), caller.role),
            ("ops-script", Role::Admin)
        );
    }
    let more =
        json!({"iat": NOW, "nbf": NOW, "jti": "x", "scope": ["a"], "aud": "anything", "iss": "me"});
    assert!(judged(&only_secret(), &token(&claims_with(more))).is_ok());
    let name = json!({"sub": "Zoë 🤖".repeat(42)});
    assert!(judged(&only_secret(), &token(&claims_with(name))).is_ok());
}

#[test]
fn the_word_bearer_may_be_written_in_any_case() {
    let token = token(&claims());
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert!(verdict(&only_secret(), &[&format!("{scheme} {token}")]).is_ok());
    }
}

#[test]
fn another_header_than_bearer_and_a_token_is_refused() {
    let token = token(&claims());
    for header in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer  {token}"),
        format!("Bearer\t{token}"),
        format!("Bearer:{token}"),
        format!("Bearer={token}"),
        format!("Token {token}"),
        format!("JWT {token}"),
        format!("Bearer Bearer {token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer \"{token}\""),
        "Bearer".into(),
        "Bearer ".into(),
        String::new(),
        format!("Bearer token={token}"),
        format!("DPoP {token}"),
    ] {
        let refusal = verdict(&only_secret(), &[&header]).expect_err(&header);
        assert!(
            matches!(refusal, Refusal::NoBearer | Refusal::Untrusted),
            "{header}"
        );
    }
    let twice = format!("Bearer {token}");
    let found = verdict(&only_secret(), &[&twice, &twice]);
    assert_eq!(found, Err(Refusal::Twice));
    assert_eq!(verdict(&only_secret(), &[]), Err(Refusal::Missing));
}

#[actix_web::test]
async fn a_token_in_the_address_or_in_a_cookie_is_none() {
    let guard = Guard::new(only_secret(), clock_at(NOW));
    let app = init_service(
        App::new()
            .app_data(Data::new(shared(guard)))
            .service(closed),
    )
    .await;
    let token = token(&claims());
    let uri = format!("/config?access_token={token}&token={token}&jwt={token}");
    let cookie = format!("token={token}; jwt={token}; access_token={token}; Authorization={token}");
    let request = TestRequest::get()
        .uri(&uri)
        .insert_header(("Cookie", cookie))
        .insert_header(("X-Authorization", format!("Bearer {token}")))
        .insert_header(("Proxy-Authorization", format!("Bearer {token}")));
    let answer = call_service(&app, request.to_request()).await;
    assert_eq!(answer.status(), 401);
    let challenge = answer
        .headers()
        .get("www-authenticate")
        .unwrap()
        .to_str()
        .unwrap();
    assert_eq!(
        challenge, r#"Bearer realm="actor-server""#,
        "no error if there was no token"
    );
}

#[actix_web::test]
async fn a_refusal_is_a_problem_document_that_repeats_nothing_of_the_request() {
    let guard = Guard::new(only_secret(), clock_at(NOW));
    let app = init_service(
        App::new()
            .app_data(Data::new(shared(guard)))
            .service(closed),
    )
    .await;
    for (bearer, said) in [
        ("hunter2-marker", "not signed with a key of this server"),
        (
            &*token(&claims_with(json!({"exp": 1, "sub": "hunter2-marker"}))),
            "expired",
        ),
    ] {
        let request = TestRequest::get()
            .uri("/config")
            .insert_header((AUTHORIZATION, format!("Bearer {bearer}")));
        let answer = call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), 401);
        let challenge = answer
            .headers()
            .get("www-authenticate")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(challenge.starts_with(
            r#"Bearer realm="actor-server", error="invalid_token", error_description=""#
        ));
        assert_eq!(
            answer.headers().get("content-type").unwrap(),
            "application/problem+json"
        );
        let body: Value = actix_web::test::read_body_json(answer).await;
        let text = format!("{challenge} {body}");
        assert!(text.contains(said), "{text}");
        assert!(
            !text.contains("hunter2-marker") && !text.contains(SECRET),
            "{text}"
        );
    }
}

#[test]
fn keys_show_no_secret_when_they_are_printed() {
    let text = format!("{:?}", only_secret());
    assert!(!text.contains(SECRET), "{text}");
}
