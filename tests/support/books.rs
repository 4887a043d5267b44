//! Audits of the ledger in SQL: each slot in exactly one row, nothing left open, nothing posted twice.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::collections::BTreeMap;

use super::postgres::{TestCluster, TestDatabase};

/// Where SQL can be asked.
pub(crate) trait Database {
    /// Rows, columns separated by `|`.
    fn ask(&self, sql: &str) -> String;

    /// One number.
    fn number(&self, sql: &str) -> i64 {
        let text = self.ask(sql);
        text.parse()
            .unwrap_or_else(|_| panic!("{sql} answers {text:?}"))
    }

    /// Fails unless the rows of every bot whose slots are `step` seconds apart cover its slots, from its registration to
    /// `next_run`, each once.
    fn assert_complete(&self, step: u32) {
        let wrong = self.ask(&format!(
            "WITH r AS (SELECT task_id, scheduled_for AS first, coalesce(slot_last, scheduled_for) AS last, slots \
             FROM actor_server_executions WHERE trigger = 'schedule'), \
             o AS (SELECT *, lag(last) OVER (PARTITION BY task_id ORDER BY first) AS before FROM r), \
             e AS (SELECT task_id, min(first) AS first, max(last) AS last FROM r GROUP BY task_id) \
             SELECT 'range', task_id, first, last, slots FROM o WHERE slots <> extract(epoch FROM last - first) / {step} + 1 \
             UNION ALL SELECT 'step', task_id, before, first, slots FROM o WHERE first <> before + interval '{step} s' \
             UNION ALL SELECT 'start', task_id, s.anchor, first, NULL FROM e JOIN actor_server_state s USING (task_id) \
             WHERE first < s.anchor OR first > s.anchor + interval '{step} s' \
             UNION ALL SELECT 'end', task_id, last, s.next_run, NULL FROM e JOIN actor_server_state s USING (task_id) \
             WHERE s.next_run <> last + interval '{step} s' \
             UNION ALL SELECT 'empty', task_id, anchor, next_run, NULL FROM actor_server_state s \
             WHERE NOT EXISTS (SELECT FROM r WHERE r.task_id = s.task_id)"
        ));
        assert_eq!(wrong, "", "slots that have not exactly one row");
    }

    /// Fails if a row is open.
    fn assert_nothing_running(&self) {
        let open = self.ask(
            "SELECT id, task_id, scheduled_for, started_at, replica FROM actor_server_executions WHERE status = 'running'",
        );
        assert_eq!(open, "", "rows that are stuck");
    }

    /// Fails if a run that succeeded left anything but one post that was sent, or a post waits.
    fn assert_posted_once(&self) {
        let wrong = self.ask(
            "SELECT e.id, e.task_id, e.scheduled_for, count(p.id) FROM actor_server_executions e LEFT JOIN actor_server_posts p \
             ON p.execution_id = e.id AND p.status = 'sent' WHERE e.status = 'succeeded' GROUP BY e.id HAVING count(p.id) <> 1",
        );
        assert_eq!(wrong, "", "runs without exactly one post");
        let waiting =
            self.ask("SELECT id, task_id, status FROM actor_server_posts WHERE status <> 'sent'");
        assert_eq!(waiting, "", "posts that did not go out");
    }

    /// How many slots ended as `status` or `status/reason`.
    fn outcomes(&self) -> BTreeMap<String, i64> {
        let rows = self.ask(
            "SELECT concat_ws('/', status, reason), sum(slots) FROM actor_server_executions GROUP BY 1 ORDER BY 1",
        );
        rows.lines()
            .filter_map(|row| row.split_once('|'))
            .map(|(what, count)| (what.to_owned(), count.parse().unwrap()))
            .collect()
    }

    /// Runs that ended well, by bot if one is given.
    fn succeeded(&self, bot: &str) -> i64 {
        self.number(&format!(
            "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded' AND task_id = '{bot}'"
        ))
    }
}

impl Database for TestDatabase {
    fn ask(&self, sql: &str) -> String {
        self.sql(sql)
    }
}

impl Database for TestCluster {
    fn ask(&self, sql: &str) -> String {
        self.sql(sql)
    }
}

/// Fails if a line stands twice.
pub(crate) fn assert_each_once<T: Ord + std::fmt::Display>(lines: impl IntoIterator<Item = T>) {
    let mut count: BTreeMap<T, u32> = BTreeMap::new();
    for line in lines {
        *count.entry(line).or_default() += 1;
    }
    let doubled: Vec<String> = count
        .iter()
        .filter(|(_, n)| **n > 1)
        .map(|(line, n)| format!("{line} × {n}"))
        .collect();
    assert!(doubled.is_empty(), "posted more than once: {doubled:#?}");
}
