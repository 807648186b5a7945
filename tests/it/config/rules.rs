//! Rules of sections, and rules that span sections.

use config::{Config, ImConfig, MysqlTls, PromeConfig, listen_addrs};
use rstest::rstest;

use super::with_keys;
use crate::support::certificates::Authority;

const MYSQL: &str = "mysql: {databases: [{host: h, username: u, database: d}]}\n";

#[rstest]
#[case::node_without_addr("cache: {type: node}\nnode: {node_id: 1}", "cache.addr: is required for type node")]
#[case::cluster_without_addrs(
    "cache: {type: cluster}\nnode: {node_id: 1}",
    "cache.addrs: is required for type cluster"
)]
#[case::addr_without_type("cache: {addr: 'r:1'}", "cache.type: is required with an address")]
#[case::no_port(
    "cache: {type: node, addr: redis}\nnode: {node_id: 1}",
    "cache.addr: \"redis\" is not of the form host:port"
)]
#[case::url(
    "cache: {type: node, addr: 'redis://h:1'}\nnode: {node_id: 1}",
    "cache.addr: \"redis://h:1\" is not of"
)]
#[case::tls_in_vain(
    "cache: {type: node, addr: 'r:1', tls_server_name: h}\nnode: {node_id: 1}",
    "cache.tls_server_name: is used with tls: true only"
)]
#[case::no_such_file(
    "cache: {type: node, addr: 'r:1', tls: true, tls_ca: /nowhere.pem}\nnode: {node_id: 1}",
    "cache.tls_ca: /nowhere.pem cannot be read"
)]
#[case::tls_of_a_database(
    "mysql: {databases: [{host: h, username: u, database: d, tls: maybe}]}",
    "mysql.databases[0].tls: \"maybe\" is not one of off, preferred, required, verify"
)]
#[case::redis_without_id("cache: {type: node, addr: 'r:1'}", "node.node_id: is required with Redis")]
#[case::no_writer(
    "mysql: {databases: [{host: h, username: u, database: d, read_only: true}]}",
    "mysql.databases: none is writable"
)]
#[case::two_writers(
    "mysql: {databases: [{host: h, username: u, database: d}, {host: i, username: u, database: d}]}",
    "mysql.databases: several are writable"
)]
#[case::two_zones(
    "mysql: {databases: [{host: h, username: u, database: d}, {host: i, username: u, database: d, read_only: 1, loc: UTC}]}",
    "mysql.databases: the loc of all databases must be the same"
)]
#[case::zone(
    "mysql: {databases: [{host: h, username: u, database: d, loc: Mars}]}",
    "mysql.databases[0].loc: \"Mars\" is not a time zone"
)]
#[case::qiniu(
    "im: {provider: qiniu, app_id: a, endpoint: 'http://i'}",
    "im.token: is required for the provider qiniu"
)]
#[case::expiry("pili: {security_type: expiry}", "pili.publish_key: is required")]
#[case::two_places("pili: {stream_pattern: '%s-%s'}", "pili.stream_pattern: must contain one %s")]
#[case::other_place("pili: {stream_pattern: '%s-%d'}", "pili.stream_pattern: must contain one %s")]
#[case::path("pili: {stream_pattern: 'a/%s'}", "pili.stream_pattern: must be one part of a path")]
#[case::mode("prome: {client_mode: both}", "prome.client_mode: \"both\" is not one of exporter, pusher, off")]
#[case::no_mode("prome: {pusher_config: {url: 'http://p'}}", "prome.client_mode: is required")]
#[case::exporter("prome: {client_mode: exporter}", "prome.exporter_config.listen_addr: is required")]
#[case::webhook_key(
    "callback: {secret: whsec_nonsense!}",
    "callback.secret: begins with whsec_, but what follows is not base64"
)]
#[case::pusher("prome: {client_mode: pusher}", "prome.pusher_config.url: is required")]
fn a_rule_that_is_broken_is_one_line(#[case] file: &str, #[case] expected: &str) {
    let mistakes = with_keys(file).mistakes();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].contains(&format!(": {expected}")), "{mistakes:?}");
}

#[test]
fn expiry_sk_needs_both_account_keys() {
    let mistakes = with_keys("pili: {security_type: expiry_sk}\naccount: {access_key: a}\n").mistakes();
    assert_eq!(
        mistakes,
        ["config.yaml:3: account.secret_key: is required for the pili.security_type expiry_sk"]
    );
}

#[rstest]
#[case::memory_with_mysql(MYSQL, "mysql", "cache.type: is memory: right for one node only")]
#[case::redis_with_sqlite(
    "cache: {type: node, addr: 'r:1'}\nnode: {node_id: 1}",
    "",
    "mysql.databases: is empty"
)]
#[case::part_of_qiniu("im: {app_id: a, endpoint: 'http://i.example.com'}", "", "im.provider: is built in")]
#[case::no_push_address("pili: {hub: h}", "", "pili.publish_domain: is missing")]
#[case::no_hub("pili: {publish_domain: p.example.com}", "", "pili.hub: is missing")]
#[case::ignored("cron: {}", "auth.admin.enable", "auth.admin.enable: is ignored")]
#[case::tls_of_memory(
    "cache: {tls_server_name: h}",
    "",
    "cache.tls_server_name: has no effect: the type is memory"
)]
#[case::traces("traces: {endpoint: 'http://c:4318/v1/traces/'}", "", "traces.endpoint: ends in /v1/traces")]
#[case::no_url("callback: {addr: localhost}", "", "callback.addr: \"localhost\" is not a URL")]
#[case::password("callback: {addr: 'http://u:p@h'}", "", "callback.addr: holds a password")]
fn what_is_probably_not_meant_is_a_warning(
    #[case] file: &str,
    #[case] variable: &str,
    #[case] expected: &str,
) {
    let mut setup = with_keys(file);
    if variable == "auth.admin.enable" {
        setup = setup.env("LIVELOOM__AUTH__ADMIN__ENABLE", "false");
    }
    let warnings = setup.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(&format!(": {expected}")), "{warnings:?}");
}

