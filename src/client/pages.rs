//! Lists of any length, a page at a time.

use std::{collections::VecDeque, future::Future, pin::Pin};

use futures::{Stream, stream};

use super::{Error, Reply};

type Page<T> = Result<Reply<Vec<T>>, Error>;
type Asked<'a, T> = Pin<Box<dyn Future<Output = Page<T>> + Send + 'a>>;
type Ask<'a, T> = Box<dyn Fn(Option<String>) -> Asked<'a, T> + Send + Sync + 'a>;

/// Reads a list page by page, as far as somebody asks for more. After an error it is at its end.
pub struct Pages<'a, T> {
    ask: Ask<'a, T>,
    place: Place,
    items: VecDeque<T>,
}

/// Where the next page begins.
#[derive(Clone, PartialEq)]
enum Place {
    /// Where the filter says.
    Start,
    /// At this cursor.
    Cursor(String),
    /// There is none.
    End,
}

impl<'a, T> Pages<'a, T> {
    pub(super) fn new(ask: impl Fn(Option<String>) -> Asked<'a, T> + Send + Sync + 'a) -> Self {
        Self {
            ask: Box::new(ask),
            place: Place::Start,
            items: VecDeque::new(),
        }
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn next_page(&mut self) -> Result<Option<Reply<Vec<T>>>, Error> {
        let cursor = match std::mem::replace(&mut self.place, Place::End) {
            Place::Start => None,
            Place::Cursor(cursor) => Some(cursor),
            Place::End => return Ok(None),
        };
        let page = (self.ask)(cursor.clone()).await?;
        match page.next_cursor.clone() {
            // A server that goes in circles would never let the caller go.
            Some(next) if Some(&next) == cursor.as_ref() => {}
            Some(next) => self.place = Place::Cursor(next),
            None => {}
        }
        Ok(Some(page))
    }

    /// The next item; `None` after the last one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        while self.items.is_empty() {
            match self.next_page().await? {
                Some(page) => self.items.extend(page.into_inner()),
                None => return Ok(None),
            }
        }
        Ok(self.items.pop_front())
    }

    /// All items as a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, Error>> + use<'a, T> {
        stream::try_unfold(self, |mut pages| async move {
            let item = pages.next().await?;
            Ok(item.map(|item| (item, pages)))
        })
    }
}
