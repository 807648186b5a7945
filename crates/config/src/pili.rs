//! `pili`: where streams are published and played.

use serde::Serialize;

use super::section::Section;
use super::{MAX_SECONDS, Secret};

/// How a publish URL is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityType {
    /// Not at all.
    #[default]
    None,
    /// With an expiry and `pili.publish_key`.
    Expiry,
    /// With an expiry and the `account` keys.
    ExpirySk,
}

/// `pili`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PiliConfig {
    /// The streaming hub, the first part of a stream's path.
    pub hub: String,
    /// Life of RTC room tokens in seconds (24 h when absent).
    pub room_token_expire_s: u64,
    /// Base of the addresses of recordings.
    pub playback_url: String,
    /// How publish URLs are signed.
    pub security_type: SecurityType,
    /// Signs publish URLs of the type `expiry`.
    pub publish_key: Secret,
    /// Life of publish URLs in seconds.
    pub publish_expire_s: u64,
    /// The name of a room's stream; its one `%s` stands for the live id.
    pub stream_pattern: String,
    /// Base of publish URLs; empty: `rtmp://<publish_domain>`.
    pub publish_url: String,
    /// Host of publish URLs.
    pub publish_domain: String,
    /// Base of RTMP play URLs.
    pub rtmp_play_url: String,
    /// Base of FLV play URLs.
    pub flv_play_url: String,
    /// Base of HLS play URLs.
    pub hls_play_url: String,
    /// Base of other media of the hub.
    pub media_url: String,
    /// Address of the Pili service, without a slash at the end.
    pub api_url: String,
}

impl Default for PiliConfig {
    fn default() -> Self {
        Self {
            hub: String::new(),
            room_token_expire_s: 86_400,
            playback_url: String::new(),
            security_type: SecurityType::None,
            publish_key: Secret::default(),
            publish_expire_s: 3600,
            stream_pattern: "%s".to_owned(),
            publish_url: String::new(),
            publish_domain: String::new(),
            rtmp_play_url: String::new(),
            flv_play_url: String::new(),
            hls_play_url: String::new(),
            media_url: String::new(),
            api_url: "https://pili.qiniuapi.com".to_owned(),
        }
    }
}

impl PiliConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let types = [
            ("none", SecurityType::None),
            ("expiry", SecurityType::Expiry),
            ("expiry_sk", SecurityType::ExpirySk),
        ];
        let pili = Self {
            hub: section.text("hub", ""),
            room_token_expire_s: life(section, "room_token_expire_s", default.room_token_expire_s),
            playback_url: section.address("playback_url", ""),
            security_type: section.choice("security_type", default.security_type, &types),
            publish_key: section.signing_key("publish_key"),
            publish_expire_s: life(section, "publish_expire_s", default.publish_expire_s),
            stream_pattern: section.filled("stream_pattern").unwrap_or(&default.stream_pattern).to_owned(),
            publish_url: section.address("publish_url", ""),
            publish_domain: section.text("publish_domain", ""),
            rtmp_play_url: section.address("rtmp_play_url", ""),
            flv_play_url: section.address("flv_play_url", ""),
            hls_play_url: section.address("hls_play_url", ""),
            media_url: section.address("media_url", ""),
            api_url: section.address("api_url", &default.api_url),
        };
        pili.check(section);
        pili
    }

    fn check(&self, section: &Section<'_>) {
        if self.security_type == SecurityType::Expiry && self.publish_key.is_empty() {
            section.error("publish_key", "is required for the security_type expiry");
        }
        if self.stream_pattern.matches('%').count() != 1 || !self.stream_pattern.contains("%s") {
            section.error("stream_pattern", "must contain one %s, for the live id, and no other %");
        } else if self.stream_pattern.contains(|c: char| "/?#&".contains(c) || c.is_whitespace()) {
            section.error("stream_pattern", "must be one part of a path: without / ? # & and spaces");
        }
        let published_to = !(self.publish_url.is_empty() && self.publish_domain.is_empty());
        if !self.hub.is_empty() && !published_to {
            section.warn("publish_domain", "is missing, and publish_url too: rooms get no usable push URL");
        } else if self.hub.is_empty() && published_to {
            section.warn("hub", "is missing: rooms get no usable push URL");
        }
    }
}

/// A life in seconds; 0 is the same as absent.
fn life(section: &Section<'_>, key: &'static str, default: u64) -> u64 {
    match section.number(key, default, 0..=MAX_SECONDS) {
        0 => default,
        seconds => seconds,
    }
}
