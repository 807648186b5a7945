//! Statements on the likes in `stats_single_live` (type 6), and on `live_like_flush`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use store::cache::{RoomLikes, UserLikes};
use store::db::{Db, StoreError};
use store::entity::live_like_flush;
use store::entity::stats_single_live::{Column, Entity};
use store::statistics::{self, CountKey, CountRow, KnownRows, Merge, Statistic};

/// Likes of a room, in the order of the users' ids.
pub struct LikesPage {
    /// The users.
    pub users: Vec<UserLikes>,
    /// Where to go on, when there may be more.
    pub last: Option<String>,
}

/// Likes of the users of a room whose ids come after `after`.
pub async fn likes_after(
    conn: &impl ConnectionTrait,
    live_id: &str,
    after: &str,
    limit: u64,
) -> Result<LikesPage, StoreError> {
    let theirs = Column::Kind.eq(Statistic::Like.column()).and(Column::LiveId.eq(live_id));
    let rows = Entity::find()
        .filter(theirs.and(Column::BizId.eq("")).and(Column::UserId.gt(after)))
        .order_by_asc(Column::UserId)
        .limit(limit)
        .all(conn)
        .await?;
    let is_full = u64::try_from(rows.len()).is_ok_and(|len| len >= limit);
    let last = if is_full { rows.last().and_then(|row| row.user_id.clone()) } else { None };
    // A collation may bring rows of others.
    let own = rows.into_iter().filter(|row| row.live_id.as_deref() == Some(live_id));
    let users = own.filter_map(|row| {
        let count = row.count.and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
        Some(UserLikes { user_id: row.user_id?, count: i64::from(count) })
    });
    Ok(LikesPage { users: users.collect(), last })
}

/// Raises rows to these counts, one statement for a thousand of them.
pub async fn write_likes(
    db: &Db,
    tx: &impl ConnectionTrait,
    known: &KnownRows,
    rooms: &[RoomLikes],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows: Vec<CountRow<'_>> = rooms
        .iter()
        .flat_map(|room| {
            // The cache has lost the likes of those with 0.
            let users = room.users.iter().filter(|user| user.count > 0);
            users.map(|user| CountRow {
                key: CountKey {
                    statistic: Statistic::Like,
                    live_id: &room.live_id,
                    user_id: &user.user_id,
                    biz_id: "",
                },
                count: user.count,
            })
        })
        .collect();
    statistics::put_all(db, tx, known, Merge::Raise, &rows, now).await
}

/// The row that a QNLiveKit_Server keeps.
const OLD: u32 = 1;
/// What this server wrote into it, last; differs when the old one has run since.
const OWN: u32 = 2;

/// How far likes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// By any server, in Unix seconds.
    pub any: Option<i64>,
    /// By this kind of server.
    pub own: Option<i64>,
}

/// How far likes are written.
pub async fn progress(conn: &impl ConnectionTrait) -> Result<Progress, StoreError> {
    let rows = live_like_flush::Entity::find()
        .filter(live_like_flush::Column::Id.is_in([OLD, OWN]))
        .all(conn)
        .await?;
    let of = |id| rows.iter().find(|row| row.id == id).map(|row| i64::from(row.last_update_time));
    Ok(Progress { any: of(OLD), own: of(OWN) })
}

/// Notes that all likes are written up to `second`.
pub async fn set_progress(tx: &impl ConnectionTrait, second: i64) -> Result<(), StoreError> {
    let last_update_time = u32::try_from(second).unwrap_or(u32::MAX);
    let rows = [OLD, OWN]
        .map(|id| live_like_flush::ActiveModel { id: Set(id), last_update_time: Set(last_update_time) });
    let mut raise = OnConflict::column(live_like_flush::Column::Id);
    raise.update_column(live_like_flush::Column::LastUpdateTime);
    live_like_flush::Entity::insert_many(rows).on_conflict(raise).exec_without_returning(tx).await?;
    Ok(())
}
