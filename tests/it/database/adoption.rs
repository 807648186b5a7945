//! A database that QNLiveKit_Server made and used is adopted: nothing in it changes.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
use sqlx::{AssertSqlSafe, Executor};
use store::db::Db;
use store::entity::{live_entities, live_room_user_entities, live_users, operation_log};

use super::old_schema::TABLES;
use super::schema::read_all;
use super::{Backend, number};
use crate::support::database::TestDatabase;

/// Rows as the old server leaves them, with NULLs, mixed case, and doubled memberships.
const ROWS: [&str; 9] = [
    "INSERT INTO live_users (user_id, nick, extends, im_userid, im_username, created_at) VALUES \
     ('Bob', '\u{9c8d}\u{52c3} \u{1f600}', '{\"vip\":\"1\"}', 77, 'qn_77', '2023-06-19 23:59:59'), \
     ('alice', NULL, 'null', 78, NULL, NULL), ('carol', 'c', NULL, NULL, NULL, NULL)",
    "INSERT INTO live_entities (live_id, title, anchor_id, status, extends, start_at, chat_id) VALUES \
     ('1670000000000000001', 'First', 'Bob', 1, '{\"a\":\"b\"}', '2023-06-19 23:59:59', 9007199254740991), \
     ('1670000000000000002', NULL, NULL, NULL, NULL, NULL, NULL)",
    "INSERT INTO live_room_user_entities (live_id, user_id, status, heart_beat_at) VALUES \
     ('1670000000000000001', 'alice', 1, '2023-06-20 00:00:01'), \
     ('1670000000000000001', 'alice', 2, '2023-06-20 00:00:02'), \
     ('1670000000000000001', 'alice', 1, NULL)",
    "INSERT INTO live_mic_entities (live_id, user_id, mic, camera, status) VALUES \
     ('1670000000000000001', 'alice', 1, 0, 0)",
    "INSERT INTO operation_log (user_id, ip, method, url, args, status_code, created_at) VALUES \
     ('admin', '10.0.0.1', 'POST', '/admin/x', '{}', 200, '2023-06-19 12:00:00')",
    "INSERT INTO censor_image (url, job_id, created_at) VALUES ('http://x/y.jpg', 'j', 1687190400)",
    "INSERT INTO stats_single_live (live_id, biz_id, user_id, type, count) VALUES \
     ('1670000000000000001', '', 'alice', 1, 3), ('1670000000000000001', NULL, 'alice', 1, 4)",
    "INSERT INTO live_gift (biz_id, live_id, user_id, anchor_id, gift_id, amount) VALUES \
     ('1', '1670000000000000001', 'alice', 'Bob', 1, 10)",
    "INSERT INTO live_like_flush (id, last_update_time) VALUES (1, 1687190400)",
];

/// A database as the old server made it, with rows.
pub async fn old() -> TestDatabase {
    let database = TestDatabase::create().await;
    let mut conn = database.mysql().await;
    for (name, columns) in TABLES {
        let sql = format!("CREATE TABLE `{name}` ({columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");
        conn.execute(AssertSqlSafe(sql)).await.expect(name);
    }
    for sql in ROWS {
        conn.execute(sql).await.expect(sql);
    }
    database
}

/// The checksum over all rows of each old table, of the columns that it had when it was old.
async fn checksums(db: &Db) -> BTreeMap<&'static str, String> {
    let mut sums = BTreeMap::new();
    for (name, definition) in TABLES {
        let parts = definition.split(", ").map(str::trim).filter(|part| part.starts_with('`'));
        let columns = parts.map(|part| format!("COALESCE(HEX({}), 'null')", part.split(' ').next().unwrap()));
        let row = columns.collect::<Vec<_>>().join(", ");
        let sql =
            format!("SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS(',', {row}))), 0) AS CHAR) FROM `{name}`");
        let asked = Statement::from_string(db.dialect().backend(), sql);
        let row = db.writer().query_one_raw(asked).await.unwrap().unwrap();
        sums.insert(name, row.try_get_by_index(0).unwrap());
    }
    sums
}

/// Name, type, nullability and default of each column of the old tables.
async fn columns(db: &Db) -> Vec<[String; 5]> {
    let sql = "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR), CAST(column_type AS CHAR), \
               CAST(is_nullable AS CHAR), CAST(COALESCE(column_default, '-') AS CHAR) FROM information_schema.columns \
               WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position";
    let asked = Statement::from_string(db.dialect().backend(), sql);
    let rows = db.writer().query_all_raw(asked).await.unwrap();
    rows.iter()
        .map(|row| [0, 1, 2, 3, 4].map(|index| row.try_get_by_index::<String>(index).unwrap()))
        .filter(|[table, ..]| TABLES.iter().any(|(name, _)| name == table))
        .collect()
}

