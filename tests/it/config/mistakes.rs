//! Every mistake at once, a line each, with file, line and key.

use super::{KEYS, Setup, with_keys};

#[test]
fn five_mistakes_are_five_lines() {
    let file = "\
node:
  node_id: 5000
auth:
  jwt_key: k
  server: {access_key: a, secret_keys: b, secret_key: s}
pili:
  security_type: expire
  stream_pattern: room
gift:
  unpaid_status: 403
";
    let expected = [
        "config.yaml:2: node.node_id: \"5000\" is not a whole number from 0 to 1023",
        "config.yaml:5: auth.server.secret_keys: unknown key; the nearest known one is secret_key",
        "config.yaml:7: pili.security_type: \"expire\" is not one of none, expiry, expiry_sk; the nearest is expiry",
        "config.yaml:8: pili.stream_pattern: must contain one %s, for the live id, and no other %",
        "config.yaml:10: gift.unpaid_status: \"403\" is not one of 402, 200; the nearest is 402",
    ];
    assert_eq!(Setup::new(file).mistakes(), expected);
}

#[test]
fn an_empty_file_lacks_the_three_keys() {
    let expected = [
        "config.yaml:1: auth.jwt_key: is required: it signs the tokens of clients",
        "config.yaml:1: auth.server.access_key: is required while auth.server.enable is true: it signs the calls of servers",
        "config.yaml:1: auth.server.secret_key: is required while auth.server.enable is true: it signs the calls of servers",
    ];
    assert_eq!(Setup::new("").mistakes(), expected);
    assert_eq!(Setup::new("# nothing\n---\n").mistakes(), expected);
}

#[test]
fn a_missing_key_is_reported_where_its_section_is() {
    let file = format!("{KEYS}\n\npili:\n  hub: h\n  security_type: expiry\n");
    let expected = ["config.yaml:4: pili.publish_key: is required for the security_type expiry"];
    assert_eq!(Setup::new(&file).mistakes(), expected);
}

#[test]
fn an_unknown_section_or_list_key_names_the_nearest() {
    let setup =
        with_keys("redis: {}\nmysql:\n  databases:\n    - host: h\n      user: u\n      database: d\n");
    let expected = [
        "config.yaml:2: redis: unknown key; the nearest known one is gift",
        "config.yaml:5: mysql.databases[0].username: is required",
        "config.yaml:6: mysql.databases[0].user: unknown key; the nearest known one is username",
    ];
    let mistakes = setup.mistakes();
    assert_eq!(mistakes[1..], expected[1..]);
    assert!(
        mistakes[0].starts_with("config.yaml:2: redis: unknown key; the nearest known one is "),
        "{mistakes:?}"
    );
}

#[test]
fn what_follows_from_a_mistake_is_not_reported_again() {
    // An unusable node id is no missing one, and an unset key is no missing one.
    let setup = Setup::new(
        "node: {node_id: x}\ncache: {type: node, addr: 'r:1'}\nmysql: {databases: [{host: h, username: u, database: d}]}\n\
         auth:\n  jwt_key: ${UNSET_KEY}\n  server: {access_key: a, secret_key: b}\n",
    );
    let expected = [
        "config.yaml:1: node.node_id: \"x\" is not a whole number from 0 to 1023",
        "config.yaml:5: auth.jwt_key: the environment variable UNSET_KEY is not set",
    ];
    assert_eq!(setup.mistakes(), expected);
}

#[test]
fn mistakes_of_both_files_and_the_environment_come_together() {
    let setup = with_keys("httpq:\n  addr: nonsense\n")
        .overlay("cron:\n\n  lease_s: soon\n")
        .env("LIVELOOM__LIVE__VIEWER_TIMEOUT_S", "-1")
        .env("LIVELOOM__LIFE__X", "1");
    let expected = [
        "config.yaml:3: httpq.addr: \"nonsense\" is not an address to listen on, such as :8099 or 127.0.0.1:8099",
        "second.yaml:3: cron.lease_s: \"soon\" is not a whole number from 1 to 3600",
        "LIVELOOM__LIFE__X: life: unknown key; the nearest known one is live",
        "LIVELOOM__LIVE__VIEWER_TIMEOUT_S: live.viewer_timeout_s: \"-1\" is not a whole number from 1 to 86400",
    ];
    assert_eq!(setup.mistakes(), expected);
}

#[test]
fn files_that_are_no_configuration_are_refused_on_one_line() {
    let cases = [
        ("a: [1,\n  2\n", "config.yaml:3: not valid YAML"),
        ("node:\n  node_id: 1\n node_id: 2\n", "config.yaml:3: not valid YAML"),
        ("node: {}\n---\nnode: {}\n", "config.yaml:2: holds more than one document"),
        ("node: {}\nlog: {}\nNode: {}\n", "config.yaml:3: Node: is given twice"),
        ("node: *nowhere\n", "config.yaml:1: not valid YAML"),
        ("node: &a [*a]\n", "config.yaml:1: refers to an anchor"),
        ("[a]: 1\n", "config.yaml:1: a key must be a plain word"),
        (&"[".repeat(10_000), "config.yaml:1: "),
    ];
    for (file, expected) in cases {
        let mistakes = Setup::new(file).mistakes();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(expected), "{file:.40}: {mistakes:?}");
    }
    // The second file may hold what the first one lacks: nothing is missed while it cannot be read.
    let setup = Setup::new("log: {}\n").overlay("auth: [");
    assert_eq!(setup.mistakes().len(), 1, "{:?}", setup.mistakes());
}

