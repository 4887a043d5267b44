//! What a route may refuse, for the OpenAPI document: every refusal is a problem document.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

/// Routes that answer a list.
pub struct OfList;
/// Routes that answer one thing, named in the path.
pub struct OfOne;
/// Routes that show what not everybody may see.
pub struct OfShown;
/// Routes that answer a list that not everybody may see.
pub struct OfShownList;
/// Routes that change many things.
pub struct OfMany;
/// Routes that change one thing, named in the path.
pub struct OfChange;
/// Routes that take something away.
pub struct OfRemoval;
/// Routes that answer one thing that is always there.
pub struct OfOverview;
/// Pages and documents for everybody.
pub struct OfPage;
/// Routes that take files.
pub struct OfUpload;
/// Reading the configuration again.
pub struct OfReload;

impl IntoResponses for OfList {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 429, 503])
    }
}

impl IntoResponses for OfOne {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[401, 404, 429, 503])
    }
}

impl IntoResponses for OfShown {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[401, 403, 429, 503])
    }
}

impl IntoResponses for OfShownList {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 429, 503])
    }
}

impl IntoResponses for OfMany {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 408, 413, 415, 429, 503])
    }
}

impl IntoResponses for OfChange {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 404, 408, 409, 413, 415, 429, 503])
    }
}

impl IntoResponses for OfRemoval {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 404, 429, 503])
    }
}

impl IntoResponses for OfOverview {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[401, 429, 503])
    }
}

impl IntoResponses for OfPage {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[429])
    }
}

impl IntoResponses for OfUpload {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 404, 408, 413, 415, 429, 503])
    }
}

impl IntoResponses for OfReload {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 408, 413, 415, 422, 429, 503])
    }
}

fn refusals(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let refusal = |status: &u16| (status.to_string(), RefOr::T(refusal(*status)));
    statuses.iter().map(refusal).collect()
}

fn refusal(status: u16) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new()
        .description(meaning(status))
        .content("application/problem+json", content.build())
        .build()
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "A parameter or the body is wrong",
        401 => "A token is missing or not good",
        403 => "The token's role is too low",
        404 => "There is no such thing",
        408 => "The body came too slowly",
        409 => "Not in the state that things are in",
        413 => "The body is too large",
        415 => "The body's content type is not one of those listed",
        422 => "The files have problems; nothing was changed",
        429 => "Too many requests from this address",
        _ => "The server starts or stops, the database is away, or no key is configured",
    }
}