#[tokio::test]
async fn rows_are_unchanged_and_the_server_reads_them() {
    let database = old().await;
    let db = database.connect().await;
    let before = checksums(&db).await;
    db.migrate().await.unwrap();
    assert_eq!(checksums(&db).await, before);
    read_all(db.writer()).await;

    let user = live_users::Entity::find().filter(live_users::Column::UserId.eq("Bob")).one(db.writer()).await;
    let user = user.unwrap().unwrap();
    assert_eq!(user.nick.as_deref(), Some("\u{9c8d}\u{52c3} \u{1f600}"));
    assert_eq!(user.extends, Some(serde_json::json!({"vip": "1"})));
    // Written in Shanghai, eight hours ahead.
    let made = db.instant(user.created_at.unwrap());
    assert_eq!(made.to_rfc3339(), "2023-06-19T15:59:59+00:00");
    let room = live_entities::Entity::find().one(db.reader()).await.unwrap().unwrap();
    assert_eq!(room.chat_id, Some(9_007_199_254_740_991));
    let members = live_room_user_entities::Entity::find().order_by_asc(live_room_user_entities::Column::Id);
    let statuses: Vec<_> = members.all(db.writer()).await.unwrap().iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Some(1), Some(2), Some(1)], "doubled memberships stay");
    let log = operation_log::Entity::find().one(db.writer()).await.unwrap().unwrap();
    assert_eq!(log.created_at.unwrap().naive().to_string(), "2023-06-19 12:00:00");
}

#[tokio::test]
async fn an_old_table_keeps_its_collation_and_a_new_one_compares_bytes() {
    let database = old().await;
    let db = database.migrated().await;
    let found = "SELECT COUNT(*) FROM live_users WHERE user_id = 'bOB'";
    assert_eq!(number(db.writer(), found).await, 1);
    let fresh = TestDatabase::create().await;
    let empty = fresh.migrated().await;
    empty.writer().execute_unprepared("INSERT INTO live_users (user_id) VALUES ('Bob')").await.unwrap();
    assert_eq!(number(empty.writer(), found).await, 0);
}

#[tokio::test]
async fn an_empty_database_gets_the_columns_that_an_old_one_has() {
    let adopted = old().await.migrated_and_kept().await;
    let fresh = TestDatabase::create().await;
    let empty = fresh.migrated().await;
    let (old, new) = (columns(&adopted.1).await, columns(&empty).await);
    assert!(old.len() > TABLES.len(), "the tables have columns");
    assert_eq!(old, new);
}

impl TestDatabase {
    async fn migrated_and_kept(self) -> (Self, Db) {
        let db = self.migrated().await;
        (self, db)
    }
}

#[tokio::test]
async fn an_older_database_gets_the_columns_and_indexes_that_it_lacks() {
    let database = old().await;
    let mut conn = database.mysql().await;
    for sql in [
        "ALTER TABLE live_entities DROP COLUMN stop_reason, DROP COLUMN last_censor_time",
        "ALTER TABLE live_mic_entities DROP KEY idx_user",
        "ALTER TABLE live_users DROP KEY user_id",
        "INSERT INTO live_users (user_id) VALUES ('bob')",
        "DROP TABLE live_like",
    ] {
        conn.execute(sql).await.expect(sql);
    }
    let db = database.migrated().await;
    read_all(db.writer()).await;
    let index = |name: &str| {
        format!(
            "SELECT COUNT(*) FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND seq_in_index = 1 AND index_name = '{name}'"
        )
    };
    assert_eq!(number(db.writer(), &index("idx_status_heart_beat")).await, 1);
    assert_eq!(number(db.writer(), &index("live_user")).await, 1, "of the table that was missing");
    assert_eq!(number(db.writer(), &index("user_id")).await, 0, "its rows are not unique any more");
    assert_eq!(number(db.writer(), "SELECT COUNT(*) FROM live_users").await, 4);
    // idx_user of the microphone seats is back, besides those of two other tables.
    assert_eq!(number(db.writer(), &index("idx_user")).await, 3);
}

#[tokio::test]
async fn two_nodes_may_adopt_at_once() {
    let database = old().await;
    let nodes = [database.connect().await, database.connect().await];
    let before = checksums(&nodes[0]).await;
    let (one, other) = tokio::join!(nodes[0].migrate(), nodes[1].migrate());
    assert_eq!(one.unwrap().len() + other.unwrap().len(), super::steps());
    assert_eq!(checksums(&nodes[1]).await, before);
}

#[tokio::test]
async fn an_embedded_database_has_the_same_columns() {
    let fresh = TestDatabase::create().await;
    let mysql = fresh.migrated().await;
    let database = Backend::Sqlite.database().await;
    let embedded = database.migrated().await;
    for [table, column, ..] in columns(&mysql).await {
        let sql = format!("SELECT COUNT(*) FROM pragma_table_info('{table}') WHERE name = '{column}'");
        assert_eq!(number(embedded.writer(), &sql).await, 1, "{table}.{column}");
    }
}
