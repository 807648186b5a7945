//! What the cache lost comes back from the rows.

use std::time::Duration;

use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use store::cache::Member;
use store::db::Db;

use super::bed::{fill, online, store, viewers};
use crate::support::fence::{FormerLeader, Leader};
use crate::support::rooms::Rooms;

/// Rows that this connection, the only one, has read so far.
async fn rows_read(db: &Db) -> u64 {
    let sql = "SHOW SESSION STATUS LIKE 'Handler_read_%'";
    let rows = db.writer().query_all_raw(Statement::from_string(DbBackend::MySql, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(1).unwrap().parse::<u64>().unwrap()).sum()
}

async fn execute(rooms: &Rooms, sql: &str) {
    rooms.db.writer().execute_unprepared(sql).await.unwrap();
}

/// Of many who were in rooms once, and of some who are and were written lately, nothing is read.
#[tokio::test]
async fn only_rows_that_were_not_written_for_long_are_read() {
    let rooms = Rooms::on_one_connection().await;
    let live = rooms.created("anchor").await;
    let gone = viewers(std::slice::from_ref(&live), 6000);
    store(&rooms, &gone).await;
    execute(&rooms, "UPDATE live_room_user_entities SET status = 0, heart_beat_at = '2020-01-01 00:00:00'")
        .await;
    let present: Vec<Member> =
        (0..3000).map(|number| Member::new(&*live, format!("here-{number}"))).collect();
    store(&rooms, &present).await;
    execute(
        &rooms,
        "UPDATE live_room_user_entities SET heart_beat_at = '2021-01-01 00:00:00' \
         WHERE user_id IN ('here-7', 'here-8', 'here-9')",
    )
    .await;
    execute(&rooms, "UPDATE live_room_user_entities SET heart_beat_at = NULL WHERE user_id = 'here-1'").await;
    execute(&rooms, "ANALYZE TABLE live_room_user_entities").await;
    let before = rows_read(&rooms.db).await;
    let asked = rows_read(&rooms.db).await - before;
    let before = rows_read(&rooms.db).await;
    assert_eq!(rooms.lives.restore_presence(Some(Duration::from_secs(90))).await.unwrap(), 4);
    let read = rows_read(&rooms.db).await - before - asked;
    assert!(read < 100, "{read} rows were read");
    assert_eq!(online(&rooms, &[live]).await, 4);
}

/// More than a page, of one second, without a time, and with others.
#[rstest]
#[tokio::test]
async fn everybody_is_restored_once(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let lives = [rooms.created("a").await, rooms.created("b").await];
    let all = viewers(&lives, 5200);
    store(&rooms, &all).await;
    execute(
        &rooms,
        "UPDATE live_room_user_entities SET heart_beat_at = NULL WHERE user_id LIKE 'viewer-1%' OR user_id LIKE 'viewer-2%'",
    )
    .await;
    execute(
        &rooms,
        "UPDATE live_room_user_entities SET heart_beat_at = '2021-01-01 00:00:00' WHERE user_id LIKE 'viewer-51%'",
    )
    .await;
    assert_eq!(rooms.lives.restore_presence(None).await.unwrap(), 5200);
    assert_eq!(online(&rooms, &lives).await, 5200);
    assert_eq!(rooms.cache.present(&all).await.unwrap(), vec![true; 5200]);
    assert_eq!(rooms.lives.restore_presence(None).await.unwrap(), 0);
}

/// Those who were heard are written by their rows, whichever room they are in.
#[rstest]
#[tokio::test]
async fn who_was_heard_is_written(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let lives = [rooms.live("anchor").await, rooms.created("other").await];
    fill(&rooms, &lives, 1300).await;
    execute(&rooms, "UPDATE live_room_user_entities SET heart_beat_at = '2021-01-01 00:00:00'").await;
    execute(&rooms, "UPDATE live_entities SET last_heartbeat_at = '2021-01-01 00:00:00'").await;
    let old = "SELECT CAST(COUNT(*) AS CHAR) FROM live_room_user_entities WHERE heart_beat_at < '2022-01-01'";
    let old_rooms = "SELECT CAST(COUNT(*) AS CHAR) FROM live_entities WHERE last_heartbeat_at < '2022-01-01'";
    let count = async |sql| rooms.database().rows(sql).await[0][0].clone().unwrap();
    let shards = 0..rooms.cache.shards();
    for shard in shards.clone() {
        let written = rooms.lives.write_heard(&FormerLeader, shard, 0).await;
        let is_empty = rooms.cache.heard_since(shard, 0, 1).await.unwrap().is_empty();
        assert_eq!(written.is_ok(), is_empty, "a former leader writes nothing");
    }
    assert_eq!((count(old).await, count(old_rooms).await), ("1301".to_owned(), "2".to_owned()));
    for shard in shards {
        rooms.lives.write_heard(&Leader, shard, 0).await.unwrap();
    }
    assert_eq!((count(old).await, count(old_rooms).await), ("0".to_owned(), "1".to_owned()));
}
