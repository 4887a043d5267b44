//! `openapi`: the document of the control API, which needs no configuration.

use std::process::ExitCode;

use super::answer;
use crate::app;

/// Prints the document.
pub(super) fn openapi() -> ExitCode {
    answer(app::openapi().as_bytes());
    ExitCode::SUCCESS
}
