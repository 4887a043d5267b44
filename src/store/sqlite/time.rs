//! Times as SQLite keeps them: text that sorts as time does, always with six digits of fraction.
//!
//! Diesel's own mapping leaves the fraction out on whole seconds, which breaks the order.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
    sqlite::{Sqlite, SqliteValue},
};

use crate::domain::Instant;

/// A moment, stored as `YYYY-MM-DD HH:MM:SS.ffffff+00:00`; what is finer than a microsecond is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(super) struct Time(pub(super) Instant);

/// The stored form of a moment that may be missing.
pub(super) fn stored(at: Option<Instant>) -> Option<Time> {
    at.map(Time)
}

/// The moment of a stored form that may be missing.
pub(super) fn read(at: Option<Time>) -> Option<Instant> {
    at.map(|time| time.0)
}

impl ToSql<Text, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let rfc3339 = self.0.to_rfc3339_opts(SecondsFormat::Micros, false);
        out.set_value(rfc3339.replacen('T', " ", 1));
        Ok(IsNull::No)
    }
}

impl FromSql<Text, Sqlite> for Time {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|error| format!("`{text}` is no stored time: {error}"))?;
        Ok(Self(time.with_timezone(&Utc)))
    }
}

#[cfg(test)]
mod tests {
    use diesel::{Connection, IntoSql, RunQueryDsl, SqliteConnection, select};

    use super::*;
    use crate::store::{StoreError, sqlite::fault::Fault};

    fn through_the_database(time: Instant) -> (String, Instant) {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let text: String = select(Time(time).into_sql::<Text>())
            .get_result(&mut conn)
            .unwrap();
        let back: Time = select(text.clone().into_sql::<Text>())
            .get_result(&mut conn)
            .unwrap();
        (text, back.0)
    }

    #[test]
    fn whole_seconds_and_microseconds_have_the_same_width_and_come_back_exactly() {
        for (micros, text) in [
            (0, "2026-03-29 01:00:00.000000+00:00"),
            (1, "2026-03-29 01:00:00.000001+00:00"),
            (999_999, "2026-03-29 01:00:00.999999+00:00"),
        ] {
            let time = DateTime::from_timestamp_micros(1_774_746_000_000_000 + micros).unwrap();
            assert_eq!(through_the_database(time), (text.to_owned(), time));
        }
    }

    #[test]
    fn text_that_is_no_time_is_an_error() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let read: Result<Time, _> = select("yesterday".into_sql::<Text>()).get_result(&mut conn);
        let error = StoreError::from(Fault::from(read.unwrap_err())).to_string();
        assert!(error.contains("yesterday"), "{error}");
    }
}
