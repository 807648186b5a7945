//! Commands that work on what is there: they change no tables, and say when somebody has to.

use std::fs;
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

/// Runs a command in a folder, without a configuration.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    binary(arguments).current_dir(folder).env_remove("LIVELOOM_ADMIN_PASSWORD").output().unwrap()
}

#[test]
fn without_a_configuration_they_look_for_a_servers_data_and_make_none() {
    let folder = tempfile::tempdir().unwrap();
    let further: [&[&str]; 3] = [&["token", "--user", "alice"], &["migrate"], &["migrate", "--dry-run"]];
    for command in COMMANDS.iter().chain(&further) {
        let output = run_in(folder.path(), command);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{command:?}: {output:?}");
        let told = "liveloom: there is no server's data in ./data: name its configuration by --config\n";
        assert_eq!(said(&output), told, "{command:?}");
    }
    let output = run_in(folder.path(), &["backup", "copy"]);
    assert!(
        said(&output).contains("there is no database at ./data/liveloom.db: name the server's configuration")
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something was made");
}

#[tokio::test]
async fn a_dry_run_of_a_migration_makes_no_database() {
    let setup = Setup::new(Backend::Embedded).await;
    let (config, overlay) = setup.write();
    let output = run(&["migrate", "--dry-run"], (&config, &overlay));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("there is no database at"), "{}", said(&output));
    assert!(!setup.database().data_dir().join(store::db::SQLITE_FILE).exists());
}

#[test]
fn without_a_command_the_help_is_shown_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("Usage: liveloom <COMMAND>"), "{}", said(&output));
    assert!(said(&output).contains("liveloom serve --config config.yaml"), "{}", said(&output));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_address_that_is_none_is_told_of_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), &["serve", "--addr", "foo"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = said(&output);
    assert!(said.contains("'foo' for '--addr <HOST:PORT>': not an address to listen on"), "{said}");
    assert!(!said.contains("LIVELOOM__"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_help_tells_of_defaults_and_of_all_failed() {
    let folder = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| {
        let output = run_in(folder.path(), arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(help(&["callbacks", "--help"]).contains("or with --all-failed every one"));
    for command in ["resolve", "refund"] {
        assert!(
            help(&["gifts", command, "--help"]).contains("SUDO_USER, else USER, else LOGNAME"),
            "{command}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_does_not_come_is_told_as_that() {
    let setup = Setup::new(Backend::Embedded).await.with("auth: {jwt_key: jwtkey}");
    setup.database().migrated().await.close().await;
    let (config, overlay) = setup.write();
    for password in [None, Some("")] {
        let mut command = binary(&["admin", "create", "--name", "root", "--config"]);
        command.arg(&config).arg("-e").arg(&overlay).env_remove("LIVELOOM_ADMIN_PASSWORD");
        command.envs(password.map(|password| ("LIVELOOM_ADMIN_PASSWORD", password)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said(&output).contains("no password came"), "{}", said(&output));
        assert!(
            !said(&output).contains("auth.jwt_key"),
            "weak secrets are the server's to tell: {}",
            said(&output)
        );
    }
}
