//! `plan`: what a reload of the server file would change.

use std::{fmt::Write, process::ExitCode};

use super::{Options, answer, configuration, ended};
use crate::app::{self, Change, ChangeKind, Plan};

/// Prints the plan; nothing is changed.
pub(super) fn plan(options: &Options, json: bool) -> ExitCode {
    let loaded = match configuration::read(options) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let shown = |plan: Plan| {
        let text = match json {
            true => format!("{:#}\n", plan.document()),
            false => in_words(&plan),
        };
        answer(text.as_bytes());
    };
    ended(app::plan(&loaded.settings).map(shown))
}

/// One block for each bot that changes, then a line that counts them.
fn in_words(plan: &Plan) -> String {
    let mut out = String::new();
    let kinds = [
        (ChangeKind::Added, '+'),
        (ChangeKind::Changed, '~'),
        (ChangeKind::Removed, '-'),
    ];
    for (kind, sign) in kinds {
        for change in plan.of(kind) {
            let _ = writeln!(out, "{sign} {}", change.bot);
            block(&mut out, change);
        }
    }
    let count = |kind| plan.of(kind).count();
    let (added, changed) = (count(ChangeKind::Added), count(ChangeKind::Changed));
    let (removed, same) = (count(ChangeKind::Removed), plan.unchanged);
    let _ = writeln!(
        out,
        "{added} added, {changed} changed, {removed} removed, {same} unchanged in what is stored"
    );
    out
}

fn block(out: &mut String, change: &Change) {
    if !change.keys.is_empty() {
        let _ = writeln!(out, "    changes   {}", change.keys.join(", "));
    }
    let (before, after) = change.schedules();
    let (slots_before, slots_after) = change.next_slots();
    for (sign, schedule) in [('-', &before), ('+', &after)] {
        if before != after
            && let Some(schedule) = schedule
        {
            let _ = writeln!(out, "  {sign} schedule  {schedule}");
        }
    }
    if slots_before == slots_after {
        return;
    }
    for (sign, slots) in [('-', slots_before), ('+', slots_after)] {
        for slot in slots {
            let slot = slot.format("%Y-%m-%d %H:%M:%S UTC");
            let _ = writeln!(out, "  {sign} next      {slot}");
        }
    }
}
