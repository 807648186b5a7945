//! Statements on `callback_delivery`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Statement, Value,
};

use super::service::{Filter, State};
use common::clock::millis;
use common::page::Paging;
use store::db::{BulkUpdate, Db, StoreError, Tx, bounded_page, padded, placeholders};
use store::entity::callback_delivery::{Column, Entity, Model};

/// Characters that the column `last_error` holds.
const ERROR_CHARS: usize = 255;

/// A callback that leaves its partition.
#[derive(Clone, Debug)]
pub(super) struct NewDelivery {
    pub webhook_id: String,
    pub live_id: String,
    pub seq: i64,
    pub kind: &'static str,
    pub body: String,
    pub attempts: i32,
    pub last_error: String,
    pub event_at: DateTime<Utc>,
    pub request_id: String,
    /// Until the next attempt; None: it is kept as failed.
    pub pause: Option<Duration>,
}

/// A claimed row.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Claimed {
    pub id: i64,
    pub webhook_id: String,
    pub live_id: String,
    pub seq: i64,
    pub body: String,
    pub attempts: i32,
    request_id: Option<String>,
}

impl Claimed {
    /// As [`crate::event::StoredEvent::request_id`]; a server of an earlier version stored none.
    pub(super) fn request_id(&self) -> String {
        self.request_id.clone().unwrap_or_else(|| format!("{}-{}", self.live_id, self.seq))
    }
}

/// How the attempt for a claimed row ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub id: i64,
    pub state: State,
    pub attempts: i32,
    /// Until the next attempt; None: there is none.
    pub pause: Option<Duration>,
    pub last_error: String,
}

/// Stores callbacks that left their partitions.
pub(super) async fn insert(
    db: &Db,
    tx: &Tx<'_>,
    new: &[&NewDelivery],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let row = format!("({}, {} + ?)", placeholders(12), tx.dialect().now_ms_sql());
    let rows = vec![row; new.len()].join(", ");
    let sql = format!(
        "INSERT INTO callback_delivery (webhook_id, live_id, seq, kind, body, state, attempts, last_error, \
         event_at, created_at, updated_at, request_id, due) VALUES {rows}"
    );
    let wall = db.wall(now);
    let values = new.iter().flat_map(|new| {
        let state = if new.pause.is_some() { State::Pending } else { State::Failed };
        let values: [Value; 13] = [
            new.webhook_id.as_str().into(),
            new.live_id.as_str().into(),
            new.seq.into(),
            new.kind.into(),
            new.body.as_str().into(),
            state.column().into(),
            new.attempts.into(),
            cut(&new.last_error).into(),
            db.wall(new.event_at).into(),
            wall.into(),
            wall.into(),
            new.request_id.as_str().into(),
            new.pause.map(millis).into(),
        ];
        values
    });
    let values: Vec<Value> = values.collect();
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    Ok(())
}

/// Whether any row is due.
pub(super) async fn is_any_due(db: &Db) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 AS due FROM callback_delivery WHERE due <= {} LIMIT 1", now_ms(db));
    let asked = Statement::from_string(db.dialect().backend(), sql);
    Ok(db.primary().query_one_raw(asked).await?.is_some())
}

/// Takes up to `limit` rows that are due, for `lease`; committed on return.
pub(super) async fn claim(
    db: &Db,
    owner: &str,
    limit: usize,
    lease: Duration,
) -> Result<Vec<Claimed>, StoreError> {
    db.lazy_transaction(|tx| {
        Box::pin(async move {
            let now = now_ms(db);
            let sql = format!(
                "SELECT id, webhook_id, live_id, seq, body, attempts, request_id FROM callback_delivery \
                 WHERE due <= {now} ORDER BY due LIMIT {limit}{}",
                tx.dialect().claim_lock_sql()
            );
            let backend = tx.get_database_backend();
            let rows = tx.query_all_raw(Statement::from_string(backend, sql)).await?;
            let rows: Vec<Claimed> =
                rows.iter().map(|row| Claimed::from_query_result(row, "")).collect::<Result<_, _>>()?;
            if rows.is_empty() {
                return Ok(rows);
            }
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let ids = padded(&ids);
            let sql = format!(
                "UPDATE callback_delivery SET due = {now} + ?, owner = ? WHERE id IN ({})",
                placeholders(ids.len())
            );
            let values = [Value::from(millis(lease)), owner.into()];
            let values = values.into_iter().chain(ids.iter().map(|id| Value::from(*id)));
            tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            Ok::<_, StoreError>(rows)
        })
    })
    .await
}

