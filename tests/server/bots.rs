//! Server files in few words.

use std::fmt::Write;

/// Serves nobody and stops soon: what most tests want of the server's own part.
pub(crate) const SERVER: &str = "
[server]
check_interval_seconds = 2
shutdown_grace_seconds = 5
";

/// One `[[actors]]` entry.
pub(crate) struct Bot {
    name: String,
    file: &'static str,
    policy: String,
    schedule: String,
    retry: String,
}

impl Bot {
    pub(crate) fn new(name: &str, schedule: &str) -> Self {
        Self {
            name: name.into(),
            file: "post.toml",
            policy: String::new(),
            schedule: schedule.into(),
            retry: "max_attempts = 1".into(),
        }
    }

    /// Has a slot every so many seconds.
    pub(crate) fn every(seconds: u32, name: &str) -> Self {
        Self::new(name, &format!("type = \"Interval\"\nseconds = {seconds}"))
    }

    /// Works by this bot file.
    pub(crate) fn file(self, file: &'static str) -> Self {
        Self { file, ..self }
    }

    /// Adds policy keys.
    pub(crate) fn with(mut self, policy: &str) -> Self {
        let _ = writeln!(self.policy, "{policy}");
        self
    }

    /// Replaces the retry table; without it there is one attempt.
    pub(crate) fn retry(self, retry: &str) -> Self {
        Self {
            retry: retry.into(),
            ..self
        }
    }
}

/// A server file with these bots.
pub(crate) fn config(bots: &[Bot]) -> String {
    config_with(SERVER, bots)
}

/// A server file with this head and these bots.
pub(crate) fn config_with(head: &str, bots: &[Bot]) -> String {
    let mut text = head.to_owned();
    for Bot {
        name,
        file,
        policy,
        schedule,
        retry,
    } in bots
    {
        let _ = write!(
            text,
            "\n[[actors]]\nname = \"{name}\"\nconfig_file = \"{file}\"\n{policy}\n[actors.retry]\n{retry}\n[actors.schedule]\n{schedule}\n"
        );
    }
    text
}