#[test]
fn a_plain_file_has_no_warnings() {
    assert!(with_keys("").warnings().is_empty());
}

#[rstest]
#[case::nothing("", false)]
#[case::all("im: {app_id: a, endpoint: 'http://i/', token: t}", true)]
#[case::token_missing("im: {app_id: a, endpoint: 'http://i', token: '${IM_ADMIN_TOKEN}'}", false)]
#[case::told_otherwise("im: {provider: builtin, app_id: a, endpoint: 'http://i', token: t}", false)]
fn the_im_provider_is_qiniu_when_its_keys_are_set(#[case] file: &str, #[case] is_qiniu: bool) {
    match with_keys(file).config().im {
        ImConfig::Builtin => assert!(!is_qiniu),
        ImConfig::Qiniu { endpoint, .. } => assert!(is_qiniu && endpoint == "http://i"),
    }
}

#[test]
fn the_pusher_has_defaults() {
    let config =
        with_keys("node: {node_id: 7}\nprome: {client_mode: pusher, pusher_config: {url: 'http://p:9091/'}}");
    let expected = PromeConfig::Pusher {
        url: "http://p:9091".to_owned(),
        job: "live".to_owned(),
        instance: "live_7".to_owned(),
        interval_s: 10,
    };
    assert_eq!(config.config().prome, expected);
}

#[test]
fn zero_means_the_default_where_go_means_no_limit() {
    let file = "mysql: {databases: [{host: h, username: u, database: d, max_open_conns: 0, conn_max_life_time: 0}]}\n\
                pili: {room_token_expire_s: 0, publish_expire_s: 0}\nhttpq: {workers: 0}\n";
    let config = with_keys(file).config();
    let default = Config::default();
    assert_eq!(config.mysql.databases[0].max_open_conns, 100);
    assert_eq!(config.mysql.databases[0].conn_max_life_time, 14_400);
    assert_eq!((config.pili, config.httpq), (default.pili, default.httpq));
}

#[test]
fn an_authority_of_a_database_is_named_to_be_checked() {
    let entry = |tls: &str| {
        let file = format!("mysql: {{databases: [{{host: h, username: u, database: d{tls}}}]}}");
        let entry = with_keys(&file).config().mysql.databases.remove(0);
        (entry.tls, entry.tls_ca.is_some())
    };
    assert_eq!(entry(""), (MysqlTls::Preferred, false));
    assert_eq!(entry(", tls: off"), (MysqlTls::Off, false));
    assert_eq!(entry(", tls: verify"), (MysqlTls::Verify, false));
    let authority = Authority::new();
    assert_eq!(entry(&format!(", tls_ca: '{}'", authority.file().display())), (MysqlTls::Verify, true));
}

#[test]
fn listen_addresses_may_lack_the_host() {
    let parsed = |text| {
        let addrs = listen_addrs(text)?;
        Some(addrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(parsed(":80").as_deref(), Some("[::]:80"));
    assert_eq!(parsed("0.0.0.0:80").as_deref(), Some("0.0.0.0:80"));
    assert_eq!(parsed("localhost:0").as_deref(), Some("127.0.0.1:0 [::1]:0"));
    assert_eq!(parsed("[::1]:8099").as_deref(), Some("[::1]:8099"));
    for text in ["", "80", "8099:", "host:80", ":99999", "::1", ":+80"] {
        assert_eq!(listen_addrs(text), None, "{text}");
    }
}

#[test]
fn files_of_tls_hold_what_they_are_for() {
    let authority = Authority::new();
    let files = authority.issue("client", &["client"]);
    let (cert, key) = (files.cert.display(), files.key.display());
    let of_redis =
        |tls: &str| format!("cache: {{type: node, addr: 'r:1', tls: true, {tls}}}\nnode: {{node_id: 1}}");
    let of_mysql =
        |tls: &str| format!("mysql: {{databases: [{{host: h, username: u, database: d, {tls}}}]}}");
    let cases = [
        (of_redis(&format!("tls_cert: '{cert}'")), "cache.tls_key: is required with tls_cert"),
        (of_redis(&format!("tls_key: '{key}'")), "cache.tls_cert: is required with tls_key"),
        (of_redis("tls_ca: Cargo.toml"), "cache.tls_ca: Cargo.toml holds no certificate in PEM"),
        (of_redis(&format!("tls_ca: '{key}'")), "cache.tls_ca: "),
        (
            of_redis(&format!("tls_cert: Cargo.toml, tls_key: '{key}'")),
            "cache.tls_cert: Cargo.toml holds no certificate",
        ),
        (of_redis(&format!("tls_cert: '{cert}', tls_key: '{cert}'")), "cache.tls_key: "),
        (of_mysql("tls_ca: Cargo.toml"), "mysql.databases[0].tls_ca: Cargo.toml holds no certificate in PEM"),
        (
            of_mysql(&format!("tls: required, tls_ca: '{cert}'")),
            "mysql.databases[0].tls_ca: is used with tls: verify only",
        ),
    ];
    for (file, expected) in cases {
        let mistakes = with_keys(&file).mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains(expected), "{mistakes:?}");
    }
    let good =
        of_redis(&format!("tls_ca: '{}', tls_cert: '{cert}', tls_key: '{key}'", authority.file().display()));
    with_keys(&good).config();
}
