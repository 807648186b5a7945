//! Appending events, as the last act of the transaction that makes the change.
//!
//! The number of an event is taken by writing the room's row in `room_lane`, whose lock then lasts
//! until the commit: order of numbers is order of commits, and a number that was rolled back is
//! given again. It comes last so that the lock is short.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Statement};

use super::{DomainEvent, group};
use store::db::{Db, Dialect, StoreError, Tx, WallTime};
use store::entity::{event_log, room_lane};
use store::update_returning::UpdateReturning;
use telemetry::{context, span};

/// Events per statement; seven parameters each stay below SQLite's limit of 32,766.
const BATCH: usize = 4000;

/// Appends an event of the room `live_id` and returns its number in the room. Two statements.
///
/// # Errors
/// When the database refuses or cannot be reached; the transaction must be given up then.
pub async fn append(
    tx: &Tx<'_>,
    db: &Db,
    live_id: &str,
    event: &DomainEvent,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let raise = UpdateReturning::new(tx, "seq");
    let first = raise.value("1");
    let next = raise.value("room_lane.seq + 1");
    let sql = group::raise_sql(tx.dialect(), &[first], &next);
    let seq = raise.run(tx, sql, vec![live_id.into()]).await?.ok_or_else(|| no_partition(live_id))?;

    insert(tx, [row(live_id, seq, event)?], db.wall(now)).await?;
    tx.leaves_work();
    u64::try_from(seq).map_err(|_| no_partition(live_id).into())
}

/// Appends events of many rooms; those of one room are numbered in their order here. Three
/// statements per 4000 events.
///
/// # Errors
/// When the database refuses or cannot be reached; the transaction must be given up then.
pub async fn append_all(
    tx: &Tx<'_>,
    db: &Db,
    events: &[(String, DomainEvent)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // All take the rows' locks in one order, so that two transactions cannot wait for each other.
    let mut events: Vec<_> = events.iter().map(|(live_id, event)| (live_id.as_str(), event)).collect();
    events.sort_by_key(|(live_id, _)| *live_id);
    for batch in events.chunks(BATCH) {
        let mut last = raise_all(tx, batch).await?;
        // From the last to the first, since what is known is each room's last number.
        let rows = batch.iter().rev().map(|(live_id, event)| {
            let seq = last.get_mut(*live_id).ok_or_else(|| no_partition(live_id))?;
            let row = row(live_id, *seq, event)?;
            *seq -= 1;
            Ok(row)
        });
        let mut rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
        rows.reverse();
        insert(tx, rows, db.wall(now)).await?;
        tx.leaves_work();
    }
    Ok(())
}

/// [`append_all`], with the statements of [`append`] for a single event and none for no event.
///
/// # Errors
/// As of [`append_all`].
pub async fn append_few(
    tx: &Tx<'_>,
    db: &Db,
    events: &[(String, DomainEvent)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let [(live_id, event)] = events {
        append(tx, db, live_id, event, now).await?;
        return Ok(());
    }
    append_all(tx, db, events, now).await
}

/// Takes as many numbers of each room as it has events; answers the last one of each.
async fn raise_all(tx: &Tx<'_>, batch: &[(&str, &DomainEvent)]) -> Result<HashMap<String, i64>, StoreError> {
    use room_lane::{Column, Entity};
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (live_id, _) in batch {
        *counts.entry(live_id).or_default() += 1;
    }
    let given = match tx.dialect() {
        Dialect::MySql => "VALUES(seq)",
        Dialect::Sqlite => "excluded.seq",
    };
    let firsts: Vec<String> = counts.values().map(i64::to_string).collect();
    let sql = group::raise_sql(tx.dialect(), &firsts, &format!("room_lane.seq + {given}"));
    let ids = counts.keys().map(|live_id| (*live_id).into());
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, ids)).await?;
    let partitions = Entity::find()
        .select_only()
        .columns([Column::LiveId, Column::Seq])
        .filter(Column::LiveId.is_in(counts.keys().copied()))
        .into_tuple::<(String, i64)>();
    Ok(partitions.all(tx).await?.into_iter().collect())
}

/// What is different from row to row: room, place, kind and body.
type Row = (String, i64, String, String);

fn row(live_id: &str, seq: i64, event: &DomainEvent) -> Result<Row, StoreError> {
    let (kind, body) = event.encode().map_err(|error| DbErr::Json(error.to_string()))?;
    Ok((live_id.to_owned(), seq, kind, body))
}

/// Inserts the rows, with the time of the database's clock beside `created_at`, which is the node's.
async fn insert(
    tx: &Tx<'_>,
    rows: impl IntoIterator<Item = Row>,
    created_at: WallTime,
) -> Result<(), StoreError> {
    use event_log::Column;
    let columns = [
        Column::LiveId,
        Column::Seq,
        Column::Kind,
        Column::Body,
        Column::CreatedAt,
        Column::RequestId,
        Column::Traceparent,
        Column::AppendedMs,
    ];
    let (request_id, traceparent) = (context::request_id(), span::traceparent());
    let mut insert = Query::insert();
    insert.into_table(event_log::Entity).columns(columns);
    for (live_id, seq, kind, body) in rows {
        let now = Expr::cust(tx.dialect().now_ms_sql());
        let (request_id, parent) = (request_id.as_deref().into(), traceparent.clone().into());
        let values = [
            live_id.into(),
            seq.into(),
            kind.into(),
            body.into(),
            created_at.into(),
            request_id,
            parent,
            now,
        ];
        insert.values(values).map_err(|error| DbErr::Custom(error.to_string()))?;
    }
    tx.execute(&insert).await?;
    Ok(())
}

fn no_partition(live_id: &str) -> DbErr {
    DbErr::RecordNotFound(format!("the partition of room {live_id}"))
}
