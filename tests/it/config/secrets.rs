//! Secrets appear nowhere.

use super::Setup;

/// A file with all secrets; each contains `hush`, is there once and long enough.
pub const ALL: &str = "\
account: {access_key: public, secret_key: hush-1-0123456789abcdef}
auth:
  jwt_key: hush-2-0123456789abcdef
  jwt_keys: [hush-3-0123456789abcdef]
  server: {access_key: public, secret_key: hush-4-0123456789abcdef}
node: {node_id: 1}
cache: {type: node, addr: 'r:1', password: hush-5-0123456789abcdef}
mysql: {databases: [{host: h, username: u, password: hush-6-0123456789abcdef, database: d}]}
im: {app_id: a, endpoint: 'http://i.example.com', token: hush-7-0123456789abcdef}
pili: {hub: h, publish_domain: p, security_type: expiry, publish_key: hush-8-0123456789abcdef}
callback: {secret: hush-9-0123456789abcdef, secrets: [hush-10-0123456789abcdef]}
gift: {secret: hush-11-0123456789abcdef}
hooks: {secret: hush-12-0123456789abcdef}
";

/// The keys of these secrets, in their order.
pub const KEYS_OF_ALL: [&str; 12] = [
    "account.secret_key",
    "auth.jwt_key",
    "auth.jwt_keys",
    "auth.server.secret_key",
    "cache.password",
    "mysql.databases[0].password",
    "im.token",
    "pili.publish_key",
    "callback.secret",
    "callback.secrets",
    "gift.secret",
    "hooks.secret",
];

#[test]
fn a_configuration_that_is_shown_masks_its_secrets() {
    let config = Setup::new(ALL).config();
    let shown = [config.to_string(), format!("{config:?}"), serde_json::to_string(&config).unwrap()];
    for text in shown {
        assert!(!text.contains("hush"), "{text}");
        assert!(text.matches("***").count() == 12, "{text}");
    }
}

#[test]
fn a_mistake_in_a_secret_does_not_show_it() {
    let broken = ALL
        .replace("secret_key: hush-1-0123456789abcdef}", "secret_key: [hush-1]}")
        .replace("jwt_key: hush-2-0123456789abcdef", "jwt_key: {hush-2: 1}")
        .replace("[hush-3-0123456789abcdef]", "[[hush-3]]")
        .replace("secret_key: hush-4-0123456789abcdef", "secret_key: 'hush-4${'")
        .replace("password: hush-5-0123456789abcdef", "password: '${UNSET}hush-5'");
    let problems = Setup::new(&broken).load().unwrap_err();
    let keys: Vec<_> = problems.iter().map(|problem| problem.key().to_owned()).collect();
    let expected =
        ["account.secret_key", "auth.jwt_key", "auth.jwt_keys", "auth.server.secret_key", "cache.password"];
    assert_eq!(keys, expected);
    assert!(!format!("{problems}{problems:?}").contains("hush"), "{problems}");
}
