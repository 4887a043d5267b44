//! Statements of fixed text, and two ways in which they would be parsed anew each time.
//!
//! Diesel caches no `UPDATE` and no upsert, because the columns that one sets may vary, and nothing that is written out;
//! here they never vary, and [`Fixed`] says so.
//! And SQLite plans a `LIMIT ?` anew whenever its value is bound, so queries for one row take the first row without
//! naming a limit.

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sqlite::Sqlite,
};

/// A statement whose text is the same each time, so that it is kept prepared: an update or upsert of the same columns, or one
/// that is written out.
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

/// What it returns.
impl<S: Query> Query for Fixed<S> {
    type SqlType = S::SqlType;
}

impl<S, Conn> RunQueryDsl<Conn> for Fixed<S> {}
