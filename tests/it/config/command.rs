//! `liveloom check-config`.

use std::process::{Command, Output};

use super::{KEYS, Setup, with_keys};

fn check(setup: &Setup, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liveloom"));
    command.current_dir(setup.dir.path()).arg("check-config").args(args).envs(&setup.env).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_good_file_is_ok() {
    let output = check(&Setup::new(KEYS), &["-f", "config.yaml"]);
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), "ok\n", ""));
}

#[test]
fn mistakes_are_lines_and_a_failure() {
    let setup = with_keys("log: {jason: 1}\n").overlay("nod: 1\n").env("LIVELOOM__CRON__LEASE_S", "x");
    let output = check(&setup, &["--config", "config.yaml", "--extra", "second.yaml"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    let expected = "\
config.yaml:2: log.jason: unknown key; the nearest known one is json
second.yaml:1: nod: unknown key; the nearest known one is node
LIVELOOM__CRON__LEASE_S: cron.lease_s: \"x\" is not a whole number from 1 to 3600
";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn warnings_are_told_and_the_result_can_be_shown() {
    let setup = with_keys("gift: {gift_addr: '123'}\n");
    let output = check(&setup, &["-f", "config.yaml", "--show"]);
    assert_eq!(output.status.code(), Some(0));
    let warning = "warning: config.yaml:2: gift.gift_addr: \"123\" is not a URL; every use of it will fail as unreachable\n";
    assert_eq!(text(&output.stderr), warning);
    assert!(text(&output.stdout).contains("gift_addr: '123'"), "{}", text(&output.stdout));
    assert!(!text(&output.stdout).contains("signing-key-of-the-tests"));
}

#[test]
fn mistakes_hide_no_warnings() {
    let output = check(&with_keys("gift: {gift_addr: '123'}\nlog: {json: 7}\n"), &["-f", "config.yaml"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    let expected = "\
config.yaml:3: log.json: \"7\" is neither true nor false
warning: config.yaml:2: gift.gift_addr: \"123\" is not a URL; every use of it will fail as unreachable
";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn a_file_that_is_missing_has_no_lines() {
    let output = check(&Setup::new(KEYS), &["-f", "/nope.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "/nope.yaml: does not exist\n");
}

#[test]
fn what_is_shown_has_the_keys_as_they_were_configured() {
    let second = "auth: {jwt_keys: [former-key-0123456789]}\ncallback: {secret: s-0123456789abcdef}\n";
    let output =
        check(&Setup::new(KEYS).overlay(second), &["-f", "config.yaml", "-e", "second.yaml", "--show"]);
    assert_eq!(output.status.code(), Some(0));
    let shown: serde_yaml::Value = serde_yaml::from_slice(&output.stdout).unwrap();
    let keys = |section: &str, first: &str, further: &str| {
        let section = &shown[section];
        (section[first].as_str().unwrap().to_owned(), section[further].as_sequence().unwrap().len())
    };
    assert_eq!(keys("auth", "jwt_key", "jwt_keys"), ("***".to_owned(), 1));
    assert_eq!(keys("callback", "secret", "secrets"), ("***".to_owned(), 0));
}
