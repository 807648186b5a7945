//! `censor`: content review by the Qiniu service.

use serde::Serialize;

use super::section::Section;

/// `censor`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CensorConfig {
    /// This server's own address as the review service sees it.
    pub callback: String,
    /// Where suspicious images are stored.
    pub bucket: String,
    /// The public address of the bucket, without a slash at the end.
    pub addr: String,
    /// Address of the review service, without a slash at the end.
    pub api_url: String,
}

impl Default for CensorConfig {
    fn default() -> Self {
        Self {
            callback: String::new(),
            bucket: String::new(),
            addr: String::new(),
            api_url: "http://ai.qiniuapi.com".to_owned(),
        }
    }
}

impl CensorConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            callback: section.address("callback", ""),
            bucket: section.text("bucket", ""),
            addr: section.address("addr", ""),
            api_url: section.address("api_url", &default.api_url),
        }
    }
}
