//! `im`: who carries the chat messages.

use serde::Serialize;

use super::Secret;
use super::section::Section;

/// `im`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum ImConfig {
    /// This server itself.
    #[default]
    Builtin,
    /// Qiniu IM.
    Qiniu {
        /// The IM application.
        app_id: String,
        /// Address of its API, without a slash at the end.
        endpoint: String,
        /// The administrator's access token.
        token: Secret,
    },
}

impl ImConfig {
    /// Without `provider`: Qiniu when its three keys are set, else built in.
    pub(super) fn read(section: &Section<'_>) -> Self {
        const KEYS: [&str; 3] = ["app_id", "endpoint", "token"];
        let providers = [("qiniu", Some(true)), ("builtin", Some(false))];
        let wanted = section.choice("provider", None, &providers);
        let given = KEYS.iter().filter(|key| section.filled(key).is_some()).count();
        match (wanted, given) {
            (Some(true), _) => {
                for key in KEYS.iter().filter(|key| section.filled(key).is_none()) {
                    section.error(key, "is required for the provider qiniu");
                }
            }
            (None, 1..3) => {
                let text = "is built in: the provider qiniu needs app_id, endpoint and token";
                section.warn("provider", text);
            }
            _ => {}
        }
        let qiniu = Self::Qiniu {
            app_id: section.text("app_id", ""),
            endpoint: section.address("endpoint", ""),
            token: section.secret("token"),
        };
        if wanted.unwrap_or(given == KEYS.len()) { qiniu } else { Self::Builtin }
    }
}
