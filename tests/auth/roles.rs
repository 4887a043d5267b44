//! Every role at every kind of route.

use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::ServiceResponse,
    get,
    http::header::AUTHORIZATION,
    post,
    test::{TestRequest, call_service, init_service},
    web::{Bytes, Data},
};
use actor_server::http::auth::{Admin, Guard, Keys, Operator, Readonly, Reads};
use serde_json::{Value, json};

use super::stand::{NOW, claims_with, clock_at, only_secret, shared, token};

#[get("/reads")]
async fn reads(Reads(caller): Reads) -> HttpResponse {
    HttpResponse::Ok().body(caller.map_or_else(String::new, |caller| caller.subject))
}

#[get("/readonly")]
async fn readonly(_: Readonly) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[post("/operator")]
async fn operator(_: Operator, _: Bytes) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[post("/admin")]
async fn admin(_: Admin, _: Bytes) -> HttpResponse {
    HttpResponse::Ok().finish()
}

async fn answer(keys: &Keys, request: TestRequest) -> ServiceResponse<impl MessageBody + use<>> {
    let guard = Guard::new(keys.clone(), clock_at(NOW));
    let app = App::new()
        .app_data(Data::new(shared(guard)))
        .service(reads)
        .service(readonly)
        .service(operator)
        .service(admin);
    call_service(&init_service(app).await, request.to_request()).await
}

const ROUTES: [&str; 4] = ["/reads", "/readonly", "/operator", "/admin"];

/// The statuses of the routes, in their order, for this `Authorization` header.
async fn statuses(keys: &Keys, bearer: Option<&str>) -> Vec<u16> {
    let mut all = Vec::new();
    for route in ROUTES {
        let request = match route {
            "/reads" | "/readonly" => TestRequest::get(),
            _ => TestRequest::post().set_payload("{}"),
        };
        let request = bearer.iter().fold(request.uri(route), |request, bearer| {
            request.insert_header((AUTHORIZATION, format!("Bearer {bearer}")))
        });
        let answer = answer(keys, request).await;
        let challenged = answer.headers().contains_key("www-authenticate");
        let status = answer.status().as_u16();
        assert_eq!(challenged, status == 401 || status == 403, "{route}");
        all.push(status);
    }
    all
}

fn bearer(role: &str) -> String {
    token(&claims_with(json!({"role": role})))
}

#[actix_web::test]
async fn each_role_may_do_what_it_says_and_no_more() {
    let mut keys = only_secret();
    for public in [true, false] {
        keys.public_reads = public;
        let open = if public { 200 } else { 401 };
        assert_eq!(statuses(&keys, None).await, [open, 401, 401, 401]);
        assert_eq!(statuses(&keys, Some("forged")).await, [401, 401, 401, 401]);
        for (role, expected) in [
            ("readonly", [200, 200, 403, 403]),
            ("operator", [200, 200, 200, 403]),
            ("admin", [200, 200, 200, 200]),
            ("owner", [401, 401, 401, 401]),
        ] {
            assert_eq!(
                statuses(&keys, Some(&bearer(role))).await,
                expected,
                "{role}"
            );
        }
    }
}

#[actix_web::test]
async fn without_a_key_control_routes_are_closed_for_everyone() {
    let mut keys = Keys::default();
    assert_eq!(statuses(&keys, None).await, [200, 503, 503, 503]);
    assert_eq!(
        statuses(&keys, Some(&bearer("admin"))).await,
        [401, 503, 503, 503]
    );
    keys.public_reads = false;
    assert_eq!(statuses(&keys, None).await, [503, 503, 503, 503]);
    assert_eq!(
        statuses(&keys, Some(&bearer("admin"))).await,
        [503, 503, 503, 503]
    );
}

#[actix_web::test]
async fn a_role_that_is_too_low_is_told_which_one_it_takes() {
    let request = TestRequest::post()
        .uri("/admin")
        .insert_header((AUTHORIZATION, format!("Bearer {}", bearer("operator"))));
    let answer = answer(&only_secret(), request).await;
    let challenge = answer
        .headers()
        .get("www-authenticate")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(
        challenge.contains(r#"error="insufficient_scope""#),
        "{challenge}"
    );
    let body: Value = serde_json::from_slice(&actix_web::test::read_body(answer).await).unwrap();
    assert_eq!(body["detail"], "this needs the role admin");
}

#[actix_web::test]
async fn a_strangers_body_is_not_read() {
    let request = TestRequest::post()
        .uri("/operator")
        .set_payload("x".repeat(10 << 20));
    let answer = answer(&only_secret(), request).await;
    assert_eq!(answer.status(), 401, "not 413");
}
