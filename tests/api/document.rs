//! The OpenAPI document: complete, consistent, and honest about refusals.

use std::collections::BTreeSet;

use actor_server::{actors::news::Kind, http::routes::openapi};
use serde_json::Value;

use super::schema::problems;

pub(crate) fn document() -> Value {
    serde_json::from_slice(&openapi::text()).unwrap()
}

/// Every operation: path, method, what the document says of it.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let of = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone().into_iter();
        let path = path.clone();
        item.map(move |(method, operation)| (path.clone(), method, operation))
            .collect::<Vec<_>>()
    };
    paths.flat_map(of).collect()
}

#[test]
fn every_route_of_the_control_api_is_in_the_document() {
    let document = document();
    let known: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect();
    for route in [
        "get /api/v1/actors",
        "get /api/v1/actors/{id}",
        "get /api/v1/actors/{id}/status",
        "post /api/v1/actors/{id}/pause",
        "post /api/v1/actors/{id}/resume",
        "post /api/v1/actors/{id}/trigger",
        "post /api/v1/actors/resume",
        "get /api/v1/executions",
        "get /api/v1/executions/{id}",
        "get /api/v1/executions/actor/{id}",
        "post /api/v1/executions/{id}/cancel",
        "get /api/v1/posts",
        "get /api/v1/posts/{id}",
        "post /api/v1/posts/{id}/resend",
        "get /api/v1/config",
        "post /api/v1/config/reload",
        "get /api/v1/supervision",
        "post /api/v1/breakers/{dependency}/reset",
        "get /api/v1/content",
        "get /api/v1/content/{table}",
        "post /api/v1/content/{table}",
        "delete /api/v1/content/{table}",
        "get /api/v1/alerts",
        "post /api/v1/alerts/test",
        "get /api/v1/audit",
        "get /api/v1/openapi.json",
        "get /api/v1/docs",
        "get /docs",
        "get /",
    ] {
        assert!(known.contains(route), "{route} is not in {known:?}");
    }
}

#[test]
fn the_document_is_openapi_3_1_with_a_title_and_bearer_tokens() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "actor-server");
    let scheme = &document["components"]["securitySchemes"]["bearerAuth"];
    assert_eq!(
        (&scheme["type"], &scheme["scheme"]),
        (&"http".into(), &"bearer".into())
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_a_tag_of_the_list_and_a_summary() {
    let document = document();
    let tags: Vec<&Value> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} stands twice");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        let own = operation["tags"].as_array().unwrap();
        assert!(
            own.iter().all(|tag| tags.contains(&tag)),
            "{method} {path}: {own:?}"
        );
        assert!(operation["summary"].is_string(), "{method} {path}");
    }
}

#[test]
fn every_answer_is_described_as_the_specification_demands() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let description = answer["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{method} {path} {status}");
        }
    }
}

#[test]
fn every_refusal_of_the_control_api_is_a_problem_document() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        if !path.starts_with("/api/v1/") || path.contains("/health") {
            continue;
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            if status.starts_with(['4', '5']) {
                let schema = &answer["content"]["application/problem+json"]["schema"];
                assert_eq!(
                    schema["$ref"], "#/components/schemas/Problem",
                    "{method} {path} {status}"
                );
            }
        }
    }
}

#[test]
fn whatever_changes_something_wants_a_token_and_may_refuse_it() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        if method == "get" {
            continue;
        }
        let security = operation["security"].as_array().unwrap();
        assert!(
            security.iter().any(|one| one.get("bearerAuth").is_some()),
            "{method} {path}"
        );
        for status in ["401", "503"] {
            assert!(
                operation["responses"].get(status).is_some(),
                "{method} {path}: {status}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50, "only {}", references.len());
    for reference in references {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some_and(Value::is_object), "{reference}");
    }
}

#[test]
fn what_may_be_left_out_of_a_request_is_never_null() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array();
        let parameters = parameters.into_iter().flatten().map(|one| &one["schema"]);
        let bodies = operation["requestBody"]["content"].as_object();
        let bodies = bodies.into_iter().flat_map(|content| content.values());
        for schema in parameters.chain(bodies.map(|content| &content["schema"])) {
            let null = serde_json::json!(null);
            let wrong = problems(&document, schema, &null);
            assert!(!wrong.is_empty(), "{method} {path}: {schema} takes null");
        }
    }
}

#[test]
fn an_event_of_the_stream_is_described_with_the_names_that_it_can_have() {
    let document = document();
    let answer = &document["paths"]["/api/v1/stream"]["get"]["responses"]["200"];
    let schema = &answer["content"]["text/event-stream"]["schema"];
    for name in Kind::ALL
        .map(Kind::as_str)
        .iter()
        .chain(&["gap", "dropped"])
    {
        let event = serde_json::json!({ "event": name, "id": "1-2", "data": "{}" });
        let wrong = problems(&document, schema, &event);
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    let event = serde_json::json!({ "event": "other", "data": "{}" });
    assert!(!problems(&document, schema, &event).is_empty());
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(
                fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn every_part_of_a_path_is_described() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let empty = Vec::new();
        let described: Vec<&Value> = operation["parameters"]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| &parameter["name"])
            .collect();
        let named: Vec<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(described, named, "{method} {path}");
    }
}
