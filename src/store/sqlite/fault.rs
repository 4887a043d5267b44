//! What can go wrong inside the backend, and which of it may pass.

use std::{error::Error, io};

use diesel::result::{ConnectionError, Error as Diesel};

use crate::store::StoreError;

/// What SQLite says when the same call may succeed later; diesel hands on its words but not its codes.
const PASSING: [&str; 9] = [
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
    "interrupted",
];

/// An error inside the backend.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] Diesel),
    /// What is stored cannot be understood.
    #[error("{0}")]
    Stored(String),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(error) => classify(&with_causes(&error)),
            Fault::Stored(what) => Self::Failed(what),
        }
    }
}

/// An error and what it says of its causes; diesel names a column and leaves what is wrong with it to them.
fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !told.contains(&more) {
            told = format!("{told}: {more}");
        }
        cause = error.source();
    }
    told
}

/// Tells what may pass from what will not, by SQLite's words.
pub(super) fn classify(message: &str) -> StoreError {
    if PASSING.iter().any(|passing| message.contains(passing)) {
        StoreError::Unavailable(message.to_owned())
    } else {
        StoreError::Failed(message.to_owned())
    }
}

/// The same for a connection that could not be opened.
pub(super) fn not_opened(path: &str, error: &ConnectionError) -> StoreError {
    at(path, classify(&error.to_string()))
}

/// Names the file that an error is about.
pub(super) fn at(path: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(what) => StoreError::Unavailable(format!("{path}: {what}")),
        StoreError::Failed(what) => StoreError::Failed(format!("{path}: {what}")),
        other => other,
    }
}

/// The same for a folder or lock file: a wrong path stays wrong; missing room or rights may come back.
pub(super) fn of_file(path: &str, error: &io::Error) -> StoreError {
    let what = format!("{path}: {error}");
    match error.kind() {
        io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::InvalidFilename => StoreError::Failed(what),
        _ => StoreError::Unavailable(what),
    }
}

/// A stored word that is not of its closed vocabulary.
pub(super) fn unknown(column: &str, word: &str) -> Fault {
    Fault::Stored(format!("{column} holds the unknown word `{word}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for (message, passes) in [
            ("database is locked", true),
            ("database or disk is full", true),
            ("attempt to write a readonly database", true),
            ("disk I/O error", true),
            ("unable to open database file", true),
            ("Failed to run 0001 with: database or disk is full", true),
            ("file is not a database", false),
            ("database disk image is malformed", false),
            ("UNIQUE constraint failed: actor_server_posts.nonce", false),
            ("no such table: actor_server_state", false),
        ] {
            assert_eq!(classify(message).is_transient(), passes, "{message}");
        }
    }

    #[test]
    fn a_path_that_is_wrong_stays_wrong_and_missing_rights_may_come() {
        for (kind, passes) in [
            (io::ErrorKind::NotADirectory, false),
            (io::ErrorKind::PermissionDenied, true),
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::ReadOnlyFilesystem, true),
        ] {
            let error = of_file("data", &kind.into());
            assert_eq!(error.is_transient(), passes, "{error}");
            assert!(error.to_string().contains("data: "), "{error}");
        }
    }
}
