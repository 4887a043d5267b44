//! Statements of fixed text, and two ways in which they would be parsed anew each time.
//!
//! Diesel caches no `UPDATE`, because the columns that one sets may vary; here they never do, and [`Fixed`] says so.
//! And SQLite plans a `LIMIT ?` anew whenever its value is bound, so queries for one row take the first row without
//! naming a limit.

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::Sqlite,
};

/// An update that sets the same columns each time, so that its prepared statement is kept.
pub(super) struct Fixed<S>(pub(super) S);

impl<S: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Fixed<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

/// The statement is found again by its text.
impl<S> QueryId for Fixed<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S, Conn> RunQueryDsl<Conn> for Fixed<S> {}
