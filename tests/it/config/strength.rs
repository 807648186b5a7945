//! Secrets that protect nothing: placeholders are refused, known and short keys warned of.

use std::collections::BTreeSet;

use config::PLACEHOLDERS;
use rstest::rstest;
use serde_yaml::Value;

use super::secrets::{ALL, KEYS_OF_ALL};
use super::{Setup, with_keys};
use crate::deployment::text;

/// What keys and variables of secrets are called.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_meant = ["secret", "password", "token", "jwt_key", "access_key", "publish_key", "pub_key"];
    // Life times of tokens.
    is_meant.iter().any(|part| name.contains(part)) && !name.ends_with("_s")
}

/// The values that a text gives to secrets, as `name: value`, `"name": value` or `NAME=value`.
fn values(text: &str) -> BTreeSet<String> {
    let pairs = text.lines().flat_map(|line| line.split(['{', ',', '}', '#', '`'])).filter_map(|part| {
        let (name, value) = part.split_once([':', '='])?;
        let name = name.trim_matches([' ', '-', '"', '|']);
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (is_name && is_secret(name)).then(|| value.trim_matches([' ', '"', '\'', '[', ']']).to_owned())
    });
    // What is empty is not set, and `${NAME}` is not a value.
    pairs.filter(|value| !value.is_empty() && !value.starts_with("${") && !value.starts_with('$')).collect()
}

#[test]
fn our_own_files_hold_nothing_but_placeholders_where_secrets_belong() {
    let files = [
        ".env.example",
        "config.example.yaml",
        "deploy/kubernetes/secret.yaml.example",
        "deploy/kubernetes/configmap.yaml",
        "deploy/compose/config.yaml",
        "docs/configuration.md",
        "docs/content-review.md",
        "docs/migration.md",
        "docs/operations.md",
        "docs/streaming.md",
    ];
    let mut found = BTreeSet::new();
    for file in files {
        for value in values(&text(file)) {
            // Of a document the words behind a key, too.
            let is_prose = file.ends_with(".md") && value.contains(' ');
            assert!(is_prose || PLACEHOLDERS.contains(&value.as_str()), "{file}: {value:?}");
            found.extend((!is_prose).then_some(value));
        }
    }
    assert_eq!(found, PLACEHOLDERS.map(str::to_owned).into(), "each placeholder stands somewhere");
}

#[test]
fn a_placeholder_is_refused_wherever_a_secret_is_configured() {
    assert_eq!(ALL.matches("hush-").count(), KEYS_OF_ALL.len());
    for (number, key) in (1..).zip(KEYS_OF_ALL) {
        for placeholder in ["change-me", "Change_Me", "\"change-me\\n\""] {
            let file = ALL.replace(&format!("hush-{number}-"), "\u{0}");
            let (before, rest) = file.split_once('\u{0}').expect("each is there once");
            let end = rest.find(|c: char| ",]}\n".contains(c)).unwrap();
            let mistakes = Setup::new(&format!("{before}{placeholder}{}", &rest[end..])).mistakes();
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            let wanted = format!(": {key}: still is the placeholder of the example");
            assert!(mistakes[0].contains(&wanted), "{mistakes:?}");
        }
    }
    let mistakes = with_keys("").env("LIVELOOM__AUTH__SERVER__ACCESS_KEY", "change-me").mistakes();
    assert!(mistakes[0].starts_with("LIVELOOM__AUTH__SERVER__ACCESS_KEY: auth.server.access_key: still is"));
}

/// The weak secrets of a valid file, by their keys.
fn weak(file: &str) -> Vec<String> {
    let loaded = Setup::new(file).valid();
    loaded.warnings.iter().filter(|w| w.is_weak_secret()).map(|w| w.key().to_owned()).collect()
}

