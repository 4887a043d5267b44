//! A row of a result, as diesel reads it.

use std::{error::Error, num::NonZeroU32, ops::Range};

use diesel::{
    backend::Backend,
    pg::{Pg, PgValue},
    row::{Field, PartialRow, Row, RowIndex, RowSealed},
};
use tokio_postgres::types::{FromSql, Type};

/// A row with the types of its columns, which diesel's values borrow.
pub(super) struct PgRow {
    row: tokio_postgres::Row,
    types: Vec<NonZeroU32>,
}

impl PgRow {
    pub(super) fn new(row: tokio_postgres::Row) -> Self {
        let of = |oid| NonZeroU32::new(oid).unwrap_or(NonZeroU32::MIN);
        let types = row.columns().iter().map(|c| of(c.type_().oid())).collect();
        Self { row, types }
    }
}

impl RowSealed for PgRow {}

impl<'a> Row<'a, Pg> for PgRow {
    type InnerPartialRow = Self;
    type Field<'b>
        = PgField<'b>
    where
        Self: 'b,
        'a: 'b;

    fn field_count(&self) -> usize {
        self.row.len()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Self::Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let index = self.idx(index)?;
        let name = self.row.columns().get(index)?.name();
        let ty = self.types.get(index)?;
        let Raw(value) = self.row.try_get(index).ok()?;
        Some(PgField { name, ty, value })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self::InnerPartialRow> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for PgRow {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.row.len()).then_some(index)
    }
}

impl<'a> RowIndex<&'a str> for PgRow {
    fn idx(&self, name: &'a str) -> Option<usize> {
        self.row.columns().iter().position(|c| c.name() == name)
    }
}

/// One value of a row.
pub(super) struct PgField<'a> {
    name: &'a str,
    ty: &'a NonZeroU32,
    value: Option<&'a [u8]>,
}

impl<'a> Field<'a, Pg> for PgField<'a> {
    fn field_name(&self) -> Option<&str> {
        Some(self.name)
    }

    fn value(&self) -> Option<<Pg as Backend>::RawValue<'_>> {
        self.value.map(|bytes| PgValue::new(bytes, self.ty))
    }
}

/// The bytes of a value of any type; `None` for null.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
