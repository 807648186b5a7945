//! `liveloom backup`: a copy of embedded mode's data while the server runs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::server::{Backend, Setup, binary};
use crate::support::wait::wait_until;

const FILE: &str = "liveloom.db";

/// Rooms that were asked for and rooms that were acknowledged, by title.
#[derive(Clone, Default)]
struct Rooms {
    asked: Arc<Mutex<BTreeSet<String>>>,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
}

impl Rooms {
    /// Creates rooms until the task is aborted.
    async fn create(self, client: Client, caller: usize) {
        for number in 0.. {
            let title = format!("room-{caller}-{number}");
            self.asked.lock().unwrap().insert(title.clone());
            let room = json!({"title": title, "anchor_id": format!("anchor-{caller}-{number}")});
            let users = json!([{"user_id": room["anchor_id"], "nick": title}]);
            client.post("/server/user/register/batch", users).await.data();
            client.post("/server/live", room).await.data();
            self.acknowledged.lock().unwrap().insert(title);
        }
    }
}

fn backup(arguments: &[&str], folder: &Path) -> Output {
    binary(&["backup"]).args(arguments).arg(folder).output().unwrap()
}

/// The one line that says what was wrong.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    // The short keys of the tests are warned of as well.
    let reasons = text.lines().filter(|line| !line.starts_with("warning: ")).count();
    assert_eq!(reasons, 1, "{text}");
    text
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_over_the_copy_has_what_was_acknowledged_before() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let rooms = Rooms::default();
    let callers: Vec<_> =
        (0..3).map(|caller| tokio::spawn(rooms.clone().create(server.client(), caller))).collect();
    wait_until("rooms are created", Duration::from_secs(60), async || {
        rooms.acknowledged.lock().unwrap().len() >= 30
    })
    .await;

    let before = rooms.acknowledged.lock().unwrap().clone();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("copy");
    let config = server.config().to_str().unwrap().to_owned();
    let output = tokio::task::spawn_blocking({
        let folder = folder.clone();
        move || backup(&["--config", &config], &folder)
    });
    let output = output.await.unwrap();
    let asked = rooms.asked.lock().unwrap().clone();
    let during = rooms.acknowledged.lock().unwrap().len() - before.len();
    assert!(output.status.success(), "{output:?}");
    assert!(during > 0, "nothing was written meanwhile");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("copy: liveloom.db (") && told.contains("not in it: "), "{told}");
    callers.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!((names(out.path()), names(&folder)), (vec!["copy".to_owned()], vec![FILE.to_owned()]));
    assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));

    let database = TestDatabase::embedded();
    fs::copy(folder.join(FILE), database.data_dir().join(FILE)).unwrap();
    let copy = Setup::over(Backend::Embedded, database).start().await;
    let found = copy.database().rows("SELECT title FROM live_entities").await;
    let found: BTreeSet<String> = found.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert!(found.is_superset(&before), "lost: {:?}", before.difference(&found).collect::<Vec<_>>());
    assert!(found.is_subset(&asked));
    let halves = "SELECT e.live_id FROM live_entities e LEFT JOIN event_log l ON l.live_id = e.live_id \
                  WHERE l.seq IS NULL";
    assert_eq!(copy.database().rows(halves).await, Vec::<Vec<Option<String>>>::new());
    let new = copy.client_of("after").await.go_live("after").await;
    assert_ne!(new["live_id"], Value::Null, "it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_the_first_password_are_copied_without_a_configuration() {
    let database = TestDatabase::embedded();
    database.migrated().await.close().await;
    let (data, out) = (database.data_dir(), tempfile::tempdir().unwrap());
    fs::write(data.join("keys.yaml"), "the keys").unwrap();
    fs::write(data.join("admin-password"), "the password").unwrap();
    let folder = out.path().join("copy");
    fs::create_dir(&folder).unwrap();
    let output = binary(&["backup"]).arg(&folder).env("LIVELOOM__NODE__DATA_DIR", data).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names(&folder), ["admin-password", "keys.yaml", FILE]);
    assert_eq!(fs::read_to_string(folder.join("keys.yaml")).unwrap(), "the keys");
    assert_eq!(mode(&folder.join("keys.yaml")), 0o600);
    assert_eq!(mode(&folder.join("admin-password")), 0o600);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("keys.yaml (8 bytes), admin-password (12 bytes)"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_one_line_and_leave_nothing_behind() {
    let (database, out) = (TestDatabase::embedded(), tempfile::tempdir().unwrap());
    let (data, folder) = (database.data_dir(), out.path().join("copy"));
    let run = |folder: &Path| {
        binary(&["backup"]).arg(folder).env("LIVELOOM__NODE__DATA_DIR", data).output().unwrap()
    };
    assert!(refused(&run(&folder)).contains("there is no database at"));
    assert!(names(data).is_empty(), "nothing is made where there is nothing");

    fs::write(data.join(FILE), "no database at all, ".repeat(1000)).unwrap();
    assert!(refused(&run(&folder)).contains("file is not a database"));
    fs::remove_file(data.join(FILE)).unwrap();

    database.migrated().await.close().await;
    assert!(refused(&run(&out.path().join("none/copy"))).contains("cannot make a folder in"));
    assert!(refused(&run(Path::new("/"))).contains("not empty"));
    assert!(names(out.path()).is_empty());

    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "precious").unwrap();
    assert!(refused(&run(&folder)).contains("is not empty: name a new folder"));
    assert_eq!((names(out.path()), names(&folder)), (vec!["copy".to_owned()], vec!["mine".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_nothing_behind() {
    let (database, out) = (TestDatabase::embedded(), tempfile::tempdir().unwrap());
    database.migrated().await.close().await;
    // Files may not grow beyond a few blocks, as if the disk were full.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" backup \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_liveloom")]).arg(out.path().join("copy"));
    let output = command.env("LIVELOOM__NODE__DATA_DIR", database.data_dir()).output().unwrap();
    let told = refused(&output);
    assert!(told.contains("cannot copy") && told.contains("disk"), "{told}");
    assert!(names(out.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mysql_is_left_to_mysqldump() {
    let setup = Setup::new(Backend::Redis).await;
    let (config, _) = setup.write();
    let out = tempfile::tempdir().unwrap();
    let told = refused(&backup(&["--config", config.to_str().unwrap()], &out.path().join("copy")));
    assert!(told.contains("mysqldump") && told.contains("docs/operations.md"), "{told}");
    assert!(names(out.path()).is_empty());
}
