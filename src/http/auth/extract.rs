//! The extractors: list one of them first in a handler, so that a stranger's body is never read.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web,
};

use super::{Caller, Refusal, Role};
use crate::http::{Shared, error::Problem};

/// A route marked "read": no token is needed if `public_reads` is set. A token that is there must be good all the same.
pub struct Reads(pub Option<Caller>);
/// A route for `readonly` and above, whatever `public_reads` says.
pub struct Readonly(pub Caller);
/// A route for `operator` and above.
pub struct Operator(pub Caller);
/// A route for `admin`.
pub struct Admin(pub Caller);

/// The caller, if the role is high enough. Who it is stays with the request, also when it is refused.
fn at_least(role: Role, request: &HttpRequest) -> Result<Caller, Refusal> {
    let shared = request.app_data::<web::Data<Shared>>();
    admitted(
        request,
        shared.ok_or(Refusal::Closed)?.guard.caller(request)?,
        role,
    )
}

fn admitted(request: &HttpRequest, caller: Caller, role: Role) -> Result<Caller, Refusal> {
    request.extensions_mut().insert(caller.clone());
    match caller.role >= role {
        true => Ok(caller),
        false => Err(Refusal::Role(role)),
    }
}

fn reader(request: &HttpRequest) -> Result<Option<Caller>, Refusal> {
    let shared = request.app_data::<web::Data<Shared>>();
    let guard = &shared.ok_or(Refusal::Closed)?.guard;
    match (guard.public_reads(), guard.caller(request)) {
        (true, Err(_)) if !request.headers().contains_key(AUTHORIZATION) => Ok(None),
        // Without a key the route is open, and a token is not one of this server's.
        (true, Err(Refusal::Closed)) => Err(Refusal::Untrusted),
        (_, Ok(caller)) => admitted(request, caller, Role::Readonly).map(Some),
        (_, Err(refusal)) => Err(refusal),
    }
}

macro_rules! extractor {
    ($name:ident, $find:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready($find(request).map(Self).map_err(Problem::from))
            }
        }
    };
}

extractor!(Reads, reader);
extractor!(Readonly, |request| at_least(Role::Readonly, request));
extractor!(Operator, |request| at_least(Role::Operator, request));
extractor!(Admin, |request| at_least(Role::Admin, request));
