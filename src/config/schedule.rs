//! `[actors.schedule]`: four types, each with its own keys, found good before anything runs by it.

use chrono::SubsecRound;
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{
    item::Item,
    nearest::{nearest, suggestion},
    table::Table,
};
use crate::domain::{
    Instant,
    schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
};

const TYPES: [&str; 4] = ["Cron", "Interval", "Once", "Immediate"];

/// What a bot's policy says about its schedule, and the present.
pub(super) struct Bounds {
    pub(super) starts_at: Option<Instant>,
    pub(super) ends_at: Option<Instant>,
    pub(super) dst: (DstGap, DstFold),
    pub(super) now: Instant,
}

/// Reads and checks the schedule of a bot.
pub(super) fn schedule(actor: &Table<'_>, bounds: &Bounds) -> Option<ScheduleSpec> {
    let what = "a table `[actors.schedule]` with `type`, one of Cron, Interval, Once, Immediate";
    let table = actor.need("schedule", what)?.table()?;
    let type_item = table.need("type", "one of Cron, Interval, Once, Immediate")?;
    let kind = type_item.parse(type_name)?;
    let (kind, blame) = read_kind(&table, kind, bounds);
    table.finish();
    let spec = ScheduleSpec {
        kind: kind?,
        starts_at: bounds.starts_at,
        ends_at: bounds.ends_at,
    };
    let now = bounds.now.trunc_subsecs(0);
    check(&spec, &blame.unwrap_or(type_item), now).then_some(spec)
}

fn type_name(text: &str) -> Result<&'static str, String> {
    let found = TYPES.into_iter().find(|name| *name == text);
    found.ok_or_else(|| {
        let near = suggestion(text, TYPES);
        format!("`{text}` is no type of schedule; {near}")
    })
}

/// The kind, and the value that is to blame if no slot comes of it.
fn read_kind<'r>(
    table: &Table<'r>,
    kind: &str,
    bounds: &Bounds,
) -> (Option<ScheduleKind>, Option<Item<'r>>) {
    match kind {
        "Cron" => cron(table, bounds.dst),
        "Interval" => {
            let item = table.need("seconds", "the seconds from one slot to the next");
            let seconds = item.and_then(|item| item.integer(1..=i64::from(u32::MAX)));
            (
                seconds.map(|seconds| ScheduleKind::Interval { seconds }),
                None,
            )
        }
        "Once" => {
            let item = table.need("at", "a time such as \"2026-01-31T09:00:00Z\"");
            let at = item.as_ref().and_then(Item::instant);
            (at.map(|at| ScheduleKind::Once { at }), item)
        }
        _ => (Some(ScheduleKind::Immediate), None),
    }
}

fn cron<'r>(
    table: &Table<'r>,
    (dst_gap, dst_fold): (DstGap, DstFold),
) -> (Option<ScheduleKind>, Option<Item<'r>>) {
    let item = table.need("expression", "5, 6 or 7 fields, such as \"0 0 9 * * * *\"");
    let zone = match table.get("timezone") {
        None => Some(Tz::UTC),
        Some(item) => item.parse(zone),
    };
    let expression = item.as_ref().and_then(Item::string);
    let kind = expression
        .zip(zone)
        .map(|(expression, timezone)| ScheduleKind::Cron {
            expression,
            timezone,
            dst_gap,
            dst_fold,
        });
    (kind, item)
}

/// Reads the name of an IANA zone.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| {
        let names = TZ_VARIANTS.iter().map(|zone| zone.name());
        // Most people remember the city.
        let cities = names.clone().find(|name| {
            name.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(&text.replace(' ', "_")))
        });
        match cities.or_else(|| nearest(text, names)) {
            Some(near) => format!("`{text}` is no IANA time zone; did you mean `{near}`?"),
            None => {
                format!("`{text}` is no IANA time zone; use one such as `UTC` or `Europe/Berlin`")
            }
        }
    })
}

/// Whether the schedule can be computed; warns of what is probably not meant.
fn check(spec: &ScheduleSpec, blame: &Item<'_>, now: Instant) -> bool {
    if contradictory(spec) {
        // Reported where the two are given.
        return true;
    }
    let compiled = spec.compile(now);
    let Ok(compiled) = compiled.map_err(|message| blame.problem(message)) else {
        return false;
    };
    spec.warnings()
        .iter()
        .for_each(|warning| blame.warn(warning));
    compiled.next_from(now).is_some() || past(spec, blame, now)
}

fn contradictory(spec: &ScheduleSpec) -> bool {
    let (start, end) = (spec.starts_at, spec.ends_at);
    start.zip(end).is_some_and(|(start, end)| start > end)
}

/// A bot that has had its slots is finished, which is fine; an expression that is over by itself is a mistake.
fn past(spec: &ScheduleSpec, blame: &Item<'_>, now: Instant) -> bool {
    let unbounded = ScheduleSpec {
        starts_at: None,
        ends_at: None,
        ..spec.clone()
    };
    let over = unbounded
        .compile(now)
        .is_ok_and(|schedule| schedule.next_from(now).is_none());
    if over && matches!(spec.kind, ScheduleKind::Cron { .. }) {
        blame.problem("has no slot left; give an expression that is met in the future");
        return false;
    }
    blame.warn("has no slot left in the future");
    true
}
