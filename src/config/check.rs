//! The output of `check` and `--dry-run`: what the server would do with a configuration, in words.
//!
//! Pure: nothing is started, asked or stored, so slots that depend on the first start are shown as if it were now.

use std::fmt::Write;

use chrono::{DateTime, SubsecRound, TimeZone};
use chrono_tz::Tz;

use crate::{
    config::Loaded,
    domain::{
        Instant,
        bot::{Bot, Target},
        schedule::{ScheduleKind, ScheduleSpec},
    },
};

/// So many coming slots are shown.
const SLOTS: usize = 5;

/// One block per bot, then the warnings, then a line that says how many bots there are.
#[must_use]
pub fn render(loaded: &Loaded, now: Instant) -> String {
    let mut out = String::new();
    for bot in &loaded.settings.bots {
        out += &block(bot, now);
        out.push('\n');
    }
    for warning in &loaded.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    out += &closing(loaded);
    out.push('\n');
    out
}

fn closing(loaded: &Loaded) -> String {
    let bots = &loaded.settings.bots;
    let held = bots.iter().filter(|bot| bot.quarantine.is_some()).count();
    let problems = match held {
        0 => "no problems".to_owned(),
        n => format!("{n} held until mended, no other problems"),
    };
    let warnings = match loaded.warnings.len() {
        0 => String::new(),
        n => format!(", {}", counted(n, "warning")),
    };
    format!("{}, {problems}{warnings}", counted(bots.len(), "bot"))
}

fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn block(bot: &Bot, now: Instant) -> String {
    let mut out = heading(bot);
    if !bot.enabled {
        line(&mut out, "disabled", "its slots are recorded, not run");
    }
    for reason in bot.quarantine.iter().flat_map(|reason| reason.lines()) {
        line(&mut out, "held", reason);
    }
    if let Some(spec) = &bot.schedule {
        slots(&mut out, bot, spec, now);
    }
    line(&mut out, "platform", &platform(bot));
    line(&mut out, "skills", &skills(bot));
    out
}

fn heading(bot: &Bot) -> String {
    let title = printable(&bot.behaviour.title);
    match title.is_empty() {
        true => format!("{}\n", bot.name),
        false => format!("{} ({title})\n", bot.name),
    }
}

fn line(out: &mut String, label: &str, text: &str) {
    let _ = writeln!(out, "  {label:<9} {text}");
}

fn slots(out: &mut String, bot: &Bot, spec: &ScheduleSpec, now: Instant) {
    let zone = zone(spec);
    line(out, "schedule", &printable(&spec.describe()));
    line(out, "zone", zone.name());
    if !bot.policy.jitter.is_zero() {
        let text = format!("up to {} s after each slot", bot.policy.jitter.as_secs());
        line(out, "jitter", &text);
    }
    let coming = coming(spec, now);
    if coming.is_empty() {
        line(out, "next", "never: no slot is left");
    }
    let labels = std::iter::once("next").chain(std::iter::repeat(""));
    for (label, slot) in labels.zip(coming) {
        line(out, label, &both_times(slot, zone));
    }
    if let Some(note) = note(&spec.kind) {
        line(out, "", note);
    }
}

/// Slots that count from the first start depend on something that is not known here.
fn note(kind: &ScheduleKind) -> Option<&'static str> {
    match kind {
        ScheduleKind::Interval { .. } => {
            Some("(if first started now; a bot that is known already keeps its grid)")
        }
        ScheduleKind::Immediate => {
            Some("(if first started now; a bot that has run does not run again)")
        }
        ScheduleKind::Cron { .. } | ScheduleKind::Once { .. } => None,
    }
}

fn coming(spec: &ScheduleSpec, now: Instant) -> Vec<Instant> {
    let anchor = now.trunc_subsecs(0);
    let Ok(schedule) = spec.compile(anchor) else {
        return Vec::new();
    };
    let from = match spec.kind {
        ScheduleKind::Interval { .. } | ScheduleKind::Immediate => anchor,
        ScheduleKind::Cron { .. } | ScheduleKind::Once { .. } => now,
    };
    std::iter::successors(schedule.next_from(from), |slot| schedule.next_after(*slot))
        .take(SLOTS)
        .collect()
}

fn zone(spec: &ScheduleSpec) -> Tz {
    match &spec.kind {
        ScheduleKind::Cron { timezone, .. } => *timezone,
        _ => Tz::UTC,
    }
}

/// A slot as the clocks of its zone show it, and in UTC.
fn both_times(slot: Instant, zone: Tz) -> String {
    match zone {
        Tz::UTC => time(&slot.with_timezone(&zone)),
        _ => {
            let utc = slot.format("%Y-%m-%d %H:%M:%S UTC");
            format!("{} = {utc}", time(&slot.with_timezone(&zone)))
        }
    }
}

fn time<Z: TimeZone<Offset: std::fmt::Display>>(time: &DateTime<Z>) -> String {
    let (weekday, rest) = (time.format("%A"), time.format("%Y-%m-%d %H:%M:%S %Z"));
    format!("{:<9} {rest}", weekday.to_string())
}

fn platform(bot: &Bot) -> String {
    match &bot.target {
        Target::Console => "console".into(),
        Target::Channel(channel) => format!("discord, channel {channel}"),
        Target::Webhook { kind, name } => format!("{} webhook `{name}`", kind.as_str()),
        Target::Own {
            platform,
            destination,
        } => format!("{platform}, {}", printable(destination)),
    }
}

fn skills(bot: &Bot) -> String {
    let named = bot
        .behaviour
        .skills
        .iter()
        .map(|skill| match skill.enabled {
            true => skill.name.clone(),
            false => format!("{} (disabled)", skill.name),
        });
    let names: Vec<String> = named.collect();
    match names.is_empty() {
        true => "none".into(),
        false => names.join(", "),
    }
}

/// Text of a file, fit for a terminal.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.collect()
}
