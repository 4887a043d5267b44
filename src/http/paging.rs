//! Pages: where the next one begins, in a form that only the server reads, and the headers that lead to it.
//!
//! A cursor names the last row of its page and the filters it was made for. Rows that arrive later stand before it, so a
//! page never shows a row twice; used with other filters it is refused, because it would mean nothing there.

use actix_web::{HttpRequest, HttpResponseBuilder};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::error::Problem;

/// The most rows of one page.
pub const MOST: u32 = 500;

/// The first byte of every cursor: its format.
const VERSION: u8 = 1;
/// So many bytes of the filters' digest are in a cursor.
const MARK: usize = 8;

/// Makes and reads the cursors of one list with one set of filters.
pub struct Cursors([u8; MARK]);

impl Cursors {
    /// For the list of this name; `filters` is written without `limit`, `offset` and `cursor`.
    pub fn of(list: &str, filters: &impl Serialize) -> Self {
        let filters = serde_json::to_string(filters).unwrap_or_default();
        let digest = Sha256::digest(format!("{list}\n{filters}"));
        let mut mark = [0; MARK];
        mark.iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Self(mark)
    }

    /// The cursor of a page that ends with this row.
    #[must_use]
    pub fn after(&self, row: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.0);
        bytes.extend(row.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The row that a cursor names.
    ///
    /// # Errors
    /// It was not made by [`Cursors::after`], or for another list or other filters.
    pub fn row(&self, cursor: &str) -> Result<String, Problem> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
        let row = bytes.as_deref().and_then(|bytes| self.row_in(bytes));
        row.ok_or_else(|| {
            Problem::bad_request(
                "this cursor was not made for this list; take it from `X-Next-Cursor` and repeat the same filters",
            )
        })
    }

    fn row_in(&self, bytes: &[u8]) -> Option<String> {
        let row = bytes.strip_prefix(&[VERSION])?.strip_prefix(&self.0)?;
        String::from_utf8(row.to_vec()).ok()
    }
}

/// Checks `limit`.
///
/// # Errors
/// It is 0 or above [`MOST`].
pub fn bounded(limit: u32) -> Result<u32, Problem> {
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("`limit` is {limit}; it must be 1 to {MOST}");
    Err(Problem::bad_request(detail))
}

/// Cuts a list that was asked for with one row too many; whether there is a next page.
pub fn cut<T>(rows: &mut Vec<T>, limit: u32) -> bool {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}

/// Adds `Link` and `X-Next-Cursor`.
pub fn lead_on(answer: &mut HttpResponseBuilder, request: &HttpRequest, cursor: &str) {
    let given = form_urlencoded::parse(request.query_string().as_bytes());
    let kept = given.filter(|(name, _)| name != "cursor" && name != "offset");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish();
    answer.insert_header(("X-Next-Cursor", cursor));
    let link = format!("<{}?{query}>; rel=\"next\"", request.path());
    answer.insert_header(("Link", link));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row() {
        let cursors = Cursors::of("runs", &("ticker", 1));
        for row in ["1", "9223372036854775807", "daily_poster"] {
            assert_eq!(cursors.row(&cursors.after(row)).unwrap(), row);
        }
    }

    #[test]
    fn a_cursor_of_other_filters_or_of_nobody_is_refused() {
        let cursors = Cursors::of("runs", &"a");
        let strangers = [
            Cursors::of("runs", &"b").after("1"),
            Cursors::of("bots", &"a").after("1"),
            String::new(),
            "AQ".into(),
            "!".into(),
            "1".repeat(100_000),
        ];
        for stranger in strangers {
            assert_eq!(cursors.row(&stranger).unwrap_err().status, 400);
        }
    }

    #[test]
    fn a_page_has_between_one_and_five_hundred_rows() {
        assert!(bounded(1).is_ok() && bounded(500).is_ok());
        assert!(bounded(0).is_err() && bounded(501).is_err());
    }

    #[test]
    fn one_row_too_many_is_cut_off_and_says_that_there_is_more() {
        let mut rows = vec![1, 2, 3];
        assert!(cut(&mut rows, 2));
        assert_eq!(rows, [1, 2]);
        assert!(!cut(&mut rows, 2));
    }

    #[test]
    fn the_link_repeats_the_filters_and_leaves_the_old_place_out() {
        let request = actix_web::test::TestRequest::get()
            .uri("/api/v1/executions?actor=a%22%3E&cursor=old&offset=3&limit=2")
            .to_http_request();
        let mut answer = actix_web::HttpResponse::Ok();
        lead_on(&mut answer, &request, "new");
        let answer = answer.finish();
        let header = |name| answer.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header("X-Next-Cursor"), "new");
        assert_eq!(
            header("Link"),
            "</api/v1/executions?actor=a%22%3E&limit=2&cursor=new>; rel=\"next\""
        );
    }
}
