//! Tables of what schedules mean: both clock changes of two zones, dates that do not exist, crontab lines against six
//! fields, and the kinds without a calendar.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod clock_changes;
mod dates;
mod kinds;
mod support;
mod syntax;
mod words;
