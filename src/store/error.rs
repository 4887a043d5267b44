//! Why the store could not do what was asked, and whether to ask again.

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL cannot be read; a configuration error.
    #[error("the database url {0}")]
    Url(String),
    /// Not to be had now: not reachable, locked, full, read-only, or the call broke off. The same call may succeed later;
    /// one that makes this program panic will not, so that callers bound what they try again.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The server refuses these credentials or this database.
    #[error("the database refuses the connection: {0}")]
    Refused(String),
    /// The schema is newer than this program.
    #[error(
        "the database's schema is newer than this program ({0}); run a newer actor-server, or `actor-server migrate down`"
    )]
    NewerSchema(String),
    /// Another process owns the SQLite file.
    #[error("{0}")]
    Owned(String),
    /// The store's own code panicked; the rest of a batch may be good.
    #[error("the store's code broke off: {0}")]
    Broken(String),
    /// A statement failed for a reason that will not pass.
    #[error("the database answered: {0}")]
    Failed(String),
}

impl StoreError {
    /// A store of a program's own that has no place for this.
    #[must_use]
    pub fn keeps_no(what: &str) -> Self {
        Self::Failed(format!("this store keeps no {what}"))
    }

    /// The schema lacks this step of the program's.
    #[must_use]
    pub(super) fn older_schema(step: &str) -> Self {
        Self::Failed(format!(
            "the database's schema is older than this program: step {step} is missing; apply it with `migrate`"
        ))
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Broken(_))
    }
}
