//! Precedence of the sources, references to the environment, and lenient types.

use std::path::Path;

use config::{CacheConfig, CallbackConfig, Config, Secret};
use rstest::rstest;

use super::{KEYS, Setup, with_keys};

#[test]
fn the_second_file_is_merged_key_by_key_and_the_environment_wins() {
    let config = with_keys(
        "cron: {single_task_node: 1, lease_s: 11}\nhooks: {allow: [10.0.0.0/8, 10.1.0.0/16]}\nlive: {viewer_timeout_s: 21}\n",
    )
    .overlay("cron: {lease_s: 12}\nhooks: {allow: [192.168.0.0/16]}\nlive: {viewer_timeout_s: 22, anchor_timeout_s: 23}\n")
    .env("LIVELOOM__LIVE__VIEWER_TIMEOUT_S", "24")
    .env("LIVELOOM__AUTH__SERVER__ACCESS_KEY", "from-env")
    .env("LIVELOOM_LIVE__VIEWER_TIMEOUT_S", "99")
    .config();
    assert_eq!((config.cron.single_task_node, config.cron.lease_s), (1, 12));
    assert_eq!(config.hooks.allow, ["192.168.0.0/16".parse().unwrap()]);
    assert_eq!((config.live.viewer_timeout_s, config.live.anchor_timeout_s), (24, 23));
    assert_eq!(config.auth.server.access_key, "from-env");
    assert_eq!(config.auth.server.secret_key.expose(), "server-sk-of-the-tests");
}

#[test]
fn an_empty_second_file_changes_nothing() {
    assert_eq!(with_keys("").overlay("# nothing\n").config(), with_keys("").config());
}

#[test]
fn lists_and_mappings_come_from_the_environment_as_yaml() {
    let config = with_keys("")
        .env("LIVELOOM__NODE__NODE_ID", "3")
        .env("LIVELOOM__CACHE_CONFIG__TYPE", "cluster")
        .env("LIVELOOM__CACHE_CONFIG__ADDRS", "[a:1, 'b:2']")
        .env("LIVELOOM__HTTPQ__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")
        .env("LIVELOOM__AUTH__JWT_KEYS", "[\"second,key\", third]")
        .env("LIVELOOM__MYSQL__DATABASES", "[{host: h, username: u, password: 007, database: d}]")
        .env("LIVELOOM__CALLBACK", "{timeout_s: 7}")
        .config();
    let CacheConfig::Cluster(redis) = &config.cache else { panic!("{:?}", config.cache) };
    assert_eq!(redis.addrs, ["a:1", "b:2"]);
    assert_eq!(config.httpq.trusted_proxies, ["10.0.0.0/8", "192.0.2.7/32"].map(|net| net.parse().unwrap()));
    assert_eq!(config.auth.jwt_keys, ["signing-key-of-the-tests", "second,key", "third"].map(Secret::new));
    assert_eq!(config.mysql.databases[0].password.expose(), "007");
    assert_eq!(config.callback, CallbackConfig { timeout_s: 7, ..CallbackConfig::default() });
}

#[test]
fn a_secret_from_the_environment_is_taken_as_it_is() {
    for secret in ["{not: yaml", "[x", "a: b # c", "*alias", "null", "${HOME}", "'"] {
        let config = with_keys("").env("LIVELOOM__AUTH__JWT_KEY", secret).config();
        assert_eq!(config.auth.jwt_keys, [Secret::new(secret)]);
    }
}

#[rstest]
#[case::set("${NAME}", "value")]
#[case::in_the_middle("a-${NAME}-${OTHER}-b", "a-value-2-b")]
#[case::empty_counts_as_set("x${EMPTY}y", "xy")]
#[case::default("${UNSET:-fallback}", "fallback")]
#[case::default_unused("${NAME:-fallback}", "value")]
#[case::default_of_empty("${EMPTY:-fallback}", "fallback")]
#[case::empty_default("x${UNSET:-}", "x")]
#[case::default_with_signs("${UNSET:-http://h:1/a-b?c}", "http://h:1/a-b?c")]
#[case::escaped("$${NAME}", "${NAME}")]
#[case::dollars("$NAME $ $$ {NAME}", "$NAME $ $$ {NAME}")]
#[case::excepted("x${QINIU_ACCESS_KEY}${QINIU_SECRET_KEY}${IM_ADMIN_TOKEN}${PILI_PUB_KEY}", "x")]
fn references_are_replaced(#[case] text: &str, #[case] expected: &str) {
    let setup = with_keys(&format!("rtc:\n  app_id: \"{text}\"\n"));
    let config = setup.env("NAME", "value").env("OTHER", "2").env("EMPTY", "").config();
    assert_eq!(config.rtc.app_id, expected);
}

