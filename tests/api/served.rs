//! What is served is what the document says.

use super::{
    document::{document, operations},
    stand::{Api, home, resting},
};

/// A path of the document, with something in the place of its names.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{id}" if path.contains("/executions/{id}") => "1",
        "{file}" => "swagger-ui.css",
        part if part.starts_with('{') => "quiet",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_documented_operation_is_served_and_no_other_method_of_its_path() {
    let home = home(&resting("quiet", "quiet.toml"));
    let server = home.start();
    let (api, document) = (Api::anonymous(&server), document());
    for (path, method, operation) in operations(&document) {
        // It has no end, and the metrics are elsewhere.
        if path.ends_with("/stream") || path == "/metrics" {
            continue;
        }
        let place = filled(&path);
        let reply = api.ask(&method.to_uppercase(), &place, "application/json", "");
        assert_ne!(reply.status, 405, "{method} {place}");
        let known = operation["responses"].get(reply.status.to_string());
        assert!(
            known.is_some(),
            "{method} {place} answers {} undocumented",
            reply.status
        );
        assert!(
            !reply.body.contains("there is nothing at this path"),
            "{method} {place}"
        );
        let item = document["paths"][&path].as_object().unwrap();
        for other in ["get", "post", "put", "delete", "patch"] {
            // `resume` could be the name of a bot.
            let bot = other == "get" && path == "/api/v1/actors/resume";
            if !item.contains_key(other) && !bot {
                let reply = api.ask(&other.to_uppercase(), &place, "application/json", "");
                reply.assert_problem(405);
                let allowed = reply.header("allow").unwrap().to_lowercase();
                assert!(allowed.contains(&method), "{other} {place}: {allowed}");
            }
        }
    }
    api.get("/api/v1/nothing").assert_problem(404);
    api.get("/api/v2/actors").assert_problem(404);
    server.stop();
}

#[test]
fn control_routes_are_closed_to_strangers_and_to_low_roles_before_a_body_is_read() {
    let home = home(&resting("quiet", "quiet.toml"));
    let server = home.start();
    let anonymous = Api::anonymous(&server);
    let reader = Api::with_role(&home, &server, "readonly");
    for (path, method, _) in operations(&document()) {
        if method == "get" || path.ends_with("/events") {
            continue;
        }
        let place = filled(&path);
        let ask = |api: &Api| {
            api.ask(
                &method.to_uppercase(),
                &place,
                "application/json",
                "no json",
            )
        };
        ask(&anonymous).assert_problem(401);
        ask(&reader).assert_problem(403);
    }
    anonymous.get("/api/v1/config").assert_problem(401);
    assert_eq!(reader.get("/api/v1/config").status, 200);
    server.stop();
}

#[test]
fn the_pages_and_the_document_are_this_servers_alone() {
    let home = home("");
    let server = home.start();
    let api = Api::anonymous(&server);
    for (path, parts) in [
        ("/", vec!["page.js", "page.css"]),
        (
            "/api/v1/docs/",
            vec!["swagger-ui-bundle.js", "swagger-initializer.js"],
        ),
    ] {
        let page = api.get(path);
        assert_eq!(page.status, 200, "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(
            !page.body.contains("https://"),
            "{path} wants something from elsewhere"
        );
        for part in parts {
            assert!(page.body.contains(part), "{path}: {part}");
        }
    }
    assert_eq!(
        api.get("/page.js").header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert!(
        api.get("/api/v1/docs/swagger-initializer.js")
            .body
            .contains("/api/v1/openapi.json")
    );
    for path in ["/docs", "/api/v1/docs"] {
        let way = api.get(path);
        assert_eq!(way.header("location"), Some("/api/v1/docs/"), "{path}");
    }
    api.get("/api/v1/docs/nothing.js").assert_problem(404);
    api.get("/api/v1/docs/..%2fsecret").assert_problem(404);
    assert_eq!(api.read("/api/v1/openapi.json"), document());
    server.stop();
}

#[test]
fn the_document_is_printed_without_a_configuration() {
    let home = home("this is no configuration");
    let printed = home.run(&["openapi"]);
    assert!(printed.status.success());
    let printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed, document());
}
