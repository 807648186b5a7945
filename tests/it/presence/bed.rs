//! Viewers by the thousand, made without a request for each.

use chrono::Utc;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use store::cache::Member;
use store::entity::live_room_user_entities::{Column, Entity};

use crate::support::client::Client;
use crate::support::rooms::Rooms;

/// So many viewers, dealt to rooms in turn: their rows say `in`, and the cache knows them as heard now.
pub async fn fill(rooms: &Rooms, lives: &[String], count: usize) -> Vec<Member> {
    let viewers = viewers(lives, count);
    store(rooms, &viewers).await;
    rooms.cache.restore(&viewers, &[]).await.unwrap();
    viewers
}

/// So many viewers, dealt to rooms in turn.
pub fn viewers(lives: &[String], count: usize) -> Vec<Member> {
    (0..count).map(|number| Member::new(&*lives[number % lives.len()], format!("viewer-{number}"))).collect()
}

/// Writes rows that say `in`.
pub async fn store(rooms: &Rooms, viewers: &[Member]) {
    let now = rooms.db.wall(Utc::now()).naive().format("%Y-%m-%d %H:%M:%S").to_string();
    for part in viewers.chunks(500) {
        let rows = part.iter().map(|Member { live_id, user_id }| {
            format!("('{live_id}', '{user_id}', 1, '{now}', '{now}', '{now}', 0)")
        });
        let sql = format!(
            "INSERT INTO live_room_user_entities (live_id, user_id, status, heart_beat_at, created_at, \
             updated_at, mic_seat) VALUES {}",
            rows.collect::<Vec<_>>().join(", ")
        );
        rooms.db.writer().execute_unprepared(&sql).await.unwrap();
    }
}

/// How many viewers of [`fill`] are in a room, by their rows.
pub async fn viewers_in(rooms: &Rooms) -> u64 {
    let theirs = Entity::find().filter(Column::Status.eq(1)).filter(Column::UserId.starts_with("viewer-"));
    theirs.count(rooms.db.writer()).await.unwrap()
}

/// How many are in rooms, by the cache.
pub async fn online(rooms: &Rooms, lives: &[String]) -> u64 {
    let asked: Vec<(&str, &str)> = lives.iter().map(|live_id| (live_id.as_str(), "nobody")).collect();
    rooms.cache.room_states(&asked).await.unwrap().iter().map(|state| state.online).sum()
}

/// How many viewers there shall be: of the environment, where a long run says so.
pub fn number(variable: &str, otherwise: usize) -> usize {
    let told = std::env::var(variable).ok();
    told.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text} is no number")))
}

/// What a room shows of who is in it: the number online, whether the anchor is, and how many are listed.
pub async fn shown(client: &Client, live_id: &str) -> (u64, bool, u64) {
    let info = client.get(&format!("/client/live/room/info/{live_id}")).await.data();
    let users = client.get(&format!("/client/live/room/user_list?live_id={live_id}")).await.data();
    (
        info["online_count"].as_u64().unwrap(),
        info["anchor_status"] == 1,
        users["total_count"].as_u64().unwrap(),
    )
}
