//! The statements of docs/operations.md that erase a user.

use rstest::rstest;
use serde_json::json;

use super::text;
use crate::support::database::TestDatabase;
use crate::support::server::{Backend, Setup};

/// Where users' names are, but not those of the users who are erased, or as the document says.
const LEFT: [&str; 7] = [
    "admin_revocation.user_id",
    "admin_user.user_id",
    "banned_word.by_user",
    "censor_image.review_user_id",
    "operation_log.user_id",
    "user_ban.by_user",
    "user_ban.user_id",
];

fn statements() -> String {
    let document = text("docs/operations.md");
    document.split("```sql\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// `table.column` of every column that holds the name of a user.
async fn names(database: &TestDatabase) -> Vec<String> {
    let sql = if database.schema().is_empty() {
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    } else {
        "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.columns \
         WHERE table_schema = DATABASE()"
    };
    let columns =
        database.rows(sql).await.into_iter().map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap()));
    let of_users = columns.filter(|(_, column)| {
        column.ends_with("user_id") || ["anchor_id", "by_user", "im_username"].contains(&column.as_str())
    });
    let mut names: Vec<_> = of_users.map(|(table, column)| format!("{table}.{column}")).collect();
    names.sort();
    names
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::mysql(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_user_is_named_nowhere_and_their_rooms_can_be_read(#[case] backend: Backend) {
    let mut server = Setup::new(backend).await.start().await;
    let room = server.client_of("alice").await.go_live("of alice").await;
    let live_id = room["live_id"].as_str().unwrap().to_owned();
    let bob = server.client_of("bob").await;
    bob.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    assert!(server.terminate(std::time::Duration::from_secs(15)).await.success());

    let database = server.database();
    run(database, &statements()).await;
    let all = names(database).await;
    assert!(all.len() > 15, "{all:?}");
    for name in all.iter().filter(|name| !LEFT.contains(&name.as_str())) {
        let (table, column) = name.split_once('.').unwrap();
        assert_eq!(named(database, table, column).await, "0", "{name}");
        assert!(column == "im_username" || is_covered(table, column), "{name} is in no statement");
    }

    server.start().await;
    let found = server.client().get(&format!("/server/live/{live_id}")).await.data();
    assert_eq!((&found["title"], &found["anchor_info"]["user_id"]), (&json!(""), &json!("erased-17")));
    assert_eq!(server.client().get("/server/user/info/alice").await.status, 404);
    let rooms = server.client_of("carol").await.get("/client/live/room/list").await;
    assert_eq!(rooms.status, 200);
}

/// Whether a statement on `table` looks for users by `column`.
fn is_covered(table: &str, column: &str) -> bool {
    let (update, delete) = (format!("UPDATE {table} SET"), format!("DELETE FROM {table} "));
    let statements = statements();
    let mut of_table = statements.split(';').filter(|one| one.contains(&update) || one.contains(&delete));
    of_table.any(|one| one.contains(&format!("WHERE {column} = 'alice'")))
}

async fn named(database: &TestDatabase, table: &str, column: &str) -> String {
    let text = if database.schema().is_empty() { "TEXT" } else { "CHAR" };
    let sql = format!("SELECT CAST(COUNT(*) AS {text}) FROM {table} WHERE {column} LIKE '%alice%'");
    database.rows(&sql).await[0][0].clone().unwrap()
}

async fn run(database: &TestDatabase, statements: &str) {
    let sql = sqlx::AssertSqlSafe(statements.to_owned());
    if database.schema().is_empty() {
        sqlx::raw_sql(sql).execute(&mut database.sqlite().await).await.unwrap();
    } else {
        sqlx::raw_sql(sql).execute(&mut database.mysql().await).await.unwrap();
    }
}
