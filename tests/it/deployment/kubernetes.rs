//! The manifests in `deploy/kubernetes`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde::Deserialize;
use serde_yaml::Value;

use super::{STOP_S, check_config, keys, path, references, said, text, texts};
use crate::support::env;

/// The first version whose pods have the label that is their `node_id`.
const OLDEST: &str = "1.28";
const SECRET: &str = "deploy/kubernetes/secret.yaml.example";
const ORDINAL: &str = "LIVELOOM__NODE__NODE_ID";

fn files() -> Vec<String> {
    let found = fs::read_dir(path("deploy/kubernetes")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = found.map(|name| format!("deploy/kubernetes/{}", name.to_str().unwrap()));
    // An operator's own Secret is none of ours.
    let mut names: Vec<_> = names.filter(|name| !name.ends_with("/secret.yaml")).collect();
    names.sort();
    names
}

/// All documents of all files.
fn manifests() -> Vec<Value> {
    let all = files().into_iter().flat_map(|file| {
        let text = text(&file);
        let documents =
            serde_yaml::Deserializer::from_str(&text).map(|each| Value::deserialize(each).unwrap());
        documents.collect::<Vec<_>>()
    });
    all.collect()
}

fn manifest(kind: &str) -> Value {
    manifests().into_iter().find(|manifest| manifest["kind"] == kind).unwrap()
}

#[test]
fn the_manifests_agree_with_the_schema_of_the_oldest_and_the_latest_version() {
    let python = env::deployment_tools().join("bin/python3");
    for version in [vec!["--kubernetes-version", OLDEST], vec![]] {
        let mut validate = Command::new(&python);
        validate.args(["-m", "kubernetes_validate", "--strict", "--quiet"]).args(version).args(files());
        said("kubernetes-validate", validate.current_dir(path(".")).output().unwrap());
    }
}

#[test]
fn the_configuration_is_accepted_with_the_variables_of_the_secret() {
    let config = manifest("ConfigMap")["data"]["config.yaml"].as_str().unwrap().to_owned();
    let secret = manifest("Secret");
    assert_eq!(references(&config), keys(&secret["stringData"]), "each is given and used");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    fs::write(&file, config).unwrap();
    let ordinal = (ORDINAL.to_owned(), "0".to_owned());
    let mut variables = texts(&secret["stringData"]);
    variables.push(ordinal.clone());
    let unedited = check_config(&file, variables.clone());
    let refused = String::from_utf8_lossy(&unedited.stderr).into_owned();
    assert!(!unedited.status.success());
    let changed: Vec<_> = variables.iter().filter(|(_, value)| value == "change-me").collect();
    // Two databases have one password.
    assert_eq!(refused.matches(": still is the placeholder").count(), changed.len() + 1, "{refused}");
    let own = |(name, value): (String, String)| match value.as_str() {
        "change-me" => (name.clone(), format!("0123456789abcdef{name}")),
        _ => (name, value),
    };
    let variables = variables.into_iter().map(own).collect();
    assert_eq!(said("check-config", check_config(&file, variables)), "ok\n");
}

#[test]
fn a_pod_is_a_node_without_privileges_that_has_the_time_to_stop() {
    let pod = &manifest("StatefulSet")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let ordinal =
        container["env"].as_sequence().unwrap().iter().find(|entry| entry["name"] == ORDINAL).unwrap();
    let label = "metadata.labels['apps.kubernetes.io/pod-index']";
    assert_eq!(ordinal["valueFrom"]["fieldRef"]["fieldPath"], Value::from(label));
    assert_eq!(pod["securityContext"]["runAsNonRoot"], Value::from(true));
    assert_eq!(pod["securityContext"]["runAsUser"], Value::from(10001), "as the image has it");
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], Value::from(true));
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > STOP_S);
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], Value::from("/readyz"));
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], Value::from("/healthz"));
}

#[test]
fn everything_is_in_the_namespace_and_finds_the_pods() {
    let namespace = manifest("Namespace")["metadata"]["name"].clone();
    let labels = texts(&manifest("StatefulSet")["spec"]["template"]["metadata"]["labels"]);
    let mut selecting = BTreeSet::new();
    for manifest in manifests() {
        let kind = manifest["kind"].as_str().unwrap();
        if kind != "Namespace" {
            assert_eq!(manifest["metadata"]["namespace"], namespace, "{kind}");
        }
        let spec = &manifest["spec"];
        let selector = if kind == "Service" { &spec["selector"] } else { &spec["selector"]["matchLabels"] };
        if !selector.is_null() {
            assert_eq!(texts(selector), labels, "{kind}");
            selecting.insert(kind.to_owned());
        }
    }
    assert_eq!(selecting, ["PodDisruptionBudget", "Service", "StatefulSet"].map(str::to_owned).into());
    assert!(files().contains(&SECRET.to_owned()));
}
