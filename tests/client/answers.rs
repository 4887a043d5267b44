//! Answers as the control API gives them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

/// So many seconds from now, as the API writes times.
pub(crate) fn within(seconds: i64) -> String {
    let time: DateTime<Utc> = Utc::now() + TimeDelta::seconds(seconds);
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(crate) fn actor(name: &str) -> Value {
    json!({
        "name": name, "task_id": name, "title": "Daily poster", "description": "Posts one item each morning",
        "enabled": true, "is_paused": false, "consecutive_failures": 0, "last_run": within(-7_230),
        "next_run": within(330), "schedule_type": "Cron", "schedule": "at 09:00:00 (UTC)", "timezone": "UTC",
        "next_slots": [within(330)], "hold": null, "running": [], "overlap": "skip", "channel_id": null,
        "platform": "console", "destination": "stdout", "runs": 3,
        "a_field_of_tomorrow": {"x": 1},
    })
}

pub(crate) fn held(name: &str, hold: &Value) -> Value {
    let mut actor = actor(name);
    actor["is_paused"] = true.into();
    actor["hold"] = hold.clone();
    actor
}

pub(crate) fn status(name: &str) -> Value {
    json!({
        "actor": name, "is_paused": false, "consecutive_failures": 0, "last_run": within(-7_230),
        "next_run": within(330), "recent_executions": 5, "recent_success_rate": "80.0%",
    })
}

pub(crate) fn execution(id: i64, status: &str) -> Value {
    let ended = status != "running";
    json!({
        "id": id, "task_id": "daily", "actor_name": "Daily poster", "status": status, "reason": null,
        "trigger": "manual", "scheduled_for": null, "slots": 1, "slot_last": null, "attempt": 1, "replica": "r1",
        "started_at": within(-90), "completed_at": ended.then(|| within(-88)),
        "duration_ms": ended.then_some(2_300), "success": ended.then_some(status == "succeeded"),
        "skills_succeeded": 2, "skills_failed": 0, "skills_skipped": 0,
        "error_message": (status == "failed").then_some("the channel is gone"), "cancel_requested": false,
        "skills": [{"name": "content_posting", "status": "succeeded", "detail": null, "duration_ms": 12}],
        "posts": [{"id": 1, "platform": "console", "destination": "stdout", "body": "hi", "status": "sent",
                   "attempts": 1, "platform_message_id": null, "error_message": null,
                   "created_at": within(-89), "posted_at": within(-89)}],
        "input": null, "earlier_attempts": [], "created_at": within(-90),
    })
}

pub(crate) fn supervision() -> Value {
    json!({
        "actors": [
            {"name": "scheduler", "supervisor": "coordinator", "state": "running", "restarts": 0, "budget_left": 5,
             "last_crash": null, "mailbox": 0},
            {"name": "task/daily", "supervisor": "coordinator", "state": "given_up", "restarts": 6, "budget_left": 0,
             "last_crash": "panicked: boom", "mailbox": null},
        ],
        "breakers": [{"dependency": "discord", "state": "half_open"}],
        "replicas": [{"id": "r1", "address": "10.0.0.1:3000", "version": "0.1.0", "started_at": within(-7_230),
                      "last_seen": within(-1), "alive": true}],
    })
}
