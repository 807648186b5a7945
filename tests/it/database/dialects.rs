//! What differs between the databases, and must not be noticed.

use std::num::NonZeroI64;

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Statement};
use store::db::{Added, Db, Dialect, StoreError, UpsertAdd, escape_like, upsert_add};
use store::entity::{live_entities, live_users, operation_log, stats_single_live, stream_session};

use super::{Backend, number};

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn times_are_stored_as_wall_clock_text_in_whole_seconds(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    let at = instant("2026-01-02T18:04:05.987654Z");
    let row = stream_session::ActiveModel {
        live_id: Set("1".to_owned()),
        session: Set("s".to_owned()),
        up: Set(true),
        since: Set(db.wall(at)),
        others: Set(None),
    };
    stream_session::Entity::insert(row).exec_without_returning(db.writer()).await.unwrap();
    let text = match db.dialect() {
        Dialect::MySql => "SELECT CAST(since AS CHAR) AS text FROM stream_session",
        Dialect::Sqlite => "SELECT since AS text FROM stream_session WHERE typeof(since) = 'text'",
    };
    let row = db.writer().query_one_raw(Statement::from_string(db.dialect().backend(), text)).await;
    let text: String = row.unwrap().unwrap().try_get("", "text").unwrap();
    assert_eq!(text, "2026-01-03 02:04:05");
    let read = stream_session::Entity::find().one(db.reader()).await.unwrap().unwrap();
    assert!(read.up);
    assert_eq!(db.instant(read.since), instant("2026-01-02T18:04:05Z"));
    let later = db.wall(at + TimeDelta::seconds(1));
    let found = stream_session::Entity::find()
        .filter(sea_orm::ColumnTrait::lt(&stream_session::Column::Since, later))
        .one(db.reader())
        .await
        .unwrap();
    assert!(found.is_some(), "compares as a time");
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn rows_are_written_and_read_alike(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    let user = live_users::ActiveModel {
        user_id: Set(Some("u".to_owned())),
        nick: Set(Some("\u{1f3a4} \u{6b4c}".to_owned())),
        extends: Set(Some(serde_json::json!({"k": "\u{503c}"}))),
        im_userid: Set(Some(9_007_199_254_740_991)),
        created_at: Set(Some(db.wall_now())),
        ..Default::default()
    };
    let made = user.clone().insert(db.writer()).await.unwrap();
    let read = live_users::Entity::find_by_id(made.id).one(db.reader()).await.unwrap().unwrap();
    assert_eq!(read, made);
    assert_eq!(read.extends, Some(serde_json::json!({"k": "\u{503c}"})));
    assert_eq!(read.avatar, None);
    // The one TIMESTAMP column.
    let at = db.wall(instant("2026-03-04T05:06:07Z"));
    let log = operation_log::ActiveModel { created_at: Set(Some(at)), ..Default::default() };
    operation_log::Entity::insert(log).exec_without_returning(db.writer()).await.unwrap();
    let log = operation_log::Entity::find().one(db.reader()).await.unwrap().unwrap();
    assert_eq!((log.created_at, log.status_code), (Some(at), 0));
    let again = StoreError::from(user.insert(db.writer()).await.unwrap_err());
    assert!(matches!(again, StoreError::Duplicate { .. }), "{again:?}");
    let unknown = StoreError::from(db.writer().execute_unprepared("SELECT nonsense").await.unwrap_err());
    assert!(matches!(unknown, StoreError::Database(_)), "{unknown:?}");
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn the_databases_clock_is_this_machines(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.connect().await;
    let before = Utc::now().timestamp_millis();
    let told = db.now_ms(db.writer()).await.unwrap();
    let after = Utc::now().timestamp_millis();
    assert!((before - 2..=after + 2).contains(&told), "{before} {told} {after}");
}

fn views(by: i64) -> UpsertAdd<'static> {
    UpsertAdd {
        table: "stats_single_live",
        key: vec![
            ("type", 1.into()),
            ("live_id", "room".into()),
            ("user_id", "u".into()),
            ("biz_id", String::new().into()),
        ],
        counter: "count",
        by: NonZeroI64::new(by).unwrap(),
        set: vec![],
    }
}

async fn add_in_transaction(db: &Db, by: i64) -> Result<Added, StoreError> {
    db.transaction(|tx| Box::pin(async move { upsert_add(tx, views(by)).await })).await
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn counts_are_inserted_once_and_then_added_to(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    assert_eq!(upsert_add(db.writer(), views(2)).await.unwrap(), Added::Inserted);
    assert_eq!(upsert_add(db.writer(), views(3)).await.unwrap(), Added::Increased);
    assert_eq!(upsert_add(db.writer(), views(-1)).await.unwrap(), Added::Increased);
    let mut timed = views(1);
    timed.set.push(("updated_at", db.wall(instant("2026-01-02T00:00:00Z")).into()));
    assert_eq!(upsert_add(db.writer(), timed).await.unwrap(), Added::Increased);
    let row = stats_single_live::Entity::find().one(db.writer()).await.unwrap().unwrap();
    assert_eq!((row.kind, row.count), (Some(1), Some(5)));
    assert_eq!(row.updated_at.map(|at| db.instant(at)), Some(instant("2026-01-02T00:00:00Z")));
    let adding: Vec<_> = (0..12).map(|_| add_in_transaction(&db, 1)).collect();
    for added in futures_util::future::join_all(adding).await {
        assert_eq!(added.unwrap(), Added::Increased);
    }
    assert_eq!(number(db.writer(), "SELECT count FROM stats_single_live").await, 17);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn a_search_by_prefix_takes_its_text_literally(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    let titles =
        ["100% fun", "100 fun", "a_b", "axb", r"c:\d", "c:d", "ABC", "it's \u{4f60}\u{597d}", "x|y", "xy"];
    for title in titles {
        let row = live_entities::ActiveModel { title: Set(Some(title.to_owned())), ..Default::default() };
        live_entities::Entity::insert(row).exec_without_returning(db.writer()).await.unwrap();
    }
    let found = async |prefix: &str| -> Result<Vec<String>, DbErr> {
        let matching = live_entities::Entity::find()
            .filter(db.dialect().starts_with(live_entities::Column::Title, prefix));
        let rows = matching.order_by_asc(live_entities::Column::Id).all(db.reader()).await?;
        Ok(rows.into_iter().filter_map(|row| row.title).collect())
    };
    assert_eq!(found("100%").await.unwrap(), ["100% fun"]);
    assert_eq!(found("a_").await.unwrap(), ["a_b"]);
    assert_eq!(found(r"c:\").await.unwrap(), [r"c:\d"]);
    assert_eq!(found("it's \u{4f60}").await.unwrap(), ["it's \u{4f60}\u{597d}"]);
    assert_eq!(found("abc").await.unwrap(), Vec::<String>::new(), "upper and lower case differ");
    assert_eq!(found("").await.unwrap(), titles);
    assert_eq!(found("x|").await.unwrap(), ["x|y"]);
    assert_eq!(escape_like(r"a%b_c\d|e"), r"a|%b|_c\d||e");
}

#[tokio::test]
async fn a_mysql_session_has_our_sql_mode_and_the_servers_time_zone() {
    let database = Backend::MySql.database().await;
    let db = database.connect().await;
    let ours = "SELECT @@session.sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' \
                AND @@session.time_zone = @@global.time_zone";
    assert_eq!(number(db.writer(), ours).await, 1);
    let committed =
        "SELECT @@session.tx_isolation = 'READ-COMMITTED' AND @@session.character_set_client = 'utf8mb4'";
    assert_eq!(number(db.writer(), committed).await, 1);
}

#[tokio::test]
async fn a_statement_costs_one_question_and_no_ping() {
    let database = Backend::MySql.database().await;
    let mut mysql = database.config();
    mysql.databases[0].max_open_conns = 1;
    let db = database.open(&mysql).await.unwrap();
    let counted = async || {
        let sql = "SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.session_status \
                   WHERE variable_name IN ('QUESTIONS', 'COM_ADMIN_COMMANDS')";
        number(db.writer(), sql).await
    };
    counted().await;
    let before = counted().await;
    for _ in 0..10 {
        number(db.writer(), "SELECT 1").await;
    }
    assert_eq!(counted().await - before, 11, "ten statements and the question itself");
}

#[tokio::test]
async fn an_embedded_file_is_its_owners_alone() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    let database = Backend::Sqlite.database().await;
    let file = |suffix: &str| database.data_dir().join(format!("{}{suffix}", store::db::SQLITE_FILE));
    let modes = || {
        ["", "-wal", "-shm"]
            .map(|suffix| fs::metadata(file(suffix)).ok().map(|found| found.permissions().mode() & 0o777))
    };
    let db = database.migrated().await;
    db.writer().execute_unprepared("INSERT INTO id_sequence VALUES ('a', 1)").await.unwrap();
    assert_eq!(modes(), [Some(0o600); 3], "a new one");
    // As a former version left them, which was killed.
    for suffix in ["", "-wal", "-shm"] {
        fs::set_permissions(file(suffix), Permissions::from_mode(0o644)).unwrap();
    }
    let kept = ["-wal", "-shm"].map(|suffix| fs::read(file(suffix)).unwrap());
    db.close().await;
    for (suffix, bytes) in ["-wal", "-shm"].iter().zip(kept) {
        fs::write(file(suffix), bytes).unwrap();
        fs::set_permissions(file(suffix), Permissions::from_mode(0o644)).unwrap();
    }
    let db = database.connect().await;
    db.ping().await.unwrap();
    assert!(modes().into_iter().flatten().all(|mode| mode == 0o600), "{:?}", modes());
    assert_eq!(number(db.writer(), "SELECT COUNT(*) FROM id_sequence").await, 1);
}

#[tokio::test]
async fn an_embedded_file_is_durable_and_read_beside_a_writer() {
    let database = Backend::Sqlite.database().await;
    let db = database.migrated().await;
    assert_eq!(number(db.writer(), "PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(number(db.writer(), "PRAGMA foreign_keys").await, 0);
    let mode = Statement::from_string(db.dialect().backend(), "PRAGMA journal_mode");
    let mode: String = db.writer().query_one_raw(mode).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(mode, "wal");
    let inside: i64 = db
        .transaction(|tx| {
            let db = db.clone();
            Box::pin(async move {
                tx.execute_unprepared("INSERT INTO id_sequence VALUES ('a', 1)").await?;
                // Somebody else: who holds a transaction asks through it alone.
                let asked = async move { number(db.reader(), "SELECT COUNT(*) FROM id_sequence").await };
                Ok::<_, StoreError>(tokio::spawn(asked).await.unwrap())
            })
        })
        .await
        .unwrap();
    assert_eq!(inside, 0, "a reader neither waits nor sees what is not committed");
    db.reader().execute_unprepared("DELETE FROM id_sequence").await.expect_err("a reader cannot write");
}
