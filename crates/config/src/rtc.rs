//! `rtc`: Qiniu's real-time audio and video.

use serde::Serialize;

use super::section::Section;

/// `rtc`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RtcConfig {
    /// The RTC application.
    pub app_id: String,
    /// Address of the RTC service, without a slash at the end.
    pub api_url: String,
}

impl Default for RtcConfig {
    fn default() -> Self {
        Self { app_id: String::new(), api_url: "https://rtc.qiniuapi.com".to_owned() }
    }
}

impl RtcConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self { app_id: section.text("app_id", ""), api_url: section.address("api_url", &default.api_url) }
    }
}
