//! Addresses of live streams on Qiniu Pili, or on any RTMP server that is asked through the hooks.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

use super::sign_url::Query;
use crate::auth::Credentials;
use config::{PiliConfig, Secret, SecurityType};

/// Stands for the live id in `pili.stream_pattern`.
const LIVE_ID: &str = "%s";
/// The query parameter that holds the signature.
pub(super) const TOKEN: &str = "token";

/// A `pili` section that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PiliError {
    /// `security_type: expiry` without a key.
    #[error("pili.publish_key: required by security_type expiry")]
    NoPublishKey,
    /// `security_type: expiry_sk` without keys.
    #[error("account.access_key, account.secret_key: required by pili.security_type expiry_sk")]
    NoAccount,
    /// All rooms would share one stream, or the live id could not be told from the name.
    #[error("pili.stream_pattern: must hold %s exactly once")]
    Pattern,
}

/// How publish URLs are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSecurity {
    /// Not at all.
    None,
    /// `expire=<unix s>` and a token under the publish key.
    Expiry {
        /// Pili's publish key.
        key: Secret,
    },
    /// `e=<unix s>` and a token under the account's secret key.
    ExpirySk {
        /// The account's keys.
        keys: Credentials,
    },
}

/// Builds, signs and verifies the addresses of rooms' streams. Cheap enough to clone.
#[derive(Clone, Debug)]
pub struct Pili {
    config: PiliConfig,
    prefix: String,
    suffix: String,
    pub(super) security: UrlSecurity,
    pub(super) allow_unsigned: bool,
}

impl Pili {
    /// Checks the section; `allow_unsigned` is `hooks.allow_unsigned`: with `security_type: none`,
    /// whether [`Pili::verify_publish`] lets streams in.
    pub fn new(config: &PiliConfig, account: &Credentials, allow_unsigned: bool) -> Result<Self, PiliError> {
        let security = match config.security_type {
            SecurityType::None => UrlSecurity::None,
            SecurityType::Expiry if config.publish_key.is_empty() => return Err(PiliError::NoPublishKey),
            SecurityType::Expiry => UrlSecurity::Expiry { key: config.publish_key.clone() },
            SecurityType::ExpirySk if account.is_empty() => return Err(PiliError::NoAccount),
            SecurityType::ExpirySk => UrlSecurity::ExpirySk { keys: account.clone() },
        };
        // Without a pattern the stream is named like the room.
        let pattern = if config.stream_pattern.is_empty() { LIVE_ID } else { &config.stream_pattern };
        let (prefix, suffix) = pattern.split_once(LIVE_ID).ok_or(PiliError::Pattern)?;
        if suffix.contains(LIVE_ID) {
            return Err(PiliError::Pattern);
        }
        let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
        Ok(Self { config: config.clone(), prefix, suffix, security, allow_unsigned })
    }

    /// The Pili hub, which is the `app` of an RTMP server.
    #[must_use]
    pub fn hub(&self) -> &str {
        &self.config.hub
    }

    /// The name of a room's stream.
    #[must_use]
    pub fn stream_name(&self, live_id: &str) -> String {
        format!("{}{live_id}{}", self.prefix, self.suffix)
    }