/// Writes how the attempts for rows claimed by `owner` ended, and frees them; those that are another's
/// by now are left alone.
pub(super) async fn finish(
    db: &Db,
    owner: &str,
    ended: &[Ended],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let wall = db.wall(now);
    let rows: Vec<_> = ended
        .iter()
        .map(|row| {
            let set = vec![
                vec![row.state.column().into()],
                vec![row.attempts.into()],
                vec![row.pause.map(millis).into()],
                vec![cut(&row.last_error).into()],
                vec![wall.into()],
            ];
            (row.id.into(), owner.into(), set)
        })
        .collect();
    let due = format!("{} + ?", now_ms(db));
    let update = BulkUpdate {
        table: "callback_delivery",
        key: "id",
        guard: "owner",
        set: &[("state", "?"), ("attempts", "?"), ("due", &due), ("last_error", "?"), ("updated_at", "?")],
        set_all: "owner = NULL",
    };
    update.run(db.writer(), &rows).await.map(|_| ())
}

/// Rows, the newest first.
pub(super) async fn list(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<Model>, StoreError> {
    Ok(newest(filter).limit(limit).all(conn).await?)
}

/// One page of rows, the newest first, and how many rows all pages have.
pub(super) async fn page(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    paging: Paging,
) -> Result<(u64, Vec<Model>), StoreError> {
    bounded_page(conn, newest(filter), paging.offset(), paging.size).await
}

fn newest(filter: &Filter) -> Select<Entity> {
    let mut rows = Entity::find().order_by_desc(Column::Id);
    if let Some(state) = filter.state {
        rows = rows.filter(Column::State.eq(state.column()));
    }
    if let Some(live_id) = &filter.live_id {
        rows = rows.filter(Column::LiveId.eq(live_id));
    }
    rows
}

/// The row of a webhook id.
pub(super) async fn find(conn: &impl ConnectionTrait, webhook_id: &str) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find().filter(Column::WebhookId.eq(webhook_id)).one(conn).await?)
}

/// Makes failed rows pending and due at once, from the first attempt on: all of them, or one. Answers
/// how many. A pending one that waits is only made due.
pub(super) async fn retry(db: &Db, webhook_id: Option<&str>, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut update = Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Pending.column()))
        .col_expr(Column::Attempts, Expr::val(0))
        .col_expr(Column::Due, Expr::cust(now_ms(db)))
        .col_expr(Column::UpdatedAt, Expr::val(db.wall(now)));
    update = match webhook_id {
        None => update.filter(Column::State.eq(State::Failed.column())),
        Some(webhook_id) => update
            .filter(Column::WebhookId.eq(webhook_id))
            .filter(Column::State.ne(State::Delivered.column()))
            .filter(Column::Owner.is_null()),
    };
    Ok(update.exec(db.writer()).await?.rows_affected)
}

/// How many rows are in a state.
pub(super) async fn count(conn: &impl ConnectionTrait, state: State) -> Result<u64, StoreError> {
    Ok(Entity::find().filter(Column::State.eq(state.column())).count(conn).await?)
}

/// When the oldest event happened whose row is pending.
pub(super) async fn oldest_pending(db: &Db) -> Result<Option<DateTime<Utc>>, StoreError> {
    let row = Entity::find()
        .filter(Column::State.eq(State::Pending.column()))
        .order_by_asc(Column::EventAt)
        .one(db.primary())
        .await?;
    Ok(row.map(|row| db.instant(row.event_at)))
}

/// Deletes up to `limit` rows of a state that were last changed before `before`; answers how many.
pub(super) async fn delete_old(
    db: &Db,
    tx: &Tx<'_>,
    state: State,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, StoreError> {
    let ids: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(state.column()))
        .filter(Column::UpdatedAt.lt(db.wall(before)))
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(Entity::delete_many().filter(Column::Id.is_in(ids)).exec(tx).await?.rows_affected)
}

fn now_ms(db: &Db) -> &'static str {
    db.dialect().now_ms_sql()
}

fn cut(text: &str) -> String {
    text.chars().take(ERROR_CHARS).collect()
}
