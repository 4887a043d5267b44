//! To see bots and to hold them.

use chrono::{DateTime, Utc};

use super::{
    Failure, Output,
    arguments::{Kind, Pause, Which},
    table::{Look, Tone, Toned, pairs, plain, rows},
    text::line,
    times::{Moment, exact, relative, relative_or_dash},
};
use crate::client::{Actor, ActorFilter, ActorStatus, Client, Hold, PauseRequest, Resumed};

pub(super) async fn list(client: &Client, out: &Output, which: Which) -> Result<(), Failure> {
    let filter = ActorFilter {
        paused: which.paused.then_some(true),
        q: which.search,
        ..Default::default()
    };
    let actors = client.actors(&filter).await?;
    out.show(&actors, |actors, look, now| bots(actors, look, now))
}

pub(super) async fn status(client: &Client, out: &Output, bot: &str) -> Result<(), Failure> {
    let status = client.status(bot).await?;
    if out.is_json() {
        return out.document(status.text());
    }
    let actor = client.actor(bot).await?;
    Output::print(&one(&actor, &status, out.look(), out.now()))
}

pub(super) async fn pause(client: &Client, out: &Output, pause: Pause) -> Result<(), Failure> {
    let until = match (pause.until, pause.span) {
        (Some(Moment::At(time)), _) => Some(time),
        (Some(Moment::Ago(_)), _) => {
            let what = "--until takes a time such as 2027-01-31T08:00:00Z; for a span write --for";
            return Err(Failure::Usage(what.into()));
        }
        (None, span) => span.map(|span| out.now() + span),
    };
    let request = PauseRequest {
        reason: pause.reason,
        until,
    };
    let actor = client.pause(&pause.bot, &request).await?;
    out.show(&actor, paused)
}

pub(super) async fn resume(client: &Client, out: &Output, bot: &str) -> Result<(), Failure> {
    let actor = client.resume(bot).await?;
    out.show(&actor, |actor, _, now| {
        let next = actor.next_run.map(|next| exact(next, now));
        let next = next.map_or_else(
            || "it has no next run".into(),
            |next| format!("next run {next}"),
        );
        format!("{} is not held; {next}\n", line(&actor.name))
    })
}

pub(super) async fn resume_all(
    client: &Client,
    out: &Output,
    kind: Option<Kind>,
) -> Result<(), Failure> {
    let kind = kind.map_or_else(Default::default, Kind::as_str);
    let resumed = client.resume_all(kind).await?;
    out.show(&resumed, |resumed, _, _| all_resumed(resumed, kind))
}

pub(super) fn all_resumed(resumed: &Resumed, kind: &str) -> String {
    let names: Vec<String> = resumed.resumed.iter().map(|name| line(name)).collect();
    match names.len() {
        0 => format!("no bot was held by {kind}\n"),
        n => format!("{n} resumed: {}\n", names.join(", ")),
    }
}

pub(super) fn paused(actor: &Actor, _: Look, now: DateTime<Utc>) -> String {
    let name = line(&actor.name);
    match &actor.hold {
        Some(hold) if hold.kind != "manual" => {
            format!("{name} is held already ({})\n", line(&hold.kind))
        }
        Some(hold) => match hold.until {
            Some(until) => format!("{name} is paused until {}\n", exact(until, now)),
            None => format!("{name} is paused until it is resumed\n"),
        },
        None => format!("{name} is not paused\n"),
    }
}

/// The table of bots.
pub(super) fn bots(actors: &[Actor], look: Look, now: DateTime<Utc>) -> String {
    if actors.is_empty() {
        return "no bots\n".into();
    }
    let row = |actor: &Actor| {
        vec![
            plain(&actor.name),
            state(actor, now),
            failures(actor.consecutive_failures),
            plain(relative_or_dash(actor.last_run, now)),
            plain(relative_or_dash(actor.next_run, now)),
            plain(schedule(actor)),
        ]
    };
    let headings = [
        "BOT", "STATE", "FAILURES", "LAST RUN", "NEXT RUN", "SCHEDULE",
    ];
    rows(look, &headings, actors.iter().map(row).collect())
}

fn schedule(actor: &Actor) -> String {
    let words = actor.schedule.as_ref().or(actor.schedule_type.as_ref());
    words.cloned().unwrap_or_default()
}

fn failures(count: i64) -> Toned {
    let tone = if count > 0 {
        Tone::Notable
    } else {
        Tone::Plain
    };
    (count.to_string(), tone)
}

fn state(actor: &Actor, now: DateTime<Utc>) -> Toned {
    let Some(hold) = &actor.hold else {
        return match actor {
            Actor {
                is_paused: true, ..
            } => ("paused".into(), Tone::Notable),
            Actor { enabled: false, .. } => ("disabled".into(), Tone::Notable),
            Actor { running, .. } if !running.is_empty() => ("running".into(), Tone::Good),
            Actor { next_run: None, .. } => plain("finished"),
            _ => ("waiting".into(), Tone::Good),
        };
    };
    match (hold.kind.as_str(), hold.until) {
        ("manual", Some(until)) => (
            format!("paused (ends {})", relative(until, now)),
            Tone::Notable,
        ),
        ("manual", None) => ("paused".into(), Tone::Notable),
        (kind, _) => (format!("held: {kind}"), Tone::Bad),
    }
}

/// One bot, in detail.
pub(super) fn one(actor: &Actor, status: &ActorStatus, look: Look, now: DateTime<Utc>) -> String {
    let or_dash = |time: Option<_>| plain(time.map_or_else(String::new, |time| exact(time, now)));
    let rate = status.recent_success_rate.as_deref().unwrap_or("-");
    let running: Vec<String> = actor.running.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        ("bot", plain(&actor.name)),
        (
            "description",
            plain(actor.description.clone().unwrap_or_default()),
        ),
        ("state", state(actor, now)),
    ];
    lines.extend(actor.hold.iter().flat_map(|hold| held(hold, now)));
    lines.extend(target(actor).map(|target| ("posts to", plain(target))));
    lines.extend([
        ("schedule", plain(schedule(actor))),
        ("running now", plain(running.join(", "))),
        ("last run", or_dash(actor.last_run)),
        ("last success", or_dash(actor.last_success)),
        ("next run", or_dash(actor.next_run)),
        ("failures in a row", failures(actor.consecutive_failures)),
        (
            "recent runs",
            plain(format!("{} ({rate} good)", status.recent_executions)),
        ),
    ]);
    pairs(look, lines)
}

/// Where its posts go; an older server does not say so.
fn target(actor: &Actor) -> Option<String> {
    let (platform, destination) = (actor.platform.as_ref()?, actor.destination.as_ref()?);
    Some(format!("{platform}, {destination}"))
}

fn held(hold: &Hold, now: DateTime<Utc>) -> [(&'static str, Toned); 3] {
    let until = hold.until.map(|until| exact(until, now));
    [
        ("  because", plain(hold.reason.clone().unwrap_or_default())),
        ("  set by", plain(hold.by.clone().unwrap_or_default())),
        (
            "  until",
            plain(until.unwrap_or_else(|| "it is resumed".into())),
        ),
    ]
}
