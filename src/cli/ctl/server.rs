//! The server itself: its configuration, its actors, its replicas.

use chrono::{DateTime, Utc};

use super::{
    Failure, Output,
    table::{Look, Tone, Toned, plain, rows},
    text::line,
    times::relative_or_dash,
};
use crate::client::{ActorReport, BotChange, Breaker, Client, ReloadPlan, Replica, Supervision};

pub(super) async fn reload(client: &Client, out: &Output, dry_run: bool) -> Result<(), Failure> {
    let plan = client.reload(dry_run).await?;
    out.show(&plan, |reload, _, _| changes(&reload.plan, dry_run))
}

pub(super) async fn tree(client: &Client, out: &Output) -> Result<(), Failure> {
    out.show(&client.supervision().await?, actors_and_breakers)
}

pub(super) async fn replicas(client: &Client, out: &Output) -> Result<(), Failure> {
    let supervision = client.supervision().await?;
    out.show(&supervision, |supervision, look, now| {
        processes(supervision, look, now)
    })
}

/// What a reload changed.
pub(super) fn changes(plan: &ReloadPlan, dry_run: bool) -> String {
    let bots = [
        ("+", &plan.added),
        ("-", &plan.removed),
        ("~", &plan.changed),
    ];
    let bots = bots
        .into_iter()
        .flat_map(|(sign, bots)| bots.iter().map(move |bot| change(sign, bot)));
    let others = [
        ("setting", &plan.settings),
        ("after a restart", &plan.needs_restart),
        ("warning", &plan.warnings),
    ];
    let others = others
        .into_iter()
        .flat_map(|(what, all)| all.iter().map(move |one| format!("{what}: {}", line(one))));
    let mut lines: Vec<String> = bots.chain(others).collect();
    lines.push(match (lines.is_empty(), dry_run) {
        (true, _) => "nothing differs".into(),
        (false, true) => "nothing was changed: this is what a reload would do".into(),
        (false, false) => "applied".into(),
    });
    lines.join("\n") + "\n"
}

/// Such as `~ daily: schedule, timeout_seconds`.
fn change(sign: &str, bot: &BotChange) -> String {
    let name = line(&bot.actor);
    match bot.keys.is_empty() {
        true => format!("{sign} {name}"),
        false => format!("{sign} {name}: {}", line(&bot.keys.join(", "))),
    }
}

/// The tree, and what stands below it.
pub(super) fn actors_and_breakers(
    supervision: &Supervision,
    look: Look,
    _: DateTime<Utc>,
) -> String {
    let actor = |actor: &ActorReport| {
        vec![
            plain(&actor.name),
            state(&actor.state),
            number(actor.restarts),
            number(actor.budget_left),
            number(actor.mailbox),
            plain(actor.last_crash.clone().unwrap_or_default()),
        ]
    };
    let breaker = |breaker: &Breaker| vec![plain(&breaker.dependency), state(&breaker.state)];
    let headings = [
        "ACTOR",
        "STATE",
        "RESTARTS",
        "LEFT",
        "MAILBOX",
        "LAST CRASH",
    ];
    let mut text = rows(
        look,
        &headings,
        supervision.actors.iter().map(actor).collect(),
    );
    if !supervision.breakers.is_empty() {
        let breakers = supervision.breakers.iter().map(breaker).collect();
        text += "\n";
        text += &rows(look, &["BREAKER", "STATE"], breakers);
    }
    text
}

fn number(number: Option<i64>) -> Toned {
    plain(number.map(|number| number.to_string()).unwrap_or_default())
}

fn state(state: &str) -> Toned {
    let tone = match state {
        "running" | "resting" | "closed" => Tone::Good,
        "restarting" | "half_open" => Tone::Notable,
        "given_up" | "open" => Tone::Bad,
        _ => Tone::Plain,
    };
    (state.replace('_', " "), tone)
}

/// The table of processes.
pub(super) fn processes(supervision: &Supervision, look: Look, now: DateTime<Utc>) -> String {
    let Some(replicas) = &supervision.replicas else {
        let why = supervision
            .replicas_error
            .as_deref()
            .unwrap_or("no reason given");
        return format!("the database cannot be asked: {}\n", line(why));
    };
    let row = |replica: &Replica| {
        let (word, tone) = match replica.alive {
            Some(true) => ("alive", Tone::Good),
            Some(false) => ("dead", Tone::Bad),
            None => ("", Tone::Plain),
        };
        vec![
            plain(&replica.id),
            (word.to_owned(), tone),
            plain(replica.address.clone().unwrap_or_default()),
            plain(replica.version.clone().unwrap_or_default()),
            plain(relative_or_dash(replica.started_at, now)),
            plain(relative_or_dash(replica.last_seen, now)),
        ]
    };
    let headings = [
        "REPLICA",
        "STATE",
        "ADDRESS",
        "VERSION",
        "STARTED",
        "LAST SEEN",
    ];
    rows(look, &headings, replicas.iter().map(row).collect())
}
