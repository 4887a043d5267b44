//! An answer: what it means, and what it literally says.

use std::ops::Deref;

/// What the server answered; reads like the value itself.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// What it means.
    pub(super) value: T,
    /// What it says.
    pub(super) text: String,
    pub(super) request_id: Option<String>,
    pub(super) next_cursor: Option<String>,
}

impl<T> Reply<T> {
    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The body as it came, with the fields that this client does not know.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `X-Request-Id`, by which the server's log knows the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// `X-Next-Cursor`: where the next page begins, if there is one.
    #[must_use]
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
