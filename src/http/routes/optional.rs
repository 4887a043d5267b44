//! What may be left out of a request is absent then, never `null`: here the document is made to say so.
//!
//! The types of handlers say `Option` for both, and so would the document.

use utoipa::openapi::{
    RefOr,
    path::Operation,
    schema::{Schema, SchemaType, Type},
};

/// Takes `null` from what the parameters and the body of an operation can be.
pub(super) fn never_null(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema.iter_mut().for_each(settle);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content {
                content.schema.iter_mut().for_each(settle);
            }
        }
    }
}

fn settle(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(types) = &mut object.schema_type {
                types.retain(|one| *one != Type::Null);
                if let [only] = types.as_slice() {
                    object.schema_type = SchemaType::Type(only.clone());
                }
            }
        }
        RefOr::T(Schema::OneOf(choices)) => {
            choices.items.retain(|one| !is_null(one));
            if let [only] = choices.items.as_slice() {
                *schema = only.clone();
            }
        }
        _ => {}
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}
