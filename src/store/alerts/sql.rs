//! The statements, which both backends understand but for one sign: SQLite writes `?1` where PostgreSQL writes `$1`.

/// Since when.
pub(in crate::store) const INCIDENTS: &str = "SELECT id, key, kind, bot, severity, title, detail, since, reminded_at, \
     count, recovered_at, memory, revision FROM actor_server_incidents \
     WHERE recovered_at IS NULL OR recovered_at >= $1 ORDER BY id LIMIT 20000";

pub(in crate::store) const OPEN_INCIDENT: &str = "INSERT INTO actor_server_incidents (key, kind, bot, severity, title, \
     detail, since, reminded_at, count, recovered_at, memory) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT DO NOTHING RETURNING id, revision";

pub(in crate::store) const CHANGE_INCIDENT: &str = "UPDATE actor_server_incidents SET severity = $1, title = $2, \
     detail = $3, reminded_at = $4, count = $5, recovered_at = $6, memory = $7, revision = revision + 1 \
     WHERE id = $8 AND revision = $9 AND recovered_at IS NULL RETURNING id, revision";

pub(in crate::store) const QUEUE_ALERT: &str = "INSERT INTO actor_server_alerts (channel, incident, stage, notice, \
     status, next_attempt_at, claimed_by, claimed_until, created_at, sent_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id";

const ALERT: &str = "a.id, a.channel, a.notice, a.status, a.attempts, a.next_attempt_at, a.error, a.created_at, a.sent_at";

/// Claims run out; where this process (`me`) is the only one that lives, those of others are void at once.
fn is_free(now: &str, me: Option<&str>) -> String {
    let void = me.map(|me| format!(" OR claimed_by <> {me}"));
    let void = void.unwrap_or_default();
    format!("(claimed_until IS NULL OR claimed_until <= {now}{void})")
}

/// Channel, now, and this process if it `is_alone`.
pub(in crate::store) fn due(is_alone: bool) -> String {
    format!(
        "SELECT {ALERT}, \
         EXISTS (SELECT 1 FROM actor_server_alerts r WHERE r.incident = a.incident AND r.channel = a.channel \
         AND r.stage <> 'recovered' AND r.id < a.id AND (r.status = 'sent' OR r.attempts > 0) \
         AND NOT EXISTS (SELECT 1 FROM actor_server_alerts e WHERE e.incident = a.incident AND e.channel = a.channel \
         AND e.stage = 'recovered' AND e.id > r.id AND e.id < a.id)) AS raise_was_sent, \
         EXISTS (SELECT 1 FROM actor_server_alerts p WHERE p.incident = a.incident AND p.channel = a.channel \
         AND p.status = 'pending' AND p.id < a.id) AS is_behind \
         FROM actor_server_alerts a WHERE channel = $1 AND status = 'pending' AND next_attempt_at <= $2 \
         AND {} ORDER BY id LIMIT 1000",
        is_free("$2", is_alone.then_some("$3"))
    )
}

/// Channel, an hour ago, now.
pub(in crate::store) const COUNTED: &str = "SELECT count(*) AS n FROM actor_server_alerts WHERE channel = $1 \
     AND stage <> 'recovered' AND ((status = 'sent' AND sent_at > $2) OR (status = 'pending' AND claimed_until > $3))";

/// Channel, now.
pub(in crate::store) const NEXT: &str = "SELECT min(next_attempt_at) AS at FROM actor_server_alerts \
     WHERE channel = $1 AND status = 'pending' AND next_attempt_at > $2";

/// This process, until then, delivery, now.
pub(in crate::store) fn claim(is_alone: bool) -> String {
    format!(
        "UPDATE actor_server_alerts SET claimed_by = $1, claimed_until = $2 \
         WHERE id = $3 AND status = 'pending' AND {}",
        is_free("$4", is_alone.then_some("$1"))
    )
}

/// What they are mentioned in, delivery, now, and this process if it `is_alone`.
pub(in crate::store) fn fold(is_alone: bool) -> String {
    format!(
        "UPDATE actor_server_alerts SET status = 'dropped', error = $1, claimed_until = NULL \
         WHERE id = $2 AND status = 'pending' AND {}",
        is_free("$3", is_alone.then_some("$4"))
    )
}

/// Status, whether it was tried (1 or 0), next attempt, error, when it was sent, delivery, this process.
pub(in crate::store) const MARK: &str = "UPDATE actor_server_alerts SET status = $1, attempts = attempts + $2, \
     next_attempt_at = $3, error = $4, sent_at = $5, claimed_until = NULL \
     WHERE id = $6 AND status = 'pending' AND (claimed_by = $7 OR $1 = 'sent')";

pub(in crate::store) const PENDING: &str =
    "SELECT count(*) AS n FROM actor_server_alerts WHERE status = 'pending'";

/// So many.
pub(in crate::store) fn newest() -> String {
    format!(
        "SELECT {ALERT}, FALSE AS raise_was_sent, FALSE AS is_behind FROM actor_server_alerts a ORDER BY id DESC LIMIT $1"
    )
}

/// Before then.
pub(in crate::store) const FORGET: [&str; 2] = [
    "DELETE FROM actor_server_incidents WHERE recovered_at < $1",
    "DELETE FROM actor_server_alerts WHERE status <> 'pending' AND created_at < $1",
];
