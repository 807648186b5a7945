//! Files written for QNLiveKit_Server are accepted as they are, with warnings.

use config::{CacheConfig, ImConfig, PromeConfig, SecurityType};

use super::Setup;

/// The file of the reference's server guide with its placeholders filled in.
const GUIDE: &str = include_str!("guide.yaml");

/// A file as the reference's container deploys it.
const DEPLOYED: &str = include_str!("deployed.yaml");

const SAMPLE_KEYS: [&str; 3] = ["auth.jwt_key", "auth.server.access_key", "auth.server.secret_key"];

fn warned_keys(setup: &Setup) -> Vec<String> {
    setup.load().unwrap().warnings.iter().map(|warning| warning.key().to_owned()).collect()
}

#[test]
fn the_guides_file_is_accepted() {
    let setup = Setup::new(GUIDE);
    let config = setup.config();
    let CacheConfig::Node(redis) = &config.cache else { panic!("{:?}", config.cache) };
    assert_eq!(redis.addrs, ["127.0.0.1:6379"]);
    assert_eq!(config.mysql.databases.len(), 2);
    assert_eq!(config.mysql.writer().unwrap().conn_max_life_time, 5);
    assert!(config.mysql.databases[1].read_only);
    assert!(matches!(config.im, ImConfig::Qiniu { .. }));
    assert_eq!((config.pili.security_type, config.pili.room_token_expire_s), (SecurityType::Expiry, 3600));
    assert!(matches!(config.prome, PromeConfig::Pusher { interval_s: 10, .. }));
    assert_eq!(config.gift.gift_addr, "http://127.0.0.1:8099/manager/gift/test");
    let short = ["account.secret_key", "pili.publish_key"];
    assert_eq!(warned_keys(&setup), [&short[..1], &SAMPLE_KEYS, &short[1..]].concat());
}

#[test]
fn the_guides_other_spellings_are_accepted() {
    let other = GUIDE
        .replace(
            "cache:\n  type: node\n  addr: 127.0.0.1:6379",
            "cache_config:\n  type: cluster\n  addrs:\n    - r1:1\n    - r2:2",
        )
        .replace("prome:", "prome_config:")
        .replace("client_mode: pusher", "client_mode: exporter")
        .replace("cron:", "cron_config:")
        .replace("  server:\n", "  admin:\n    enable: true\n  client:\n    enable: false\n  server:\n");
    let setup = Setup::new(&other);
    let config = setup.config();
    let CacheConfig::Cluster(redis) = &config.cache else { panic!("{:?}", config.cache) };
    assert_eq!(redis.addrs, ["r1:1", "r2:2"]);
    assert_eq!(config.prome, PromeConfig::Exporter { listen_addr: ":9200".to_owned() });
    let mut warned = warned_keys(&setup);
    warned.retain(|key| !SAMPLE_KEYS.contains(&key.as_str()) && !key.ends_with("_key"));
    assert_eq!(warned, ["auth.admin.enable", "auth.client.enable"]);
}

#[test]
fn the_deployed_file_is_accepted_without_its_variables() {
    let setup = Setup::new(DEPLOYED);
    let config = setup.config();
    assert_eq!(config.mysql.databases[0].password.expose(), "123456");
    assert_eq!((config.pili.security_type, config.im), (SecurityType::None, ImConfig::Builtin));
    assert_eq!(config.prome, PromeConfig::Exporter { listen_addr: ":9100".to_owned() });
    let expected = [
        "config.yaml:5: account.access_key: is empty: RTC refuses the tokens that this server signs",
        "config.yaml:6: account.secret_key: is empty: RTC refuses the tokens that this server signs",
        "config.yaml:12: auth.jwt_key: is the sample's: anybody can make tokens for any user, change it",
        "config.yaml:15: auth.server.access_key: is the sample's: change it together with the secret key",
        "config.yaml:16: auth.server.secret_key: is the sample's: anybody can call as a server, change it",
        "config.yaml:42: im.provider: is built in: the provider qiniu needs app_id, endpoint and token",
        "config.yaml:86: gift.gift_addr: \"123\" is not a URL; every use of it will fail as unreachable",
    ];
    assert_eq!(setup.warnings(), expected);
}

#[test]
fn the_deployed_file_takes_its_variables() {
    let config = Setup::new(DEPLOYED)
        .env("QINIU_ACCESS_KEY", "account-ak")
        .env("QINIU_SECRET_KEY", "account-sk")
        .env("IM_ADMIN_TOKEN", "im-token")
        .env("PILI_PUB_KEY", "publish")
        .config();
    assert_eq!(
        (config.account.access_key.as_str(), config.account.secret_key.expose()),
        ("account-ak", "account-sk")
    );
    assert_eq!(config.pili.publish_key.expose(), "publish");
    assert!(matches!(config.im, ImConfig::Qiniu { token, .. } if token.expose() == "im-token"));
}
