//! Placeholder of the section structs (split into one file per section by the configuration work).

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Secret;

/// Everything that an operator can set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub node: NodeConfig,
    pub account: AccountConfig,
    pub httpq: HttpqConfig,
    pub auth: AuthConfig,
    pub cache: CacheConfig,
    pub mysql: MysqlConfig,
    pub im: ImConfig,
    pub rtc: RtcConfig,
    pub pili: PiliConfig,
    pub cron: CronConfig,
    pub prome: PromeConfig,
    pub callback: CallbackConfig,
    pub censor: CensorConfig,
    pub gift: GiftConfig,
    pub hooks: HooksConfig,
    pub live: LiveConfig,
    pub limits: LimitsConfig,
    pub log: LogConfig,
}
/// node
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// 0..=1023; None only before defaults are resolved (embedded mode: 1).
    pub node_id: u16,
    pub data_dir: PathBuf,
}
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountConfig {
    pub access_key: String,
    pub secret_key: Secret,
}
#[derive(Clone, Debug, PartialEq)]
pub struct HttpqConfig {
    /// ":8099" means all interfaces.
    pub addr: String,
    pub workers: usize,
    pub cors: bool,
    pub trusted_proxies: Vec<ipnet::IpNet>,
}
#[derive(Clone, Debug, PartialEq)]
pub struct AuthConfig {
    /// The first signs, all verify.
    pub jwt_keys: Vec<Secret>,
    pub server: ServerAuthConfig,
}
#[derive(Clone, Debug, PartialEq)]
pub struct ServerAuthConfig {
    pub enable: bool,
    pub access_key: String,
    pub secret_key: Secret,
    pub allow: Vec<ipnet::IpNet>,
    pub require_date: bool,
}
#[derive(Clone, Debug, PartialEq)]
pub enum CacheConfig {
    Memory,
    Node(RedisConfig),
    Cluster(RedisConfig),
}
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RedisConfig {
    /// host:port; exactly one for a node.
    pub addrs: Vec<String>,
    pub username: String,
    pub password: Secret,
    pub tls: bool,
    /// Starts the name of every key and channel, so that several servers can share one Redis.
    pub key_prefix: String,
}
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MysqlConfig {
    /// Empty: embedded SQLite in node.data_dir.
    pub databases: Vec<DatabaseConfig>,
}
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseConfig {
    pub host: String,
    pub port: u16,
    pub username: String,
    pub password: Secret,
    pub database: String,
    pub max_idle_conns: u32,
    pub max_open_conns: u32,
    /// seconds
    pub conn_max_life_time: u64,
    pub default: String,
    pub read_only: bool,
    pub loc: chrono_tz::Tz,
}
#[derive(Clone, Debug, PartialEq)]
pub enum ImConfig {
    Builtin,
    Qiniu { app_id: String, endpoint: String, token: Secret },
}
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RtcConfig {
    pub app_id: String,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityType {
    #[default]
    None,
    Expiry,
    ExpirySk,
}
#[derive(Clone, Debug, PartialEq)]
pub struct PiliConfig {
    pub hub: String,
    /// Life of RTC room tokens in seconds (24 h when absent).
    pub room_token_expire_s: u64,
    pub playback_url: String,
    pub security_type: SecurityType,
    pub publish_key: Secret,
    pub publish_expire_s: u64,
    pub stream_pattern: String,
    pub publish_url: String,
    pub publish_domain: String,
    pub rtmp_play_url: String,
    pub flv_play_url: String,
    pub hls_play_url: String,
    pub media_url: String,
}
#[derive(Clone, Debug, PartialEq)]
pub struct CronConfig {
    pub single_task_node: u16,
    pub lease_s: u64,
}
#[derive(Clone, Debug, PartialEq)]
pub enum PromeConfig {
    Off,
    Exporter { listen_addr: String },
    Pusher { url: String, job: String, instance: String, interval_s: u64 },
}
#[derive(Clone, Debug, PartialEq)]
pub struct CallbackConfig {
    pub addr: String,
    pub secrets: Vec<Secret>,
    pub timeout_s: u64,
    pub max_attempts: u32,
}
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CensorConfig {
    pub callback: String,
    pub bucket: String,
    pub addr: String,
}
#[derive(Clone, Debug, PartialEq)]
pub struct GiftConfig {
    pub gift_addr: String,
    pub timeout_s: u64,
    pub secret: Secret,
    pub unpaid_status: u16,
    pub give_up_s: u64,
}
#[derive(Clone, Debug, PartialEq)]
pub struct HooksConfig {
    pub allow: Vec<ipnet::IpNet>,
    pub secret: Secret,
    /// Whether hooks take publishes when pili.security_type is none.
    pub allow_unsigned: bool,
}
/// Time-outs of rooms (new in this project).
#[derive(Clone, Debug, PartialEq)]
pub struct LiveConfig {
    /// A viewer silent for this long is out (20 s).
    pub viewer_timeout_s: u64,
    /// An anchor silent for this long ends the live (600 s).
    pub anchor_timeout_s: u64,
}
#[derive(Clone, Debug, PartialEq)]
pub struct LimitsConfig {
    /// Requests per second and client address on the open routes.
    pub open_per_s: u32,
    /// Log-in attempts per second and client address.
    pub login_per_s: u32,
    /// How far a replica may lag before reads fall back to the writable database.
    pub replica_lag_s: u64,
}
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// tracing-subscriber's env-filter syntax.
    pub filter: String,
    pub json: bool,
}
/// An address as httpq.addr spells it.
pub fn parse_listen_addr(text: &str) -> Option<SocketAddr> {
    let text = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    text.parse().ok()
}
