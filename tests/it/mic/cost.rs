//! What seats cost those who hold none.

use std::future::Future;

use liveloom::mic::Flags;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::rooms::Rooms;

/// Statements of the one connection so far, without those that begin and end transactions.
async fn statements(rooms: &Rooms) -> i64 {
    let sql =
        "SHOW SESSION STATUS WHERE Variable_name IN ('Questions', 'Com_begin', 'Com_commit', 'Com_rollback')";
    let conn = rooms.db.writer();
    let rows = conn.query_all_raw(Statement::from_string(conn.get_database_backend(), sql)).await.unwrap();
    let values = rows.iter().map(|row| {
        let (name, value): (String, String) =
            (row.try_get("", "Variable_name").unwrap(), row.try_get("", "Value").unwrap());
        let value: i64 = value.parse().unwrap();
        if name == "Questions" { value } else { -value }
    });
    values.sum()
}

/// How many statements `work` sends.
pub async fn cost<T>(rooms: &Rooms, work: impl Future<Output = T>) -> i64 {
    let before = statements(rooms).await;
    let asking = statements(rooms).await - before;
    let before = before + asking;
    work.await;
    statements(rooms).await - before - asking
}

#[tokio::test]
async fn ways_in_and_out_cost_no_more_without_a_seat() {
    let rooms = Rooms::on_one_connection().await;
    let (live, other) = (rooms.live("anchor").await, rooms.live("other").await);
    let lives = &rooms.lives;
    // The first time, users and rooms are looked up.
    for user in ["viewer", "anchor"] {
        rooms.join(user, &live).await;
        lives.leave(&live, user).await.unwrap();
    }
    assert_eq!(cost(&rooms, lives.join(&live, "viewer")).await, 3, "a join");
    assert_eq!(cost(&rooms, lives.join(&live, "viewer")).await, 3, "a second join");
    assert_eq!(cost(&rooms, lives.join(&other, "viewer")).await, 3, "a join from elsewhere");
    assert_eq!(cost(&rooms, lives.leave(&other, "viewer")).await, 1, "a leave");
    assert_eq!(cost(&rooms, lives.leave(&other, "viewer")).await, 2, "a leave of nobody");
    assert_eq!(cost(&rooms, lives.join(&live, "anchor")).await, 3, "a join of the anchor");
    assert_eq!(cost(&rooms, lives.leave(&live, "anchor")).await, 3, "a leave of the anchor");
}

#[tokio::test]
async fn a_list_of_seats_costs_two_statements_however_long() {
    let rooms = Rooms::on_one_connection().await;
    let live = rooms.live("anchor").await;
    for number in 0..12 {
        let guest = format!("g{number}");
        rooms.join(&guest, &live).await;
        rooms.mics.up(&live, &guest, Flags::default()).await.unwrap();
    }
    rooms.mics.list(&live).await.unwrap();
    assert_eq!(cost(&rooms, rooms.mics.list(&live)).await, 1, "the users are known");
    rooms.users.forget(None).await;
    assert_eq!(cost(&rooms, rooms.mics.list(&live)).await, 2);
}
