//! `hooks`: calls of media servers when a stream begins and ends.

use ipnet::IpNet;
use serde::Serialize;

use super::Secret;
use super::auth::loopback;
use super::section::Section;

/// `hooks`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HooksConfig {
    /// Media servers that need no secret.
    pub allow: Vec<IpNet>,
    /// What others must bring; empty: no others.
    pub secret: Secret,
    /// Whether publishes are taken while `pili.security_type` is `none`.
    pub allow_unsigned: bool,
}

impl Default for HooksConfig {
    fn default() -> Self {
        Self { allow: loopback(), secret: Secret::default(), allow_unsigned: false }
    }
}

impl HooksConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            allow: section.networks("allow", &default.allow),
            secret: section.signing_key("secret"),
            allow_unsigned: section.flag("allow_unsigned", default.allow_unsigned),
        }
    }
}
