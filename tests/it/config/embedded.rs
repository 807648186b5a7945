//! A start without a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use config::{CacheConfig, Config, Environment, ImConfig, Problem, SecurityType};

#[test]
fn keys_are_made_once_and_kept_private() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a/data");
    let first = Config::embedded(&data, &Environment::new()).unwrap();
    let second = Config::embedded(&data, &Environment::new()).unwrap();
    assert_eq!(first.config, second.config);
    assert!(first.warnings.is_empty() && second.warnings.is_empty(), "{:?}", second.warnings);
    let other = Config::embedded(&dir.path().join("b"), &Environment::new()).unwrap();
    assert_ne!(first.config.auth.jwt_keys, other.config.auth.jwt_keys);
    assert_ne!(first.config.auth.server.secret_key, other.config.auth.server.secret_key);
    let mode = |name: &str| fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("keys.yaml"), mode(".")), (0o600, 0o700));
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left");
}

#[test]
fn two_first_starts_at_once_use_the_same_keys() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Config::embedded(dir.path(), &Environment::new()).unwrap().config;
    let configs: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(configs.iter().all(|config| *config == configs[0]));
}

#[test]
fn it_runs_alone_with_a_media_server_of_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::embedded(dir.path(), &Environment::new()).unwrap().config;
    assert_eq!((config.cache, config.im), (CacheConfig::Memory, ImConfig::Builtin));
    assert!(config.mysql.databases.is_empty());
    assert_eq!((config.node.node_id, config.node.data_dir.as_path()), (1, dir.path()));
    assert_eq!(config.httpq.addr, "127.0.0.1:8099");
    assert_eq!(config.pili.security_type, SecurityType::Expiry);
    assert!(!config.pili.publish_key.is_empty());
    let stream = format!("{}/{}/{}", config.pili.publish_url, config.pili.hub, config.pili.stream_pattern);
    assert_eq!(stream, "rtmp://127.0.0.1:1935/live/%s");
    assert_eq!(config.pili.hls_play_url, "http://127.0.0.1:8080/hls");
}

#[test]
fn the_environment_wins_and_may_move_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let moved = dir.path().join("moved");
    let env = Environment::from([
        ("LIVELOOM__NODE__DATA_DIR".to_owned(), moved.display().to_string()),
        ("LIVELOOM__HTTPQ__ADDR".to_owned(), "127.0.0.1:0".to_owned()),
    ]);
    let config = Config::embedded(dir.path(), &env).unwrap().config;
    assert_eq!((config.node.data_dir, config.httpq.addr.as_str()), (moved.clone(), "127.0.0.1:0"));
    assert!(moved.join("keys.yaml").exists() && !dir.path().join("keys.yaml").exists());
}

#[test]
fn readable_keys_are_warned_of_and_unusable_ones_named() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys.yaml");
    Config::embedded(dir.path(), &Environment::new()).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = Config::embedded(dir.path(), &Environment::new()).unwrap().warnings;
    assert!(warnings[0].to_string().contains("keys.yaml: can be read by other users"), "{warnings:?}");

    fs::write(&keys, "auth: {jwt_key: k}\n").unwrap();
    let problems = Config::embedded(dir.path(), &Environment::new()).unwrap_err().to_string();
    assert!(problems.contains("keys.yaml:1: auth.server.secret_key: is required"), "{problems}");
    fs::remove_file(&keys).unwrap();
    fs::create_dir(&keys).unwrap();
    let problems = Config::embedded(dir.path(), &Environment::new()).unwrap_err().to_string();
    assert!(problems.contains("keys.yaml: cannot keep the generated keys here"), "{problems}");
}

#[test]
fn its_demo_room_is_meant_and_one_that_was_written_is_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let addr = ("LIVELOOM__HTTPQ__ADDR".to_owned(), ":8099".to_owned());
    let demo = ("LIVELOOM__DEMO__ENABLE".to_owned(), "true".to_owned());
    let warnings = |env: &[(String, String)]| {
        Config::embedded(dir.path(), &env.iter().cloned().collect()).unwrap().warnings
    };
    assert_eq!(warnings(std::slice::from_ref(&addr)), []);
    let warned = warnings(&[addr, demo]);
    assert_eq!(warned.iter().map(Problem::key).collect::<Vec<_>>(), ["demo.enable"]);
}
