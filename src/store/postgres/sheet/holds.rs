//! Holds: set, replaced, ended.

use super::Sheet;
use crate::{
    domain::hold::{Hold, HoldKind},
    store::Written,
};

impl Sheet {
    /// See [`crate::store::Write::SetHold`].
    pub(in super::super) fn set_hold(&mut self, hold: &Hold, replace: bool) -> Written {
        let other = self
            .state()
            .and_then(|state| state.hold.as_ref())
            .is_some_and(|old| old.kind != hold.kind);
        if (replace || !other)
            && let Some(state) = self.edit_state()
        {
            state.hold = Some(hold.clone());
        }
        self.answer()
    }

    /// See [`crate::store::Write::ClearHold`].
    pub(in super::super) fn clear_hold(&mut self, kind: Option<HoldKind>) -> Written {
        let held = self
            .state()
            .and_then(|state| state.hold.as_ref())
            .map(|hold| hold.kind);
        if (kind == held || (kind.is_none() && held != Some(HoldKind::Invalid)))
            && let Some(state) = self.edit_state()
        {
            state.hold = None;
            state.consecutive_failures = 0;
        }
        self.answer()
    }
}
