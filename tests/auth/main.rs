//! Who may call what: tokens good and forged, roles, keys, and the trail that control requests leave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is its purpose"
)]

mod bearer;
mod commands;
mod forged;
mod forged_claims;
mod forgeries;
mod keys;
mod roles;
mod stand;
mod times;
mod trail;
