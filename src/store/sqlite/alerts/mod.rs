//! Incidents and deliveries in the one file of the one process.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{BigInt, Json, Nullable, Text},
    sqlite::Sqlite,
};

mod rows;

use self::rows::{AlertRow, Id, IncidentRow, Moment, Number, Stored};
use super::{
    SqliteStore,
    fault::Fault,
    time::{Time, read, stored},
};
use crate::{
    domain::{
        Instant,
        alert::{Delivery, Incident, Outbox},
        run::ReplicaId,
    },
    store::{
        StoreError,
        alerts::{
            AlertStore, DeliveryMark, IncidentChange, IncidentColumns, NewDelivery, notice_json,
            sql,
        },
    },
};

/// A statement with values to come.
type Statement = BoxedSqlQuery<'static, Sqlite, SqlQuery>;

fn statement(text: &str) -> Statement {
    sql_query(text.replace('$', "?")).into_boxed()
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// Long because an incident has many columns.
fn keep(
    conn: &mut SqliteConnection,
    change: &IncidentChange,
    now: Instant,
) -> Result<Option<(i64, i64)>, Fault> {
    let incident = &change.incident;
    let (count, memory) = IncidentColumns::numbers(incident);
    let kept: Option<Stored> = match incident.id {
        0 => statement(sql::OPEN_INCIDENT)
            .bind::<Text, _>(incident.key.clone())
            .bind::<Text, _>(incident.kind.as_str())
            .bind::<Nullable<Text>, _>(incident.bot.as_ref().map(ToString::to_string))
            .bind::<Text, _>(incident.severity.as_str())
            .bind::<Text, _>(incident.title.clone())
            .bind::<Text, _>(incident.detail.clone())
            .bind::<Text, _>(Time(incident.since))
            .bind::<Nullable<Text>, _>(stored(incident.reminded_at))
            .bind::<BigInt, _>(count)
            .bind::<Nullable<Text>, _>(stored(incident.recovered_at))
            .bind::<Json, _>(memory)
            .get_result(conn)
            .optional()?,
        id => statement(sql::CHANGE_INCIDENT)
            .bind::<Text, _>(incident.severity.as_str())
            .bind::<Text, _>(incident.title.clone())
            .bind::<Text, _>(incident.detail.clone())
            .bind::<Nullable<Text>, _>(stored(incident.reminded_at))
            .bind::<BigInt, _>(count)
            .bind::<Nullable<Text>, _>(stored(incident.recovered_at))
            .bind::<Json, _>(memory)
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(incident.revision)
            .get_result(conn)
            .optional()?,
    };
    if kept.is_some() {
        for delivery in &change.deliveries {
            queue(conn, delivery, None, now)?;
        }
    }
    Ok(kept.map(|kept| (kept.id, kept.revision)))
}

/// Queues a notice, claimed if somebody delivers it at once.
fn queue(
    conn: &mut SqliteConnection,
    new: &NewDelivery,
    claim: Option<(&str, Instant)>,
    now: Instant,
) -> Result<i64, Fault> {
    let status = if new.is_sent { "sent" } else { "pending" };
    let row: Id = statement(sql::QUEUE_ALERT)
        .bind::<Text, _>(new.channel.clone())
        .bind::<Text, _>(new.notice.incident.clone())
        .bind::<Text, _>(new.notice.stage.as_str())
        .bind::<Json, _>(notice_json(&new.notice))
        .bind::<Text, _>(status)
        .bind::<Text, _>(Time(now))
        .bind::<Nullable<Text>, _>(claim.map(|(me, _)| me.to_owned()))
        .bind::<Nullable<Text>, _>(claim.map(|(_, until)| Time(until)))
        .bind::<Text, _>(Time(now))
        .bind::<Nullable<Text>, _>(new.is_sent.then_some(Time(now)))
        .get_result(conn)?;
    Ok(row.id)
}

fn due(
    conn: &mut SqliteConnection,
    me: &str,
    channel: &str,
    now: Instant,
) -> Result<Outbox, Fault> {
    let rows: Vec<AlertRow> = statement(&sql::due(true))
        .bind::<Text, _>(channel.to_owned())
        .bind::<Text, _>(Time(now))
        .bind::<Text, _>(me.to_owned())
        .load(conn)?;
    let hour_ago = now - chrono::TimeDelta::hours(1);
    let counted: Number = statement(sql::COUNTED)
        .bind::<Text, _>(channel.to_owned())
        .bind::<Text, _>(Time(hour_ago))
        .bind::<Text, _>(Time(now))
        .get_result(conn)?;
    let next: Moment = statement(sql::NEXT)
        .bind::<Text, _>(channel.to_owned())
        .bind::<Text, _>(Time(now))
        .get_result(conn)?;
    Ok(Outbox {
        due: rows
            .into_iter()
            .map(AlertRow::read)
            .collect::<Result<_, _>>()?,
        sent: u32::try_from(counted.n).unwrap_or(u32::MAX),
        next_at: read(next.at),
    })
}

fn fold(
    conn: &mut SqliteConnection,
    me: &str,
    ids: &[i64],
    digest: &NewDelivery,
    until: Instant,
    now: Instant,
) -> Result<Delivery, Fault> {
    for id in ids {
        let folded = statement(&sql::fold(true))
            .bind::<Text, _>(format!("mentioned in the digest {}", digest.notice.id))
            .bind::<BigInt, _>(*id)
            .bind::<Text, _>(Time(now))
            .bind::<Text, _>(me.to_owned())
            .execute(conn)?;
        if folded == 0 {
            return Err(Fault::Database(diesel::result::Error::NotFound));
        }
    }
    let id = queue(conn, digest, Some((me, until)), now)?;
    Ok(digest.stored(id, now))
}

#[async_trait]
impl AlertStore for SqliteStore {
    async fn keep_incidents(
        &self,
        changes: &[IncidentChange],
        now: Instant,
    ) -> Result<Vec<Option<(i64, i64)>>, StoreError> {
        let changes = changes.to_vec();
        self.transaction(move |conn| changes.iter().map(|one| keep(conn, one, now)).collect())
            .await
    }

    async fn incidents(&self, since: Instant) -> Result<Vec<Incident>, StoreError> {
        let rows = self.readers.run(move |conn| {
            let rows: Vec<IncidentRow> = statement(sql::INCIDENTS)
                .bind::<Text, _>(Time(since))
                .load(conn)?;
            rows.into_iter().map(IncidentRow::read).collect()
        });
        rows.await
    }

    async fn due_alerts(
        &self,
        me: &ReplicaId,
        channel: &str,
        now: Instant,
    ) -> Result<Outbox, StoreError> {
        let (me, channel) = (me.clone(), channel.to_owned());
        self.readers
            .run(move |conn| due(conn, me.as_str(), &channel, now))
            .await
    }

    async fn claim_alert(
        &self,
        me: &ReplicaId,
        id: i64,
        until: Instant,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let me = me.clone();
        self.transaction(move |conn| {
            let claimed = statement(&sql::claim(true))
                .bind::<Text, _>(me.as_str().to_owned())
                .bind::<Text, _>(Time(until))
                .bind::<BigInt, _>(id)
                .bind::<Text, _>(Time(now))
                .execute(conn)?;
            Ok(claimed > 0)
        })
        .await
    }

    async fn fold_alerts(
        &self,
        me: &ReplicaId,
        ids: &[i64],
        digest: &NewDelivery,
        until: Instant,
        now: Instant,
    ) -> Result<Delivery, StoreError> {
        let (me, ids, digest) = (me.clone(), ids.to_vec(), digest.clone());
        self.transaction(move |conn| fold(conn, me.as_str(), &ids, &digest, until, now))
            .await
    }

    async fn mark_alert(&self, me: &ReplicaId, mark: &DeliveryMark) -> Result<(), StoreError> {
        let (me, mark) = (me.clone(), mark.clone());
        self.transaction(move |conn| {
            statement(sql::MARK)
                .bind::<Text, _>(mark.status.as_str())
                .bind::<BigInt, _>(i64::from(mark.tried))
                .bind::<Text, _>(Time(mark.next_attempt_at))
                .bind::<Nullable<Text>, _>(mark.error)
                .bind::<Nullable<Text>, _>(stored(mark.sent_at))
                .bind::<BigInt, _>(mark.id)
                .bind::<Text, _>(me.as_str().to_owned())
                .execute(conn)?;
            Ok(())
        })
        .await
    }

    async fn pending_alerts(&self) -> Result<u64, StoreError> {
        let pending = self.readers.run(|conn| {
            let row: Number = statement(sql::PENDING).get_result(conn)?;
            Ok(number(row.n))
        });
        pending.await
    }

    async fn deliveries(&self, limit: i64) -> Result<Vec<Delivery>, StoreError> {
        let rows = self.readers.run(move |conn| {
            let rows: Vec<AlertRow> = statement(&sql::newest())
                .bind::<BigInt, _>(limit.max(0))
                .load(conn)?;
            let read = |row: AlertRow| row.read().map(|due| due.delivery);
            rows.into_iter().map(read).collect()
        });
        rows.await
    }

    async fn forget_alerts(&self, before: Instant) -> Result<u64, StoreError> {
        self.transaction(move |conn| {
            let mut gone = 0;
            for forget in sql::FORGET {
                let old = statement(forget).bind::<Text, _>(Time(before));
                gone += old.execute(conn)? as u64;
            }
            Ok(gone)
        })
        .await
    }
}
