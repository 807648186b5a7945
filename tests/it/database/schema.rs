//! The schema steps on an empty database: complete, repeatable, and safe side by side.

use migrations::statements;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait};
use store::db::StoreError;
use store::entity as tables;

use super::{Backend, number, steps};

/// Reads a row of each table: every column of every entity has to be there.
pub async fn read_all(conn: &impl ConnectionTrait) {
    macro_rules! read {
        ($($table:ident)*) => {
            $(tables::$table::Entity::find().one(conn).await.expect(stringify!($table));)*
        };
    }
    read!(
        admin_ended_token admin_revocation admin_user callback_delivery censor_config censor_image event_log gift_config id_sequence item_demonstrate
        item_demonstrate_log items leader_lease live_censor live_entities live_gift live_like
        live_like_flush live_mic_entities live_room_user_entities live_users node_registry
        operation_log relay_sessions replica_heartbeat room_lane stats_single_live stream_session
    );
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn an_empty_database_gets_every_table_once(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.connect().await;
    let missing = db.pending_migrations().await.unwrap();
    assert_eq!(missing.len(), steps());
    assert_eq!(db.migrate().await.unwrap(), missing);
    read_all(db.writer()).await;
    read_all(db.reader()).await;
    assert!(db.pending_migrations().await.unwrap().is_empty());
    assert!(db.migrate().await.unwrap().is_empty());
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn steps_that_were_interrupted_are_finished(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    // As if the records of the steps, a column and an index had never been written.
    let index = match backend {
        Backend::MySql => "DROP INDEX idx_im_userid ON live_users",
        Backend::Sqlite => "DROP INDEX live_users_idx_im_userid",
    };
    for sql in ["DELETE FROM seaql_migrations", "ALTER TABLE node_registry DROP COLUMN version", index] {
        db.writer().execute_unprepared(sql).await.unwrap();
    }
    assert_eq!(db.migrate().await.unwrap().len(), steps());
    read_all(db.writer()).await;
    let found = match backend {
        Backend::MySql => {
            "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() \
             AND table_name = 'live_users' AND index_name = 'idx_im_userid'"
        }
        Backend::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name = 'live_users_idx_im_userid'",
    };
    assert_eq!(number(db.writer(), found).await, 1);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn steps_of_a_newer_version_are_left_alone(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.connect().await;
    db.migrate().await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_newer', 1)";
    db.writer().execute_unprepared(newer).await.unwrap();
    db.writer()
        .execute_unprepared("DELETE FROM seaql_migrations WHERE version LIKE '%_room_lane'")
        .await
        .unwrap();
    assert_eq!(db.migrate().await.unwrap(), ["m20260101_000020_room_lane"]);
    assert_eq!(
        number(db.writer(), "SELECT COUNT(*) FROM seaql_migrations").await,
        i64::try_from(steps()).unwrap() + 1
    );
}

#[tokio::test]
async fn several_nodes_may_migrate_at_once() {
    let database = Backend::MySql.database().await;
    let nodes = [database.connect().await, database.connect().await, database.connect().await];
    let (first, second, third) = tokio::join!(nodes[0].migrate(), nodes[1].migrate(), nodes[2].migrate());
    let mut applied = [first.unwrap().len(), second.unwrap().len(), third.unwrap().len()];
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, steps()], "one node did all the work");
    read_all(nodes[1].writer()).await;
}

#[tokio::test]
async fn an_embedded_database_may_be_migrated_from_two_tasks() {
    let database = Backend::Sqlite.database().await;
    let db = database.connect().await;
    let (one, other) = tokio::join!(db.migrate(), db.migrate());
    assert_eq!(one.unwrap().len() + other.unwrap().len(), steps());
    read_all(db.writer()).await;
}

#[tokio::test]
async fn a_data_directory_belongs_to_one_process() {
    let database = Backend::Sqlite.database().await;
    let db = database.connect().await;
    let second = database.open(&database.config()).await;
    let Err(StoreError::InUse { path }) = second else { panic!("refused, not {second:?}") };
    assert_eq!(path, database.data_dir());
    let clone = db.clone();
    db.close().await;
    database.connect().await.close().await;
    drop(clone);
}

#[test]
fn the_ddl_is_understood_by_mysql_8_too() {
    let sent = statements(DbBackend::MySql);
    assert!(sent.len() > 200, "{}", sent.len());
    // What MariaDB has and MySQL has not, or the other way round.
    let foreign = [
        "if not exists",
        "or replace",
        "returning",
        "sequence ",
        "uuid",
        "inet6",
        "invisible",
        "period ",
        "system ",
        "virtual",
        "persistent ",
        "page_compressed",
        "transactional",
        "aria",
        "without",
        "check ",
        "::",
        "||",
    ];
    for sql in &sent {
        let quoted: Vec<&str> = sql.split('`').step_by(2).collect();
        let words = quoted.join(" ").to_lowercase();
        for word in foreign {
            assert!(!words.contains(word), "{word:?} in {sql}");
        }
        let [first, second, ..] = words.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{sql}") };
        let known = [("create", "table"), ("create", "index"), ("create", "unique"), ("alter", "table")];
        assert!(known.contains(&(first, second)), "{sql}");
    }
}

#[test]
fn new_tables_compare_text_by_bytes() {
    let created = statements(DbBackend::MySql).into_iter().filter(|sql| sql.starts_with("CREATE TABLE"));
    let (exact, other): (Vec<_>, Vec<_>) = created.partition(|sql| sql.ends_with("COLLATE=utf8mb4_bin"));
    assert!(!exact.is_empty());
    assert_eq!(other, Vec::<String>::new());
}
