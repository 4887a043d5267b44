//! Moments, as clients see them.

use chrono::SecondsFormat;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::Instant;

/// A moment: RFC 3339, UTC, always with `Z` and microseconds, so that texts sort as the moments do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-03-01T09:00:00.000000Z")]
pub struct Time(pub Instant);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl From<Instant> for Time {
    fn from(moment: Instant) -> Self {
        Self(moment)
    }
}
