//! `account`: the operator's Qiniu keys.

use serde::Serialize;

use super::Secret;
use super::section::Section;

/// `account`: signs RTC tokens, `expiry_sk` publish URLs, and calls to Pili, RTC and the review service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccountConfig {
    /// The public half.
    pub access_key: String,
    /// The secret half.
    pub secret_key: Secret,
}

impl AccountConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self { access_key: section.access_key("access_key"), secret_key: section.signing_key("secret_key") }
    }
}
