//! The configuration: one YAML file, a second one over it, then the environment.
//!
//! [`Config::load`] reads files, [`Config::embedded`] does without. Both report everything that is
//! wrong at once, each thing with its place. One file per section says what its keys are, their
//! defaults and their rules; `check` holds the rules that span sections.

mod account;
mod auth;
mod cache;
mod callback;
mod censor;
mod check;
mod cron;
mod current;
mod demo;
mod document;
mod embedded;
mod environment;
mod events;
mod gift;
mod hooks;
mod httpq;
mod im;
mod keys;
mod limits;
mod live;
mod load;
mod log;
mod mysql;
mod node;
mod parse;
mod pili;
mod problem;
mod prome;
mod realtime;
mod report;
mod rtc;
mod secret;
mod section;
mod shown;
mod strength;
mod substitute;
mod traces;
mod values;

use std::fmt;

use serde::Serialize;

pub use account::AccountConfig;
pub use auth::{AuthConfig, ServerAuthConfig};
pub use cache::{CacheConfig, RedisConfig};
pub use callback::CallbackConfig;
pub use censor::CensorConfig;
pub use cron::CronConfig;
pub use current::{Current, Reloads};
pub use demo::DemoConfig;
pub use events::EventsConfig;
pub use gift::GiftConfig;
pub use hooks::HooksConfig;
pub use httpq::{HttpqConfig, listen_addrs};
pub use im::ImConfig;
pub use keys::KEYS_FILE;
pub use limits::LimitsConfig;
pub use live::LiveConfig;
pub use load::{Loaded, Sources};
pub use log::LogConfig;
pub use mysql::{DatabaseConfig, MysqlConfig, MysqlTls};
pub use node::{MAX_NODE_ID, NodeConfig};
pub use pili::{PiliConfig, SecurityType};
pub use problem::{Origin, Problem, Problems};
pub use prome::PromeConfig;
pub use realtime::RealtimeConfig;
pub use rtc::RtcConfig;
pub use secret::Secret;
pub use strength::PLACEHOLDERS;
pub use substitute::Environment;
pub use traces::TracesConfig;

use section::Section;

/// Ten years: longer than anything waits, and far from any overflow.
const MAX_SECONDS: u64 = 315_360_000;

/// Everything that an operator can set. `Debug`, `Display` (YAML, for people) and [`Config::shown`] mask the
/// secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Config {
    /// Which node this is.
    pub node: NodeConfig,
    /// The operator's Qiniu keys.
    pub account: AccountConfig,
    /// The HTTP server.
    pub httpq: HttpqConfig,
    /// Keys of clients and business servers.
    pub auth: AuthConfig,
    /// Redis or memory.
    pub cache: CacheConfig,
    /// The databases.
    pub mysql: MysqlConfig,
    /// The chat messages' carrier.
    pub im: ImConfig,
    /// Real-time audio and video.
    pub rtc: RtcConfig,
    /// Publishing and playing streams.
    pub pili: PiliConfig,
    /// Time-driven work.
    pub cron: CronConfig,
    /// Metrics.
    pub prome: PromeConfig,
    /// Events for the business service.
    pub callback: CallbackConfig,
    /// Content review.
    pub censor: CensorConfig,
    /// Payment of gifts.
    pub gift: GiftConfig,
    /// Calls of media servers.
    pub hooks: HooksConfig,
    /// Time-outs of rooms.
    pub live: LiveConfig,
    /// The demo room.
    pub demo: DemoConfig,
    /// The built-in IM.
    pub realtime: RealtimeConfig,
    /// The event archive.
    pub events: EventsConfig,
    /// Bounds.
    pub limits: LimitsConfig,
    /// Logging.
    pub log: LogConfig,
    /// Spans for an OpenTelemetry collector.
    pub traces: TracesConfig,
}

impl Config {
    /// A server that runs alone on a free port of this machine, with fixed keys: `test-jwt-key`,
    /// `test-ak`, `test-sk`. Point `node.data_dir` at a folder of the test's own.
    #[must_use]
    pub fn for_testing() -> Self {
        let mut config = Self::default();
        config.httpq.addr = "127.0.0.1:0".to_owned();
        config.httpq.workers = 2;
        config.auth.jwt_keys = vec![Secret::new("test-jwt-key")];
        config.auth.server.access_key = "test-ak".to_owned();
        config.auth.server.secret_key = Secret::new("test-sk");
        config
    }

    fn read(root: &Section<'_>) -> Self {
        let node = root.section("node", NodeConfig::read);
        Self {
            account: root.section("account", AccountConfig::read),
            httpq: root.section("httpq", HttpqConfig::read),
            auth: root.section("auth", AuthConfig::read),
            cache: root.section("cache", CacheConfig::read),
            mysql: root.section("mysql", MysqlConfig::read),
            im: root.section("im", ImConfig::read),
            rtc: root.section("rtc", RtcConfig::read),
            pili: root.section("pili", PiliConfig::read),
            cron: root.section("cron", CronConfig::read),
            prome: root.section("prome", |section| PromeConfig::read(section, node.node_id)),
            callback: root.section("callback", CallbackConfig::read),
            censor: root.section("censor", CensorConfig::read),
            gift: root.section("gift", GiftConfig::read),
            hooks: root.section("hooks", HooksConfig::read),
            live: root.section("live", LiveConfig::read),
            demo: root.section("demo", DemoConfig::read),
            realtime: root.section("realtime", RealtimeConfig::read),
            events: root.section("events", EventsConfig::read),
            limits: root.section("limits", LimitsConfig::read),
            log: root.section("log", LogConfig::read),
            traces: root.section("traces", TracesConfig::read),
            node,
        }
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_yaml::to_string(&self.shown()).map_err(|_| fmt::Error)?)
    }
}