#[test]
fn the_samples_keys_and_short_ones_start_with_a_warning() {
    let sample = "auth: {jwt_key: jwtkey, server: {access_key: ak, secret_key: sk}}\n";
    assert_eq!(weak(sample), ["auth.jwt_key", "auth.server.access_key", "auth.server.secret_key"]);
    let warnings = Setup::new(sample).warnings();
    assert_eq!(warnings.len(), 3, "one line for each: {warnings:?}");
    assert!(warnings.iter().all(|line| line.contains("is the sample's: ")), "{warnings:?}");

    let long = "0123456789abcdef";
    let file = |jwt: &str, more: &str, sk: &str| {
        format!("auth: {{jwt_key: {jwt}, jwt_keys: [{more}], server: {{access_key: a, secret_key: {sk}}}}}\n")
    };
    assert_eq!(weak(&file(long, long, long)), Vec::<String>::new());
    let short = &long[1..];
    assert_eq!(weak(&file(short, long, long)), ["auth.jwt_key"]);
    assert_eq!(weak(&file(long, "jwtkey", long)), ["auth.jwt_keys"]);
    assert_eq!(weak(&file(long, short, short)), ["auth.jwt_keys", "auth.server.secret_key"]);
    let two = Setup::new(&file(long, &format!("{short}, {long}, jwtkey"), long)).warnings();
    assert_eq!(two.len(), 2, "each of a list: {two:?}");
    assert!(
        two.iter().any(|line| line.ends_with("(number 1 of the list)") && line.contains("15 bytes")),
        "{two:?}"
    );
    assert!(
        two.iter().any(|line| line.ends_with("(number 3 of the list)") && line.contains("sample's")),
        "{two:?}"
    );
    let others = "callback: {secret: s, secrets: [t]}\ngift: {secret: whsec_AAAA}\nhooks: {secret: s}\n\
                  pili: {publish_key: k}\naccount: {secret_key: s}\n";
    let wanted = [
        "callback.secret",
        "callback.secrets",
        "gift.secret",
        "hooks.secret",
        "pili.publish_key",
        "account.secret_key",
    ];
    assert_eq!(weak(&format!("{}{others}", file(long, long, long))), wanted);
    // A key of `whsec_` is what its base64 holds; passwords are the stores' matter.
    let good = "callback: {secret: whsec_AAAAAAAAAAAAAAAAAAAAAA==}\nnode: {node_id: 1}\n\
                cache: {type: node, addr: 'r:1', password: p}\n";
    assert_eq!(weak(&format!("{}{good}", file(long, long, long))), Vec::<String>::new());
}

#[rstest]
#[case::proxies(
    "httpq: {trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]}",
    "httpq.trusted_proxies: 0.0.0.0/0 is every"
)]
#[case::proxies_v6("httpq: {trusted_proxies: ['::/0']}", "httpq.trusted_proxies: ::/0 is every")]
#[case::hooks("hooks: {allow: [0.0.0.0/0]}", "hooks.allow: 0.0.0.0/0 is every")]
#[case::demo(
    "demo: {enable: true}\nmysql: {databases: [{host: h, username: u, database: d}]}\n\
     cache: {type: node, addr: 'r:1'}\nnode: {node_id: 1}",
    "demo.enable: is on with MySQL"
)]
#[case::line_break("gift: {secret: \"0123456789abcdef\\n\"}", "gift.secret: begins or ends with white space")]
#[case::space("hooks: {secret: '0123456789abcdef '}", "hooks.secret: begins or ends with white space")]
#[case::password(
    "cache: {type: node, addr: 'r:1', password: \"p\\r\"}\nnode: {node_id: 1}\n\
     mysql: {databases: [{host: h, username: u, database: d}]}",
    "cache.password: begins or ends with white space"
)]
fn what_opens_the_server_to_everybody_is_warned_of(#[case] file: &str, #[case] expected: &str) {
    let warnings = with_keys(file).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(&format!(": {expected}")), "{warnings:?}");
}

#[test]
fn unsigned_calls_of_everybody_are_warned_of_and_the_demo_alone_is_not() {
    let file = "auth: {jwt_key: 0123456789abcdef, server: {enable: false, allow: [0.0.0.0/0, '::/0']}}\n";
    let warnings = Setup::new(file).warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().all(|line| line.contains(": auth.server.allow: ")), "{warnings:?}");
    for addr in ["127.0.0.1:8099", "localhost:8099", "[::1]:8099"] {
        let file = format!("demo: {{enable: true}}\nhttpq: {{addr: '{addr}'}}\n");
        assert!(with_keys(&file).warnings().is_empty(), "{addr}");
    }
    for file in ["demo: {enable: true}\n", "demo: {enable: true}\nhttpq: {addr: '192.0.2.1:80'}\n"] {
        let warnings = with_keys(file).warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("demo.enable: is on, and httpq.addr is open to the network"),
            "{warnings:?}"
        );
    }
}

#[test]
fn the_values_of_a_text_are_found() {
    let text = "A_SECRET=x\n  - \"db_password\": y # z\nsecrets: [v]\nauth: {jwt_key: ${W}, life_token_s: 5, other: u}\n";
    assert_eq!(values(text), ["v", "x", "y"].map(str::to_owned).into());
    let value: Value = serde_yaml::from_str(ALL).unwrap();
    assert!(value.is_mapping());
}
