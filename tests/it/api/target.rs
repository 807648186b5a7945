//! The server under test: one that runs somewhere, or one of our own in this process.

use std::env;
use std::sync::Arc;

use crate::support::fake_payment::FakePayment;

/// A server and what is known of it.
#[derive(Clone)]
pub struct Target {
    /// `http://host:port`, without a slash at the end.
    pub base_url: String,
    /// Keys of `auth.server`.
    pub access_key: String,
    pub secret_key: String,
    /// The key of client tokens.
    pub jwt_key: Option<String>,
    /// `account` keys, of a server whose `pili.security_type` is `expiry_sk`.
    pub stream_keys: Option<(String, String)>,
    /// Name and password of an administrator.
    pub admin: Option<(String, String)>,
    /// The URL of the Prometheus exporter.
    pub metrics_url: Option<String>,
    /// The payment service, of a server of our own.
    pub payer: Option<Arc<FakePayment>>,
}

impl Target {
    /// The server that the environment names, if it does.
    pub fn from_env() -> Option<Self> {
        let get =
            |name: &str| env::var(format!("LIVELOOM_TARGET_{name}")).ok().filter(|value| !value.is_empty());
        let base_url = get("URL")?.trim_end_matches('/').to_owned();
        Some(Self {
            base_url,
            access_key: get("AK").expect("LIVELOOM_TARGET_AK"),
            secret_key: get("SK").expect("LIVELOOM_TARGET_SK"),
            jwt_key: get("JWT_KEY"),
            stream_keys: get("STREAM_AK").zip(get("STREAM_SK")),
            admin: get("ADMIN_NAME").zip(get("ADMIN_PASSWORD")),
            metrics_url: get("METRICS"),
            payer: None,
        })
    }

    /// `host:port`, as the `Host` header says it.
    pub fn host(&self) -> &str {
        self.base_url.split_once("://").map_or("", |(_, host)| host)
    }
}
