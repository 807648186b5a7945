//! Commands that work on what is there: they change no tables, and say when somebody has to.

use std::path::Path;
use std::process::Output;

use rstest::rstest;

use crate::support::server::{Backend, Setup, binary};

const COMMANDS: [&[&str]; 8] = [
    &["gifts", "list"],
    &["gifts", "export"],
    &["gifts", "resolve", "1", "paid", "--operator", "o"],
    &["gifts", "refund", "1", "--reason", "r", "--operator", "o"],
    &["callbacks", "list"],
    &["callbacks", "retry", "evt_1_1"],
    &["callbacks", "retry", "--all-failed"],
    &["admin", "create", "--name", "root"],
];

fn run(arguments: &[&str], (config, overlay): (&Path, &Path)) -> Output {
    let mut command = binary(arguments);
    command.arg("--config").arg(config).arg("-e").arg(overlay);
    command.env("LIVELOOM_ADMIN_PASSWORD", "correct horse battery staple").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_ask_for_a_migration_and_make_none(#[case] backend: Backend) {
    let setup = Setup::new(backend).await;
    let database = setup.database();
    // A file, or a schema, without tables.
    database.connect().await.close().await;
    let (config, overlay) = setup.write();
    let files = (config.as_path(), overlay.as_path());
    let tables = match backend {
        Backend::Embedded => "SELECT name FROM sqlite_master",
        Backend::Redis | Backend::RedisCluster => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
    };
    for command in COMMANDS {
        let output = run(command, files);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
        assert!(said(&output).contains("run `liveloom migrate`"), "{command:?}: {}", said(&output));
        assert_eq!(database.rows(tables).await, Vec::<Vec<_>>::new(), "{command:?} made tables");
    }
    assert!(run(&["migrate"], files).status.success());
    for command in [["gifts", "list"], ["gifts", "export"], ["callbacks", "list"]] {
        let output = run(&command, files);
        assert!(output.status.success(), "{command:?}: {}", said(&output));
    }
    let created = run(&["admin", "create", "--name", "root"], files);
    assert!(created.status.success(), "{}", said(&created));
}

#[tokio::test]
async fn where_there_is_no_database_none_is_made() {
    let setup = Setup::new(Backend::Embedded).await;
    let (config, overlay) = setup.write();
    for command in COMMANDS {
        let output = run(command, (&config, &overlay));
        assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
        assert!(said(&output).contains("there is no database at"), "{command:?}: {}", said(&output));
    }
    assert!(!setup.database().data_dir().join(store::db::SQLITE_FILE).exists());
}
