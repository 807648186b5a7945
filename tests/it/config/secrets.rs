//! Secrets appear nowhere.

use super::Setup;

/// Every secret of this file contains `hush`.
const FILE: &str = "\
account: {access_key: public, secret_key: hush-1}
auth:
  jwt_key: hush-2
  jwt_keys: [hush-3]
  server: {access_key: public, secret_key: hush-4}
node: {node_id: 1}
cache: {type: node, addr: 'r:1', password: hush-5}
mysql: {databases: [{host: h, username: u, password: hush-6, database: d}]}
im: {app_id: a, endpoint: 'http://i.example.com', token: hush-7}
pili: {hub: h, publish_domain: p, security_type: expiry, publish_key: hush-8}
callback: {secret: hush-9, secrets: [hush-10]}
gift: {secret: hush-11}
hooks: {secret: hush-12}
";

#[test]
fn a_configuration_that_is_shown_masks_its_secrets() {
    let config = Setup::new(FILE).config();
    let shown = [config.to_string(), format!("{config:?}"), serde_json::to_string(&config).unwrap()];
    for text in shown {
        assert!(!text.contains("hush"), "{text}");
        assert!(text.matches("***").count() == 12, "{text}");
    }
}

#[test]
fn a_mistake_in_a_secret_does_not_show_it() {
    let broken = FILE
        .replace("secret_key: hush-1}", "secret_key: [hush-1]}")
        .replace("jwt_key: hush-2", "jwt_key: {hush-2: 1}")
        .replace("[hush-3]", "[[hush-3]]")
        .replace("secret_key: hush-4", "secret_key: 'hush-4${'")
        .replace("password: hush-5", "password: '${UNSET}hush-5'");
    let problems = Setup::new(&broken).load().unwrap_err();
    let keys: Vec<_> = problems.iter().map(|problem| problem.key().to_owned()).collect();
    let expected =
        ["account.secret_key", "auth.jwt_key", "auth.jwt_keys", "auth.server.secret_key", "cache.password"];
    assert_eq!(keys, expected);
    assert!(!format!("{problems}{problems:?}").contains("hush"), "{problems}");
}
