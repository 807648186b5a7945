//! `docker-compose.yml` and what it mounts.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use serde_yaml::Value;

use super::{STOP_S, check_config, example, keys, path, references, said, text, texts};

/// The variables of single nodes.
const OWN: [&str; 1] = ["LIVELOOM__NODE__NODE_ID"];

/// The file as docker-compose reads it, with the variables of `.env.example` only, its first part filled in.
fn read() -> Value {
    serde_yaml::from_str(&said("docker-compose config", compose(&filled_in()))).unwrap()
}

/// What docker-compose says of the file with such a `.env`.
fn compose(variables: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("env");
    fs::write(&file, variables).unwrap();
    let mut command = Command::new("docker-compose");
    command.arg("--env-file").arg(file).arg("config").current_dir(path("."));
    let paths = std::env::var("PATH").unwrap();
    command.env_clear().env("PATH", paths).output().expect("docker-compose is installed")
}

/// The first part of `.env.example`.
fn to_be_filled_in() -> Vec<String> {
    let text = text(".env.example");
    let part = text.split("\n\n").nth(1).unwrap();
    let empty = part.lines().filter_map(|line| line.strip_suffix('='));
    empty.filter(|name| !name.starts_with('#')).map(str::to_owned).collect()
}

fn filled_in() -> String {
    let fill = |text: String, name: String| {
        text.replacen(&format!("\n{name}=\n"), &format!("\n{name}=0123456789abcdef{name}\n"), 1)
    };
    to_be_filled_in().into_iter().fold(text(".env.example"), fill)
}

#[test]
fn an_unedited_example_is_refused_and_named_before_anything_starts() {
    let names = to_be_filled_in();
    assert_eq!(names.len(), 9, "{names:?}");
    let filled = filled_in();
    for name in &names {
        let without = filled.replacen(&format!("\n{name}=0123456789abcdef{name}"), &format!("\n{name}="), 1);
        let refused = compose(&without);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{name}");
        assert!(said.contains(name.as_str()) && said.contains("fill it in in .env"), "{name}: {said}");
    }
    assert!(!compose(&text(".env.example")).status.success());
}

#[test]
fn the_former_examples_placeholders_are_refused_by_the_server() {
    let services = read();
    let variables = texts(&services["services"]["live1"]["environment"]).into_iter().map(|(name, value)| {
        let value = if value.starts_with("0123456789abcdef") { "change-me".to_owned() } else { value };
        (name, value)
    });
    let checked = check_config(&path("deploy/compose/config.yaml"), variables.collect());
    assert!(!checked.status.success());
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    for key in ["auth.jwt_key", "auth.server.access_key", "auth.server.secret_key", "cache.password"] {
        assert!(said.contains(&format!("{key}: still is the placeholder")), "{key}: {said}");
    }
    for key in ["mysql.databases[0].password", "mysql.databases[1].password", "pili.publish_key"] {
        assert!(said.contains(&format!("{key}: still is the placeholder")), "{key}: {said}");
    }
}

#[test]
fn docker_compose_accepts_the_file() {
    let services = &read()["services"];
    for node in ["live1", "live2"] {
        let waits = &services[node]["depends_on"];
        for store in ["mysql", "redis"] {
            assert_eq!(waits[store]["condition"], Value::from("service_healthy"), "{node}");
            assert!(services[store]["healthcheck"]["test"].is_sequence(), "{store}");
        }
        assert!(waits["mysql-replica"].is_null(), "a node starts without a replica");
        assert_eq!(services[node]["read_only"], Value::from(true));
        let grace = services[node]["stop_grace_period"].as_str().unwrap();
        assert!(grace.trim_end_matches('s').parse::<u64>().unwrap() > STOP_S, "{grace}");
        assert!(services[node]["ports"].is_null(), "only nginx is reached from outside");
        assert_eq!(services["nginx"]["depends_on"][node]["condition"], Value::from("service_healthy"));
    }
    assert_eq!(services["nginx"]["ports"][0]["published"], Value::from(8099));
}

#[test]
fn both_nodes_run_with_a_configuration_that_is_accepted() {
    let services = &read()["services"];
    let mut ids = BTreeSet::new();
    for node in ["live1", "live2"] {
        let variables = texts(&services[node]["environment"]);
        ids.extend(variables.iter().filter(|(name, _)| name == OWN[0]).map(|(_, id)| id.clone()));
        let checked = check_config(&path("deploy/compose/config.yaml"), variables);
        assert_eq!(said("check-config", checked), "ok\n");
    }
    assert_eq!(ids, ["1", "2"].map(str::to_owned).into());
}

#[test]
fn every_variable_is_in_the_example_and_is_used() {
    let named: BTreeSet<_> = example().into_keys().collect();
    assert_eq!(references(&text("docker-compose.yml")), named);
    let passed = keys(&read()["services"]["live1"]["environment"]);
    let used: BTreeSet<_> =
        references(&text("deploy/compose/config.yaml")).into_iter().chain(OWN.map(str::to_owned)).collect();
    assert_eq!(passed, used);
    let seed = "PORT_LIVE PORT_PROMETHEUS PORT_GRAFANA QINIU_ACCESS_KEY QINIU_SECRET_KEY IM_ADMIN_TOKEN PILI_PUB_KEY";
    for name in seed.split(' ') {
        assert!(named.contains(name), "{name}, which QNLiveKit_Server's users have");
    }
}

#[test]
fn every_file_that_it_mounts_is_there() {
    let root = path(".").canonicalize().unwrap();
    for (name, service) in read()["services"].as_mapping().unwrap() {
        for volume in service["volumes"].as_sequence().into_iter().flatten() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            let Some(own) = source.strip_prefix(root.to_str().unwrap()) else { continue };
            // Whole folders, which are checked where they are made.
            let is_folder = own.starts_with("/grafana") || own.starts_with("/prometheus");
            assert!(is_folder || fs::metadata(source).unwrap().is_file(), "{name:?}: {source}");
        }
    }
}

#[test]
fn nginx_says_itself_who_calls() {
    let settings = text("deploy/compose/nginx.conf");
    for header in ["X-Forwarded-For $remote_addr;", "X-Real-IP $remote_addr;", "X-Forwarded-Host $http_host;"]
    {
        assert!(settings.contains(&format!("proxy_set_header {header}")), "{header}");
    }
    assert!(!settings.contains("proxy_add_x_forwarded_for"), "what a client sent is passed on");
}

#[test]
fn nginx_accepts_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    // Here are neither Docker's names nor an nginx that looks them up again, nor the folders of a daemon.
    let mut settings = text("deploy/compose/nginx.conf").replace(" resolve ", " ").replace("/var/run/", "");
    for node in ["live1:8099", "live2:8099"] {
        assert!(settings.contains(node));
        settings = settings.replace(node, "127.0.0.1:8099");
    }
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders: String = kinds.map(|kind| format!("{kind}_temp_path {kind};\n")).concat();
    let settings = settings.replacen("http {", &format!("http {{\n{folders}"), 1);
    fs::write(folder.path().join("nginx.conf"), settings).unwrap();
    let mut command = Command::new("nginx");
    command.args(["-t", "-q", "-c", "nginx.conf", "-e", "error.log", "-p"]).arg(folder.path());
    said("nginx -t", command.output().expect("nginx is installed"));
}
