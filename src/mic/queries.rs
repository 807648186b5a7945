//! Statements on `live_mic_entities`. An adopted table may hold several rows of a user and room:
//! the first one speaks, and all are written.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_repr::{Deserialize_repr, Serialize_repr};

use common::text::{Extends, extends_column, extends_of_column};
use store::cache::Member;
use store::db::{Db, StoreError};
use store::entity::live_mic_entities::{ActiveModel, Column, Entity, Model};

/// Whether a seat is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize_repr, Deserialize_repr)]
#[repr(u8)]
pub enum SeatStatus {
    /// The user is on it.
    On = 0,
    /// The user has left it.
    Left = 1,
    /// A backend keeps the user off it.
    Forbidden = 2,
}

impl SeatStatus {
    fn column(self) -> i32 {
        self as i32
    }

    /// A status that nobody knows is no seat.
    fn of_column(value: Option<i32>) -> Self {
        match value {
            Some(0) | None => Self::On,
            Some(2) => Self::Forbidden,
            Some(_) => Self::Left,
        }
    }
}

/// What a guest says of their seat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The microphone is on.
    pub mic: bool,
    /// The camera is on.
    pub camera: bool,
    /// Flat map of the app's own; None leaves the stored one.
    pub extends: Option<Extends>,
}

/// A user's seat in a room.
#[derive(Clone, Debug)]
pub struct Seat {
    row_ids: Vec<u32>,
    /// Whether it is taken.
    pub status: SeatStatus,
}

/// The seat of `user_id` in room `live_id`, in whatever status.
pub async fn find(
    conn: &impl ConnectionTrait,
    live_id: &str,
    user_id: &str,
) -> Result<Option<Seat>, StoreError> {
    let rows = present().filter(Column::LiveId.eq(live_id)).filter(Column::UserId.eq(user_id));
    let rows: Vec<Model> = rows.order_by_asc(Column::Id).all(conn).await?;
    let exact =
        |row: &Model| row.live_id.as_deref() == Some(live_id) && row.user_id.as_deref() == Some(user_id);
    let rows: Vec<Model> = rows.into_iter().filter(exact).collect();
    Ok(rows.first().map(|first| Seat {
        row_ids: rows.iter().map(|row| row.id).collect(),
        status: SeatStatus::of_column(first.status),
    }))
}

/// Makes a user's first seat in a room.
pub async fn insert(
    db: &Db,
    tx: &impl ConnectionTrait,
    member: &Member,
    status: SeatStatus,
    flags: &Flags,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let now = db.wall(now);
    let row = ActiveModel {
        live_id: Set(Some(member.live_id.clone())),
        user_id: Set(Some(member.user_id.clone())),
        mic: Set(Some(flags.mic)),
        camera: Set(Some(flags.camera)),
        status: Set(Some(status.column())),
        extends: Set(flags.extends.as_ref().map(extends_column)),
        created_at: Set(Some(now)),
        updated_at: Set(Some(now)),
        ..ActiveModel::default()
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// What is written to a seat.
pub enum Change {
    /// A user takes it, with these flags.
    Taken(Flags),
    /// Another status.
    Status(SeatStatus),
    /// The microphone goes on or off.
    Mic(bool),
    /// The camera goes on or off.
    Camera(bool),
    /// Another map.
    Extends(Extends),
}

impl Change {
    fn cells(&self) -> Vec<(Column, SimpleExpr)> {
        match self {
            Self::Taken(Flags { mic, camera, extends }) => {
                let mut cells = vec![
                    (Column::Status, Expr::value(SeatStatus::On.column())),
                    (Column::Mic, Expr::value(*mic)),
                    (Column::Camera, Expr::value(*camera)),
                ];
                cells.extend(extends.as_ref().map(|map| (Column::Extends, Expr::value(extends_column(map)))));
                cells
            }
            Self::Status(status) => vec![(Column::Status, Expr::value(status.column()))],
            Self::Mic(is_on) => vec![(Column::Mic, Expr::value(*is_on))],
            Self::Camera(is_on) => vec![(Column::Camera, Expr::value(*is_on))],
            Self::Extends(map) => vec![(Column::Extends, Expr::value(extends_column(map)))],
        }
    }
}

/// Writes to a seat.
pub async fn update(
    db: &Db,
    tx: &impl ConnectionTrait,
    seat: &Seat,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut update = Entity::update_many().col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    for (column, value) in change.cells() {
        update = update.col_expr(column, value);
    }
    update.filter(Column::Id.is_in(seat.row_ids.iter().copied())).exec(tx).await?;
    Ok(())
}

/// A taken seat as it is listed.
pub struct Taken {
    /// The guest.
    pub user_id: String,
    /// Their flags.
    pub flags: Flags,
}

/// The taken seats of a room, the oldest first.
pub async fn taken(conn: &impl ConnectionTrait, live_id: &str) -> Result<Vec<Taken>, StoreError> {
    let rows =
        present().filter(Column::LiveId.eq(live_id)).filter(Column::Status.eq(SeatStatus::On.column()));
    let rows: Vec<Model> = rows.order_by_asc(Column::Id).all(conn).await?;
    let mut seen = HashSet::new();
    let exact = rows.into_iter().filter(|row| row.live_id.as_deref() == Some(live_id));
    let first = exact.filter(|row| seen.insert(row.user_id.clone()));
    Ok(first.filter_map(|row| Some(Taken { user_id: row.user_id.clone()?, flags: flags(row) })).collect())
}

fn flags(row: Model) -> Flags {
    Flags {
        mic: row.mic.unwrap_or_default(),
        camera: row.camera.unwrap_or_default(),
        extends: extends_of_column(row.extends),
    }
}

/// Frees the taken seats of users in rooms, two statements for all; answers who held one.
pub async fn free(
    db: &Db,
    tx: &impl ConnectionTrait,
    members: &[Member],
    now: DateTime<Utc>,
) -> Result<Vec<Member>, StoreError> {
    let wanted: HashSet<&Member> = members.iter().collect();
    let rows: Vec<(u32, Option<String>, Option<String>)> = present()
        .filter(Column::UserId.is_in(members.iter().map(|member| member.user_id.as_str())))
        .filter(Column::Status.eq(SeatStatus::On.column()))
        .select_only()
        .columns([Column::Id, Column::LiveId, Column::UserId])
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(tx)
        .await?;
    let (mut row_ids, mut freed, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (row_id, live_id, user_id) in rows {
        let (Some(live_id), Some(user_id)) = (live_id, user_id) else { continue };
        let member = Member { live_id, user_id };
        if wanted.contains(&member) {
            row_ids.push(row_id);
            if seen.insert(member.clone()) {
                freed.push(member);
            }
        }
    }
    if !row_ids.is_empty() {
        let seats = Seat { row_ids, status: SeatStatus::On };
        update(db, tx, &seats, &Change::Status(SeatStatus::Left), now).await?;
    }
    Ok(freed)
}

fn present() -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::DeletedAt.is_null())
}
