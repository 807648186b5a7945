//! Statements on `relay_sessions`.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::status::Status;
use crate::event::RelayRow;
use common::text::{Extends, extends_column};
use store::db::{Db, StoreError};
use store::entity::relay_sessions::{ActiveModel, Column, Entity, Model};

/// The session `sid`.
pub async fn find(db: &Db, conn: &impl ConnectionTrait, sid: &str) -> Result<Option<RelayRow>, StoreError> {
    let row = Entity::find().filter(Column::Sid.eq(sid)).one(conn).await?;
    Ok(row.map(|row| relay(db, row)).filter(|relay| relay.sid == sid))
}

/// The session `sid`, locked until the transaction ends.
pub async fn find_for_update(
    db: &Db,
    tx: &impl ConnectionTrait,
    sid: &str,
) -> Result<Option<RelayRow>, StoreError> {
    let row = Entity::find().filter(Column::Sid.eq(sid)).lock_exclusive().one(tx).await?;
    Ok(row.map(|row| relay(db, row)).filter(|relay| relay.sid == sid))
}

/// Those of the sessions `sids` that are not over.
pub async fn running(
    db: &Db,
    conn: &impl ConnectionTrait,
    sids: &[&str],
) -> Result<Vec<RelayRow>, StoreError> {
    let rows = Entity::find().filter(Column::Sid.is_in(sids.iter().copied())).all(conn).await?;
    let relays = rows.into_iter().map(|row| relay(db, row));
    let is_running = |relay: &RelayRow| !Status::of_column(Some(relay.status)).is_over();
    Ok(relays.filter(|relay| is_running(relay) && sids.contains(&relay.sid.as_str())).collect())
}

/// Stores a new session, with the ids and the map of `new`; answers its row.
pub async fn insert(
    db: &Db,
    tx: &impl ConnectionTrait,
    new: &RelayRow,
    now: DateTime<Utc>,
) -> Result<RelayRow, StoreError> {
    let now = db.wall(now);
    let mut row = Model {
        id: 0,
        sid: Some(new.sid.clone()),
        init_user_id: Some(new.init_user_id.clone()),
        init_room_id: Some(new.init_room_id.clone()),
        recv_user_id: Some(new.recv_user_id.clone()),
        recv_room_id: Some(new.recv_room_id.clone()),
        extends: new.extends.as_ref().map(extends_column),
        status: Some(new.status),
        start_at: None,
        stop_at: None,
        created_at: Some(now),
        updated_at: Some(now),
    };
    let stored = ActiveModel { id: NotSet, ..ActiveModel::from(row.clone()).reset_all() };
    row.id = Entity::insert(stored).exec(tx).await?.last_insert_id;
    Ok(relay(db, row))
}

/// What is written to a session.
pub enum Change<'a> {
    /// Another status; both sides done is the start.
    Status(Status),
    /// It is over.
    Stopped,
    /// Another map.
    Extends(&'a Extends),
}

/// Writes to a session; answers its row as it then is.
pub async fn update(
    db: &Db,
    tx: &impl ConnectionTrait,
    relay: RelayRow,
    change: Change<'_>,
    now: DateTime<Utc>,
) -> Result<RelayRow, StoreError> {
    let wall = db.wall(now);
    let seconds = Some(db.instant(wall).timestamp());
    let mut row = ActiveModel { updated_at: Set(Some(wall)), ..Default::default() };
    let mut relay = RelayRow { updated_at: seconds, ..relay };
    match change {
        Change::Status(status) => {
            row.status = Set(Some(status.column()));
            relay.status = status.column();
            if status == Status::BothDone {
                row.start_at = Set(Some(wall));
                relay.start_at = seconds;
            }
        }
        Change::Stopped => {
            row.status = Set(Some(Status::Stopped.column()));
            row.stop_at = Set(Some(wall));
            relay.status = Status::Stopped.column();
            relay.stop_at = seconds;
        }
        Change::Extends(extends) => {
            row.extends = Set(Some(extends_column(extends)));
            relay.extends = Some(extends.clone());
        }
    }
    Entity::update_many().set(row).filter(Column::Id.eq(relay.id)).exec(tx).await?;
    Ok(relay)
}

fn relay(db: &Db, row: Model) -> RelayRow {
    RelayRow::of(row, |at| db.instant(at))
}
