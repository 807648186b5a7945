//! The rules that span sections.

use super::report::Report;
use super::{CacheConfig, Config, SecurityType, listen_addrs};

/// Reports what does not fit together.
pub(super) fn check(config: &Config, report: &Report<'_>) {
    stores(config, report);
    account(config, report);
    hooks(config, report);
    demo(config, report);
}

fn stores(config: &Config, report: &Report<'_>) {
    let redis = config.cache.redis().is_some();
    if redis && !report.is_given("node.node_id") {
        report.error(
            "node.node_id",
            "is required with Redis: a number from 0 to 1023, different on every node",
        );
    }
    match (&config.cache, config.mysql.databases.is_empty()) {
        (CacheConfig::Memory, false) => {
            let text = "is memory: right for one node only, several nodes on these databases need Redis";
            report.warn("cache.type", text);
        }
        (CacheConfig::Node(_) | CacheConfig::Cluster(_), true) => {
            let text = "is empty: the SQLite file belongs to this one node, Redis or not";
            report.warn("mysql.databases", text);
        }
        _ => {}
    }
}

/// The `account` keys may be empty, as in the reference's docker files, until something signs with them.
fn account(config: &Config, report: &Report<'_>) {
    let missing = [
        ("account.access_key", config.account.access_key.is_empty()),
        ("account.secret_key", config.account.secret_key.is_empty()),
    ];
    for (key, _) in missing.into_iter().filter(|(_, missing)| *missing) {
        if config.pili.security_type == SecurityType::ExpirySk {
            report.error(key, "is required for the pili.security_type expiry_sk");
        } else if !config.rtc.app_id.is_empty() {
            report.warn(key, "is empty: RTC refuses the tokens that this server signs");
        }
    }
}

fn hooks(config: &Config, report: &Report<'_>) {
    if config.hooks.allow_unsigned && config.pili.security_type != SecurityType::None {
        report.warn("hooks.allow_unsigned", "has no effect: pili.security_type signs publish URLs");
    }
}

/// Whoever opens the demo room becomes a user, which only data that nobody needs should be exposed to. Embedded mode
/// has it on, and is opened to the network by whoever wants to show it.
fn demo(config: &Config, report: &Report<'_>) {
    if !config.demo.enable {
        return;
    }
    let addrs = listen_addrs(&config.httpq.addr).unwrap_or_default();
    if !config.mysql.databases.is_empty() {
        let text = "is on with MySQL: anybody becomes a user of these databases. It is not for production";
        report.warn("demo.enable", text);
    } else if report.is_written("demo.enable") && !addrs.iter().all(|addr| addr.ip().is_loopback()) {
        let text = "is on, and httpq.addr is open to the network: anybody who reaches it becomes a user. It is \
                    not for production";
        report.warn("demo.enable", text);
    }
}
