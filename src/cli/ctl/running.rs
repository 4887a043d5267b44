//! To run a bot by hand, and to stop a run.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Failure, Output, arguments::Trigger, history::runs, text::line};
use crate::client::{Client, Execution, Reply, TriggerRequest};

/// How often a run that is waited for is looked at.
const AGAIN: Duration = Duration::from_millis(300);
/// How often in a row the server may fail to answer in the meantime (with the client's timeouts, a restart's length).
const PATIENCE: u32 = 100;

pub(super) async fn trigger(
    client: &Client,
    out: &Output,
    trigger: Trigger,
) -> Result<(), Failure> {
    let request = TriggerRequest {
        note: trigger.note,
        dry_run: trigger.dry_run.then_some(true),
        content: trigger.content.as_deref().map(content),
    };
    let triggered = client.trigger(&trigger.bot, &request).await?;
    if !trigger.wait {
        return out.show(&triggered, |triggered, _, _| {
            format!(
                "{}: run {}\n",
                line(&triggered.message),
                triggered.execution_id
            )
        });
    }
    let run = ended(client, triggered.execution_id).await?;
    out.show(&run, |run, look, now| {
        runs(std::slice::from_ref(run), look, now)
    })?;
    verdict(&run)
}

/// A text is an item's body; an object is an item.
pub(super) fn content(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::Object(item)) => Value::Object(item),
        _ => json!({ "body": text }),
    }
}

async fn ended(client: &Client, id: i64) -> Result<Reply<Execution>, Failure> {
    let mut unanswered = 0;
    loop {
        match client.execution(id).await {
            Ok(run) if run.has_ended() => return Ok(run),
            Ok(_) => unanswered = 0,
            Err(error) if unanswered < PATIENCE && error.is_passing() => unanswered += 1,
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn verdict(run: &Execution) -> Result<(), Failure> {
    let bad = run.status.as_ref().filter(|status| status.is_failure());
    let Some(status) = bad else {
        return Ok(());
    };
    let error = run
        .error_message
        .as_deref()
        .unwrap_or("no error was recorded");
    Err(Failure::Other(format!(
        "run {} of {}: {status}: {error}",
        run.id, run.task_id
    )))
}

pub(super) async fn cancel(client: &Client, out: &Output, id: i64) -> Result<(), Failure> {
    let reply = client.cancel(id).await?;
    out.show(&reply, |_, _, _| format!("run {id} is asked to stop\n"))
}
