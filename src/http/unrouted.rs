//! Requests that no handler takes: an unknown path, or a known one by the wrong method.

use std::{collections::HashMap, sync::OnceLock};

use actix_web::{HttpRequest, http::StatusCode};
use utoipa::openapi::PathItem;

use super::{
    error::{Answer, Problem},
    listeners::document,
};

/// Answers what nobody else does.
pub(super) async fn unrouted(request: HttpRequest) -> Answer {
    let method = request.method().as_str();
    Err(match request.match_pattern() {
        // The guards of the framework only say no; which methods would be right stands in the document.
        Some(pattern) => {
            let allowed = methods().get(pattern.as_str());
            Problem::wrong_method(method, allowed.map_or("GET, HEAD", String::as_str))
        }
        None => Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path"),
    })
}

/// Which methods a path knows, by its pattern.
fn methods() -> &'static HashMap<String, String> {
    static METHODS: OnceLock<HashMap<String, String>> = OnceLock::new();
    METHODS.get_or_init(|| {
        let paths = document().paths.paths.iter();
        paths
            .map(|(path, item)| (path.clone(), allowed(item)))
            .collect()
    })
}

fn allowed(item: &PathItem) -> String {
    let methods = [
        ("GET, HEAD", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    let known = methods.into_iter().filter(|(_, here)| here.is_some());
    known.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}