#[test]
fn a_value_of_the_environment_is_not_yaml() {
    let config = with_keys("rtc:\n  app_id: ${NAME}\n").env("NAME", "a: [b # c\n${NAME}").config();
    assert_eq!(config.rtc.app_id, "a: [b # c\n${NAME}");
}

#[rstest]
#[case::unset("${NAME}", "the environment variable NAME is not set")]
#[case::open("${NAME", "`${` begins a reference")]
#[case::other_operator("${NAME-default}", "`${` begins a reference")]
#[case::no_name("${}", "`${` begins a reference")]
#[case::nested("${NAME:-${OTHER}}", "`${` begins a reference")]
fn references_that_cannot_be_replaced_are_named(#[case] text: &str, #[case] expected: &str) {
    let setup = with_keys(&format!("rtc:\n  # a comment with ${{COMMENT}}\n  app_id: \"{text}\"\n"));
    let mistakes = setup.mistakes();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].starts_with(&format!("config.yaml:4: rtc.app_id: {expected}")), "{mistakes:?}");
}

#[test]
fn scalars_are_read_as_viper_does() {
    let file = "\
Node: {NODE_ID: '0', data_dir: 7}
cron: {lease_s: \"30\"}
rtc: {app_id: 0123}
hooks: {allow_unsigned: \"True\"}
realtime: {mesh_auth: off}
log: {json: 0}
callback: \"\"
gift:
censor: ~
";
    let config = with_keys(file).config();
    assert_eq!((config.node.node_id, config.node.data_dir.as_path()), (0, Path::new("7")));
    assert_eq!((config.cron.lease_s, config.rtc.app_id.as_str()), (30, "0123"));
    assert_eq!(
        (config.hooks.allow_unsigned, config.realtime.mesh_auth, config.log.json),
        (true, false, false)
    );
    let default = Config::default();
    assert_eq!(
        (config.callback, config.gift, config.censor),
        (default.callback, default.gift, default.censor)
    );
}

#[test]
fn anchors_and_merge_keys_are_understood() {
    let config = with_keys(
        "mysql:\n  databases:\n    - &main {host: a, username: u, password: p, database: d}\n    - {<<: *main, host: b, read_only: true}\n",
    )
    .config();
    let hosts: Vec<_> =
        config.mysql.databases.iter().map(|entry| (entry.host.as_str(), entry.read_only)).collect();
    assert_eq!(hosts, [("a", false), ("b", true)]);
    assert_eq!(config.mysql.databases[1].password.expose(), "p");
    assert_eq!(config.mysql.writer().unwrap().host, "a");
}

#[test]
fn both_spellings_of_the_documents_are_read() {
    let file = "node: {node_id: 2}\ncache_config: {type: node, addr: 'r:6379'}\ncron_config: {single_task_node: 2}\n\
                prome_config: {client_mode: exporter, exporter_config: {listen_addr: ':9200'}}\n";
    let other = file.replace("_config:", ":").replace("exporter:", "exporter_config:");
    assert_eq!(with_keys(file).config(), with_keys(&other).config());
    // An overlay may use the other spelling than the file.
    let config =
        Setup::new(&format!("{KEYS}cron: {{lease_s: 9}}\n")).overlay("cron_config: {lease_s: 8}").config();
    assert_eq!(config.cron.lease_s, 8);
}

#[test]
fn keys_and_secrets_may_be_given_twice_for_rotation() {
    let config = Setup::new(
        "auth: {jwt_key: new, jwt_keys: [former, older], server: {access_key: a, secret_key: s}}\n\
         callback: {addr: 'http://b.example.com', secret: one, secrets: [two]}\n",
    )
    .config();
    assert_eq!(config.auth.jwt_keys, ["new", "former", "older"].map(Secret::new));
    assert_eq!(config.callback.secrets, ["one", "two"].map(Secret::new));
    let only_list = Setup::new("auth: {jwt_keys: [k], server: {enable: false}}\n").config();
    assert_eq!(only_list.auth.jwt_keys, [Secret::new("k")]);
}