#[test]
fn a_document_that_is_no_mapping_and_a_section_that_is_there_twice_are_mistakes() {
    let mistakes = Setup::new("- a\n- b\n").mistakes();
    assert_eq!(mistakes[0], "config.yaml:1: must hold keys and values");
    let mistakes = with_keys("cache: {}\ncache_config: {}\n").mistakes();
    assert_eq!(mistakes, ["config.yaml:3: cache_config: is given twice, as cache too"]);
    let mistakes = with_keys("\"k\\ney\": 1\n").mistakes();
    assert!(
        mistakes.len() == 1 && mistakes[0].starts_with("config.yaml:2: k\\ney: unknown key"),
        "{mistakes:?}"
    );
    let mistakes = Setup::new("auth: ${NONE}\n").mistakes();
    assert_eq!(mistakes, ["config.yaml:1: auth: the environment variable NONE is not set"]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let setup = Setup::new(KEYS);
    std::fs::write(setup.dir.path().join("config.yaml"), b"node: \xff\n").unwrap();
    assert_eq!(setup.mistakes()[0], "config.yaml: is not UTF-8 text");
    std::fs::remove_file(setup.dir.path().join("config.yaml")).unwrap();
    assert_eq!(setup.mistakes(), ["config.yaml: does not exist"]);
    std::fs::create_dir(setup.dir.path().join("config.yaml")).unwrap();
    assert!(setup.mistakes()[0].starts_with("config.yaml: cannot be read: "), "{:?}", setup.mistakes());
}

#[test]
fn wrong_shapes_are_mistakes_of_their_key() {
    let cases = [
        ("httpq: 8099", "httpq: must hold keys and values"),
        ("httpq: {addr: [a]}", "httpq.addr: must be a single value"),
        ("httpq: {cors: maybe}", "httpq.cors: \"maybe\" is neither true nor false"),
        ("hooks: {allow: [10.0.0.0/99]}", "hooks.allow: \"10.0.0.0/99\" is not a network such as 10.0.0.0/8"),
        (
            "httpq: {cors_admin_origins: ['*']}",
            "httpq.cors_admin_origins: \"*\" is not an origin such as https://console.example.com",
        ),
        (
            "httpq: {cors_admin_origins: [https://console.example.com/path]}",
            "httpq.cors_admin_origins: \"https://console.example.com/path\" is not an origin such as \
             https://console.example.com",
        ),
        ("hooks: {allow: [[a]]}", "hooks.allow: must be a list of texts"),
        ("mysql: {databases: {host: a}}", "mysql.databases: must be a list"),
        (
            "log: {filter: 'liveloom=loud'}",
            "log.filter: \"liveloom=loud\" is not a log filter such as info,liveloom=debug",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(with_keys(file).mistakes(), [format!("config.yaml:2: {expected}")]);
    }
}

#[test]
fn every_mistake_of_a_list_is_a_line() {
    let file = "httpq:\n  trusted_proxies:\n    - 10.0.0.0/8\n    - nowhere\n    - 10.0.0.0/99\n  \
                cors_admin_origins: [console, 'https://a.example.com', 'ftp:/b']\n\
                hooks: {allow: 'x, 10.0.0.0/8, y'}\n\
                cache: {type: cluster, addrs: [a, 'b:1', c]}\nnode: {node_id: 1}\n\
                callback: {secrets: ['whsec_?', 0123456789abcdef, 'whsec_!', change-me]}\n";
    let secrets = "callback.secrets: begins with whsec_, but what follows is not base64";
    let expected = [
        "config.yaml:5: httpq.trusted_proxies: \"nowhere\" is not a network such as 10.0.0.0/8",
        "config.yaml:6: httpq.trusted_proxies: \"10.0.0.0/99\" is not a network such as 10.0.0.0/8",
        "config.yaml:7: httpq.cors_admin_origins: \"console\" is not an origin such as https://console.example.com",
        "config.yaml:7: httpq.cors_admin_origins: \"ftp:/b\" is not an origin such as https://console.example.com",
        "config.yaml:8: hooks.allow: \"x\" is not a network such as 10.0.0.0/8",
        "config.yaml:8: hooks.allow: \"y\" is not a network such as 10.0.0.0/8",
        "config.yaml:9: cache.addrs: \"a\" is not of the form host:port",
        "config.yaml:9: cache.addrs: \"c\" is not of the form host:port",
        &format!("config.yaml:11: {secrets} (number 1 of the list)"),
        &format!("config.yaml:11: {secrets} (number 3 of the list)"),
        "config.yaml:11: callback.secrets: still is the placeholder of the example: put a secret of your own here, \
         such as `openssl rand -hex 24` makes (number 4 of the list)",
    ];
    assert_eq!(with_keys(file).mistakes(), expected);
}
