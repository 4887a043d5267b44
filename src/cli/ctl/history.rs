//! Runs that were.

use chrono::{DateTime, Utc};

use super::{
    Failure, Output,
    arguments::{History, word},
    table::{Look, Tone, Toned, plain, rows},
    times::{duration, relative},
};
use crate::client::{Client, Execution, ExecutionFilter, Status};

/// The API's largest page.
const PAGE: usize = 500;

pub(super) async fn history(client: &Client, out: &Output, which: History) -> Result<(), Failure> {
    let limit = usize::try_from(which.limit).unwrap_or(PAGE);
    let bot = which.bot.clone();
    let (found, document) = read(client, filter(which, out.now()), limit).await?;
    if let (true, Some(bot)) = (found.is_empty(), &bot) {
        // A bot that does not exist has no runs either, and then that is the better answer.
        client.actor(bot).await?;
    }
    if out.is_json() {
        return out.document(&document);
    }
    Output::print(&runs(&found, out.look(), out.now()))
}

/// So many runs, and the API's answers as one array.
async fn read(
    client: &Client,
    mut filter: ExecutionFilter,
    limit: usize,
) -> Result<(Vec<Execution>, String), Failure> {
    let (mut found, mut texts) = (Vec::new(), Vec::new());
    loop {
        let size = PAGE.min(limit - found.len());
        filter.limit = u32::try_from(size).ok();
        let page = client.executions(&filter).await?;
        let next = page.next_cursor().map(ToOwned::to_owned);
        let empty = page.is_empty();
        if !empty {
            texts.push(items(page.text()).to_owned());
        }
        found.extend(page.into_inner());
        if next.is_none() || empty || found.len() >= limit {
            return Ok((found, format!("[{}]", texts.join(","))));
        }
        filter.cursor = next;
    }
}

/// What stands between the brackets of an array.
fn items(array: &str) -> &str {
    let array = array.trim();
    let inner = array
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or_default()
}

fn filter(which: History, now: DateTime<Utc>) -> ExecutionFilter {
    ExecutionFilter {
        actor: which.bot,
        status: which.status.map(word),
        trigger: which.trigger.map(word),
        since: which.since.map(|moment| moment.at(now)),
        until: which.until.map(|moment| moment.at(now)),
        include: which.all.then(|| "all".to_owned()),
        ..Default::default()
    }
}

/// The table of runs.
pub(super) fn runs(runs: &[Execution], look: Look, now: DateTime<Utc>) -> String {
    if runs.is_empty() {
        return "no runs\n".into();
    }
    let row = |run: &Execution| {
        vec![
            plain(run.id.to_string()),
            plain(&run.task_id),
            status(run),
            plain(when(run, now)),
            plain(run.duration_ms.map(duration).unwrap_or_default()),
            plain(run.trigger.clone().unwrap_or_default()),
            plain(run.attempt.map(|n| n.to_string()).unwrap_or_default()),
            plain(why(run)),
        ]
    };
    let headings = [
        "ID", "BOT", "STATUS", "WHEN", "TOOK", "TRIGGER", "ATTEMPT", "WHY",
    ];
    rows(look, &headings, runs.iter().map(row).collect())
}

fn status(run: &Execution) -> Toned {
    let Some(status) = &run.status else {
        return plain("");
    };
    let tone = match status {
        Status::Succeeded => Tone::Good,
        Status::Skipped | Status::Missed | Status::Running => Tone::Notable,
        status if status.is_failure() => Tone::Bad,
        _ => Tone::Plain,
    };
    (status.to_string(), tone)
}

/// Its start, or the slot that it would have had.
fn when(run: &Execution, now: DateTime<Utc>) -> String {
    let time = run.started_at.or(run.scheduled_for);
    time.map_or_else(String::new, |time| relative(time, now))
}

fn why(run: &Execution) -> String {
    let slots = run.slots.filter(|slots| *slots > 1);
    let parts = [
        run.reason.clone(),
        slots.map(|slots| format!("{slots} slots")),
        run.error_message.clone(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
