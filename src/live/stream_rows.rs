//! Statements on `stream_session`: who publishes a room's stream.
//!
//! A media server asks for every publisher before it looks whether the stream has one. A second one is then
//! refused by it (nginx-rtmp, SRS) or takes the place of the first, and it tells of the end of whoever lost. So
//! all who were let in are kept, and the stream is up until the last of them has ended.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use store::db::{Db, StoreError, Tx};
use store::entity::stream_session::{ActiveModel, Column, Entity, Model};

/// Publishers that are kept beside the latest.
const OTHERS: usize = 8;

/// A publisher who is refused by the media server ends as soon as it was let in. One who was up for longer
/// had the stream for itself, and those before are gone, though nobody told of their end.
const REFUSED_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Notes that `session` publishes the stream; whether nobody did before.
pub(super) async fn begin(
    db: &Db,
    tx: &Tx<'_>,
    live_id: &str,
    session: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = ActiveModel {
        live_id: Set(live_id.to_owned()),
        session: Set(String::new()),
        up: Set(false),
        since: Set(db.wall(now)),
        others: Set(None),
    };
    // A row that is there is locked and stays as it is.
    let there = OnConflict::column(Column::LiveId).update_column(Column::LiveId).to_owned();
    Entity::insert(row).on_conflict(there).exec_without_returning(tx).await?;
    let Some(row) = locked(tx, live_id).await? else { return Ok(false) };
    let mut others = if row.up { others(&row) } else { Vec::new() };
    if row.up {
        others.insert(0, row.session);
    }
    others.retain(|other| other != session);
    others.truncate(OTHERS);
    store(db, tx, live_id, Some(session), &others, now).await?;
    Ok(!row.up)
}

/// Notes that `session` publishes no longer; whether nobody does now who did before.
pub(super) async fn end(
    db: &Db,
    tx: &Tx<'_>,
    live_id: &str,
    session: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Some(row) = locked(tx, live_id).await?.filter(|row| row.up) else { return Ok(false) };
    let mut others = others(&row);
    if row.session != session {
        others.retain(|other| other != session);
        store(db, tx, live_id, Some(&row.session), &others, db.instant(row.since)).await?;
        return Ok(false);
    }
    let was_refused = now - db.instant(row.since) < REFUSED_WITHIN;
    if was_refused && !others.is_empty() {
        let first = others.remove(0);
        store(db, tx, live_id, Some(&first), &others, now).await?;
        return Ok(false);
    }
    store(db, tx, live_id, None, &[], now).await?;
    Ok(true)
}

async fn locked(tx: &Tx<'_>, live_id: &str) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find().filter(Column::LiveId.eq(live_id)).lock_exclusive().one(tx).await?)
}

fn others(row: &Model) -> Vec<String> {
    row.others.as_deref().and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
}

/// Who publishes: `session`, beside `others`; or nobody, and the row keeps who did last.
async fn store(
    db: &Db,
    tx: &Tx<'_>,
    live_id: &str,
    session: Option<&str>,
    others: &[String],
    since: DateTime<Utc>,
) -> Result<(), StoreError> {
    let list = (!others.is_empty()).then(|| serde_json::json!(others).to_string());
    let mut change = Entity::update_many()
        .col_expr(Column::Up, Expr::value(session.is_some()))
        .col_expr(Column::Since, Expr::value(db.wall(since)))
        .col_expr(Column::Others, Expr::value(list));
    if let Some(session) = session {
        change = change.col_expr(Column::Session, Expr::value(session));
    }
    change.filter(Column::LiveId.eq(live_id)).exec(tx).await?;
    Ok(())
}
