//! Which failure of the database means what: by SQLSTATE (PostgreSQL, appendix A), because messages are translated.

use std::error::Error as _;

use diesel::{
    ConnectionError,
    result::{DatabaseErrorInformation, DatabaseErrorKind, Error},
};
use diesel_async::pooled_connection::{PoolError as ManagerError, deadpool::PoolError};

use crate::store::StoreError;

/// Stands where a SQLSTATE would for a server whose certificate is not good enough, or that has none.
const UNTRUSTED: &str = "TLS";

/// What a failed statement says; diesel has no place of its own for the SQLSTATE.
struct Failure {
    message: String,
    detail: Option<String>,
    code: Option<String>,
}

impl DatabaseErrorInformation for Failure {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The SQLSTATE.
    fn hint(&self) -> Option<&str> {
        self.code.as_deref()
    }

    fn table_name(&self) -> Option<&str> {
        None
    }

    fn column_name(&self) -> Option<&str> {
        None
    }

    fn constraint_name(&self) -> Option<&str> {
        None
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}

/// Keeps what diesel's own conversion drops.
pub(super) fn to_diesel(error: tokio_postgres::Error) -> Error {
    let (kind, failure) = match error.as_db_error() {
        Some(db) => (
            DatabaseErrorKind::Unknown,
            Failure {
                message: db.message().to_owned(),
                detail: db.detail().map(str::to_owned),
                code: Some(db.code().code().to_owned()),
            },
        ),
        None => (DatabaseErrorKind::ClosedConnection, lost(&error)),
    };
    Error::DatabaseError(kind, Box::new(failure))
}

/// The connection failed, not the statement.
fn lost(error: &tokio_postgres::Error) -> Failure {
    let mut message = error.to_string();
    let mut source = error.source();
    let mut untrusted = false;
    while let Some(cause) = source {
        let text = cause.to_string();
        untrusted |= is_about_certificate(cause);
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    untrusted |= message.ends_with("server does not support TLS");
    Failure {
        message,
        detail: None,
        code: untrusted.then(|| UNTRUSTED.to_owned()),
    }
}

fn is_about_certificate(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    let tls = match inner {
        Some(inner) => inner.downcast_ref::<rustls::Error>(),
        None => cause.downcast_ref::<rustls::Error>(),
    };
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// What [`moved`] says in the store's words.
const MOVED: &str = "another process changed the same rows meanwhile";

/// Gives up a transaction because another process changed what no lock protects; the next try will see it.
pub(super) const fn moved() -> Error {
    Error::RollbackTransaction
}

/// Whether that was it.
pub(super) fn has_moved(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(text) if text == MOVED)
}

/// The store's words for a failed statement.
pub(super) fn of_statement(error: &Error) -> StoreError {
    let Error::DatabaseError(kind, info) = error else {
        return match error {
            Error::RollbackTransaction => StoreError::Unavailable(MOVED.to_owned()),
            Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => {
                StoreError::Unavailable(error.to_string())
            }
            _ => StoreError::Failed(error.to_string()),
        };
    };
    match (info.hint(), kind) {
        (Some(code), _) => by_code(code, info.as_ref()),
        (None, DatabaseErrorKind::ClosedConnection) => {
            StoreError::Unavailable(info.message().to_owned())
        }
        (None, _) => StoreError::Failed(info.message().to_owned()),
    }
}

fn by_code(code: &str, info: &(dyn DatabaseErrorInformation + Send + Sync)) -> StoreError {
    let message = format!("{} [{code}]", info.message());
    match code {
        UNTRUSTED => StoreError::Refused(info.message().to_owned()),
        _ if code.starts_with("28") || code == "3D000" => StoreError::Refused(message),
        _ if is_passing(code) => StoreError::Unavailable(message),
        _ => StoreError::Failed(match info.details() {
            Some(detail) => format!("{message} ({detail})"),
            None => message,
        }),
    }
}

/// Connection exceptions, lack of resources, operator intervention, system errors; lost races and timeouts; a standby; a
/// database that takes no connections for now.
fn is_passing(code: &str) -> bool {
    const CLASSES: [&str; 4] = ["08", "53", "57", "58"];
    const CODES: [&str; 8] = [
        "25006", "25P03", "25P04", "40001", "40003", "40P01", "55000", "55P03",
    ];
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&code)
}

/// The store's words for a connection that was not to be had.
pub(super) fn of_pool(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(ManagerError::ConnectionError(
            ConnectionError::CouldntSetupConfiguration(e),
        ))
        | PoolError::Backend(ManagerError::QueryError(e)) => of_statement(e),
        PoolError::Closed => StoreError::Failed("the store is closed".to_owned()),
        PoolError::Timeout(_) => {
            StoreError::Unavailable("no connection was to be had in time".to_owned())
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: &str) -> StoreError {
        let failure = Failure {
            message: "Meldung".into(),
            detail: None,
            code: Some(code.into()),
        };
        of_statement(&Error::DatabaseError(
            DatabaseErrorKind::Unknown,
            Box::new(failure),
        ))
    }

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for code in [
            "08006", "40001", "40P01", "53100", "53300", "55000", "55P03", "57014", "57P01",
            "57P03", "25006", "25P03",
        ] {
            assert!(class(code).is_transient(), "{code}");
        }
        for code in ["28000", "28P01", "3D000"] {
            assert!(matches!(class(code), StoreError::Refused(_)), "{code}");
        }
        for code in ["23505", "42P01", "42601", "22P05", "XX000"] {
            assert!(matches!(class(code), StoreError::Failed(_)), "{code}");
        }
    }

    #[test]
    fn a_lost_connection_passes() {
        let failure = Failure {
            message: "connection closed".into(),
            detail: None,
            code: None,
        };
        let error = Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(failure));
        assert!(of_statement(&error).is_transient());
    }
}
