//! Incidents and deliveries, which all processes share.

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::{
    OptionalExtension, QueryResult,
    pg::Pg,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

mod rows;

use self::rows::{AlertRow, Id, IncidentRow, Moment, Number, Stored};
use super::{
    PostgresStore,
    connection::Connection,
    error,
    flush::{clean, clean_json, maybe_clean},
    gate::Access,
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
type Statement = BoxedSqlQuery<'static, Pg, SqlQuery>;

fn statement(text: impl Into<String>) -> Statement {
    sql_query(text).into_boxed()
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

async fn keep_all(
    connection: &mut Connection,
    changes: Vec<IncidentChange>,
    now: Instant,
) -> QueryResult<Vec<Option<(i64, i64)>>> {
    let mut kept = Vec::with_capacity(changes.len());
    for change in &changes {
        kept.push(keep(connection, change, now).await?);
    }
    Ok(kept)
}

/// Long because an incident has many columns.
async fn keep(
    connection: &mut Connection,
    change: &IncidentChange,
    now: Instant,
) -> QueryResult<Option<(i64, i64)>> {
    let incident = &change.incident;
    let (count, memory) = IncidentColumns::numbers(incident);
    let statement = match incident.id {
        0 => statement(sql::OPEN_INCIDENT)
            .bind::<Text, _>(clean(&incident.key))
            .bind::<Text, _>(incident.kind.as_str())
            .bind::<Nullable<Text>, _>(incident.bot.as_ref().map(ToString::to_string))
            .bind::<Text, _>(incident.severity.as_str())
            .bind::<Text, _>(clean(&incident.title))
            .bind::<Text, _>(clean(&incident.detail))
            .bind::<Timestamptz, _>(incident.since)
            .bind::<Nullable<Timestamptz>, _>(incident.reminded_at)
            .bind::<BigInt, _>(count)
            .bind::<Nullable<Timestamptz>, _>(incident.recovered_at)
            .bind::<Jsonb, _>(memory),
        id => statement(sql::CHANGE_INCIDENT)
            .bind::<Text, _>(incident.severity.as_str())
            .bind::<Text, _>(clean(&incident.title))
            .bind::<Text, _>(clean(&incident.detail))
            .bind::<Nullable<Timestamptz>, _>(incident.reminded_at)
            .bind::<BigInt, _>(count)
            .bind::<Nullable<Timestamptz>, _>(incident.recovered_at)
            .bind::<Jsonb, _>(memory)
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(incident.revision),
    };
    let kept: Option<Stored> = statement.get_result(connection).await.optional()?;
    if kept.is_some() {
        for delivery in &change.deliveries {
            queue(connection, delivery, None, now).await?;
        }
    }
    Ok(kept.map(|kept| (kept.id, kept.revision)))
}

/// Queues a notice, claimed if somebody delivers it at once.
async fn queue(
    connection: &mut Connection,
    new: &NewDelivery,
    claim: Option<(String, Instant)>,
    now: Instant,
) -> QueryResult<i64> {
    let status = if new.is_sent { "sent" } else { "pending" };
    let row: Id = statement(sql::QUEUE_ALERT)
        .bind::<Text, _>(new.channel.clone())
        .bind::<Text, _>(clean(&new.notice.incident))
        .bind::<Text, _>(new.notice.stage.as_str())
        .bind::<Jsonb, _>(clean_json(&notice_json(&new.notice)))
        .bind::<Text, _>(status)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(claim.as_ref().map(|(me, _)| me.clone()))
        .bind::<Nullable<Timestamptz>, _>(claim.map(|(_, until)| until))
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Timestamptz>, _>(new.is_sent.then_some(now))
        .get_result(connection)
        .await?;
    Ok(row.id)
}

async fn due(connection: &mut Connection, channel: String, now: Instant) -> QueryResult<Outbox> {
    let rows: Vec<AlertRow> = statement(sql::due(false))
        .bind::<Text, _>(channel.clone())
        .bind::<Timestamptz, _>(now)
        .load(connection)
        .await?;
    let counted: Number = statement(sql::COUNTED)
        .bind::<Text, _>(channel.clone())
        .bind::<Timestamptz, _>(now - TimeDelta::hours(1))
        .bind::<Timestamptz, _>(now)
        .get_result(connection)
        .await?;
    let next: Moment = statement(sql::NEXT)
        .bind::<Text, _>(channel)
        .bind::<Timestamptz, _>(now)
        .get_result(connection)
        .await?;
    Ok(Outbox {
        due: rows
            .into_iter()
            .map(AlertRow::read)
            .collect::<QueryResult<_>>()?,
        sent: u32::try_from(counted.n).unwrap_or(u32::MAX),
        next_at: next.at,
    })
}

async fn fold(
    connection: &mut Connection,
    me: String,
    ids: Vec<i64>,
    digest: NewDelivery,
    (until, now): (Instant, Instant),
) -> QueryResult<Delivery> {
    for id in ids {
        let folded = statement(sql::fold(false))
            .bind::<Text, _>(format!("mentioned in the digest {}", digest.notice.id))
            .bind::<BigInt, _>(id)
            .bind::<Timestamptz, _>(now)
            .execute(connection)
            .await?;
        if folded == 0 {
            return Err(error::moved());
        }
    }
    let id = queue(connection, &digest, Some((me, until)), now).await?;
    Ok(digest.stored(id, now))
}

async fn mark(connection: &mut Connection, me: String, mark: DeliveryMark) -> QueryResult<()> {
    statement(sql::MARK)
        .bind::<Text, _>(mark.status.as_str())
        .bind::<BigInt, _>(i64::from(mark.tried))
        .bind::<Timestamptz, _>(mark.next_attempt_at)
        .bind::<Nullable<Text>, _>(maybe_clean(mark.error.as_ref()))
        .bind::<Nullable<Timestamptz>, _>(mark.sent_at)
        .bind::<BigInt, _>(mark.id)
        .bind::<Text, _>(me)
        .execute(connection)
        .await
        .map(drop)
}

#[async_trait]
impl AlertStore for PostgresStore {
    async fn keep_incidents(
        &self,
        changes: &[IncidentChange],
        now: Instant,
    ) -> Result<Vec<Option<(i64, i64)>>, StoreError> {
        let changes = changes.to_vec();
        self.gate
            .run(Access::Write, move |c| Box::pin(keep_all(c, changes, now)))
            .await
    }

    async fn incidents(&self, since: Instant) -> Result<Vec<Incident>, StoreError> {
        self.gate
            .run(Access::Read, move |c| {
                Box::pin(async move {
                    let rows: Vec<IncidentRow> = statement(sql::INCIDENTS)
                        .bind::<Timestamptz, _>(since)
                        .load(c)
                        .await?;
                    rows.into_iter().map(IncidentRow::read).collect()
                })
            })
            .await
    }

    async fn due_alerts(
        &self,
        _: &ReplicaId,
        channel: &str,
        now: Instant,
    ) -> Result<Outbox, StoreError> {
        let channel = channel.to_owned();
        self.gate
            .run(Access::Read, move |c| Box::pin(due(c, channel, now)))
            .await
    }

    async fn claim_alert(
        &self,
        me: &ReplicaId,
        id: i64,
        until: Instant,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let claim = statement(sql::claim(false))
            .bind::<Text, _>(me.as_str().to_owned())
            .bind::<Timestamptz, _>(until)
            .bind::<BigInt, _>(id)
            .bind::<Timestamptz, _>(now);
        let claimed = self
            .gate
            .run(Access::Write, move |c| Box::pin(claim.execute(c)));
        Ok(claimed.await? > 0)
    }

    async fn fold_alerts(
        &self,
        me: &ReplicaId,
        ids: &[i64],
        digest: &NewDelivery,
        until: Instant,
        now: Instant,
    ) -> Result<Delivery, StoreError> {
        let (me, ids, digest) = (me.as_str().to_owned(), ids.to_vec(), digest.clone());
        self.gate
            .run(Access::Write, move |c| {
                Box::pin(fold(c, me, ids, digest, (until, now)))
            })
            .await
    }

    async fn mark_alert(&self, me: &ReplicaId, ended: &DeliveryMark) -> Result<(), StoreError> {
        let (me, ended) = (me.as_str().to_owned(), ended.clone());
        self.gate
            .run(Access::Write, move |c| Box::pin(mark(c, me, ended)))
            .await
    }

    async fn pending_alerts(&self) -> Result<u64, StoreError> {
        let row: Number = self
            .gate
            .run(Access::Read, |c| {
                Box::pin(statement(sql::PENDING).get_result(c))
            })
            .await?;
        Ok(number(row.n))
    }

    async fn deliveries(&self, limit: i64) -> Result<Vec<Delivery>, StoreError> {
        self.gate
            .run(Access::Read, move |c| {
                Box::pin(async move {
                    let rows: Vec<AlertRow> = statement(sql::newest())
                        .bind::<BigInt, _>(limit.max(0))
                        .load(c)
                        .await?;
                    let read = |row: AlertRow| row.read().map(|due| due.delivery);
                    rows.into_iter().map(read).collect()
                })
            })
            .await
    }

    async fn forget_alerts(&self, before: Instant) -> Result<u64, StoreError> {
        self.gate
            .run(Access::Write, move |c| {
                Box::pin(async move {
                    let mut gone = 0;
                    for forget in sql::FORGET {
                        let old = statement(forget).bind::<Timestamptz, _>(before);
                        gone += old.execute(c).await?;
                    }
                    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
                })
            })
            .await
    }
}