    /// The room whose stream has this name.
    #[must_use]
    pub fn live_id<'s>(&self, stream: &'s str) -> Option<&'s str> {
        stream
            .strip_prefix(self.prefix.as_str())?
            .strip_suffix(self.suffix.as_str())
            .filter(|id| !id.is_empty())
    }

    /// The address to publish a room's stream to; empty when none is configured.
    ///
    /// It is good until `expire_at` when that lies in the future, else for `publish_expire_s`.
    #[must_use]
    pub fn publish_url(&self, live_id: &str, expire_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
        let Some(base) = self.publish_base() else {
            return String::new();
        };
        let url = self.stream_address(&base, live_id, "");
        let life_s = i64::try_from(self.config.publish_expire_s).unwrap_or(i64::MAX);
        let default = now.timestamp().saturating_add(life_s);
        let expire = expire_at.filter(|at| *at > now).map_or(default, |at| at.timestamp());
        sign_publish_url(&url, &self.security, expire)
    }

    /// The address to play a room's stream from by RTMP; empty when none is configured.
    #[must_use]
    pub fn rtmp_url(&self, live_id: &str) -> String {
        self.stream_address(&self.config.rtmp_play_url, live_id, "")
    }

    /// The address to play a room's stream from by HTTP-FLV; empty when none is configured.
    #[must_use]
    pub fn flv_url(&self, live_id: &str) -> String {
        self.stream_address(&self.config.flv_play_url, live_id, ".flv")
    }

    /// The address to play a room's stream from by HLS; empty when none is configured.
    #[must_use]
    pub fn hls_url(&self, live_id: &str) -> String {
        self.stream_address(&self.config.hls_play_url, live_id, ".m3u8")
    }

    /// The address of a recording by its file name; empty when none is configured.
    #[must_use]
    pub fn playback_url(&self, fname: &str) -> String {
        let base = self.config.playback_url.trim_end_matches('/');
        if base.is_empty() { String::new() } else { format!("{base}/{fname}") }
    }

    /// Whether an RTMP application is the one that publish URLs lead to: the hub, below the path of
    /// `publish_url` when that has one.
    pub(super) fn is_our_app(&self, app: &str) -> bool {
        let ours = decoded_path(&format!("{}/{}", self.publish_origin(), self.config.hub));
        ours.strip_prefix(b"/").unwrap_or(&ours) == app.as_bytes()
    }

    /// The path of a stream's publish URL, as it is signed.
    pub(super) fn publish_path(&self, stream: &str) -> Vec<u8> {
        decoded_path(&format!("{}/{}/{stream}", self.publish_origin(), self.config.hub))
    }

    /// As [`Pili::publish_base`], with an address that has no host when none is configured.
    fn publish_origin(&self) -> String {
        self.publish_base().unwrap_or_else(|| "rtmp://".to_owned())
    }

    fn publish_base(&self) -> Option<String> {
        match (self.config.publish_url.trim_end_matches('/'), self.config.publish_domain.as_str()) {
            ("", "") => None,
            ("", domain) => Some(format!("rtmp://{domain}")),
            (url, _) => Some(url.to_owned()),
        }
    }

    fn stream_address(&self, base: &str, live_id: &str, extension: &str) -> String {
        let base = base.trim_end_matches('/');
        if base.is_empty() {
            return String::new();
        }
        format!("{base}/{}/{}{extension}", self.config.hub, self.stream_name(live_id))
    }
}

impl UrlSecurity {
    /// The parameter that holds the expiry, in Unix seconds.
    #[must_use]
    pub fn expiry_parameter(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Expiry { .. } => Some("expire"),
            Self::ExpirySk { .. } => Some("e"),
        }
    }

    /// The token over `<path>?<query>`; empty without a security.
    #[must_use]
    pub fn token(&self, path: &[u8], query: &str) -> String {
        let data = [path, b"?", query.as_bytes()].concat();
        match self {
            Self::None => String::new(),
            Self::Expiry { key } => crate::auth::signature::sign(key.expose(), &data),
            Self::ExpirySk { keys } => format!("{}:{}", keys.access_key, keys.sign(&data)),
        }
    }
}

/// Adds expiry (Unix seconds) and token to a publish URL, as Pili's SDKs do.
#[must_use]
pub fn sign_publish_url(url: &str, security: &UrlSecurity, expire: i64) -> String {
    let Some(parameter) = security.expiry_parameter() else {
        return url.to_owned();
    };
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query = Query::parse(query);
    query.set(parameter, expire.to_string());
    query.remove(TOKEN);
    let query = query.encode();
    let token = security.token(&decoded_path(address), &query);
    format!("{address}?{query}&{TOKEN}={token}")
}

/// The decoded path of `scheme://host/path`, with its slash.
fn decoded_path(address: &str) -> Vec<u8> {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or_default();
    percent_decode_str(path).collect()
}
