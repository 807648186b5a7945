//! `auth`: the keys of clients and of business servers.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};

use super::Secret;
use super::section::Section;

/// The key in QNLiveKit_Server's sample file, which everybody knows.
const SAMPLE_JWT_KEY: &str = "jwtkey";
const SAMPLE_ACCESS_KEY: &str = "ak";
const SAMPLE_SECRET_KEY: &str = "sk";

/// `auth`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AuthConfig {
    /// The first signs, all verify. At least one.
    #[serde(flatten, serialize_with = "as_jwt_keys")]
    pub jwt_keys: Vec<Secret>,
    /// `auth.server`
    pub server: ServerAuthConfig,
}

/// `auth.server`: calls of business backends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerAuthConfig {
    /// Whether `/server/*` calls must be signed.
    pub enable: bool,
    /// The public half of the signing keys.
    pub access_key: String,
    /// The secret half.
    pub secret_key: Secret,
    /// Where unsigned calls may come from while `enable` is false.
    pub allow: Vec<IpNet>,
    /// Whether `X-Qiniu-Date` must be there, and a repeat within its window is refused.
    pub require_date: bool,
}

impl Default for ServerAuthConfig {
    fn default() -> Self {
        Self {
            enable: true,
            access_key: String::new(),
            secret_key: Secret::default(),
            allow: loopback(),
            require_date: false,
        }
    }
}

impl AuthConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let mut jwt_keys = vec![section.signing_key("jwt_key")];
        let known = "anybody can make tokens for any user, change it";
        let further = section.signing_keys("jwt_keys", Some((SAMPLE_JWT_KEY, known)));
        if jwt_keys.iter().any(|secret| secret.expose() == SAMPLE_JWT_KEY) {
            section.warn_of_sample("jwt_key", known);
        }
        jwt_keys.extend(further);
        jwt_keys.retain(|key| !key.is_empty());
        if jwt_keys.is_empty() {
            section.error("jwt_key", "is required: it signs the tokens of clients");
        }
        section.section("admin", |admin| admin.ignored("enable", "operators always need a token"));
        section.section("client", |client| client.ignored("enable", "clients always need a token"));
        Self { jwt_keys, server: section.section("server", ServerAuthConfig::read) }
    }
}

impl ServerAuthConfig {
    fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let server = Self {
            enable: section.flag("enable", default.enable),
            access_key: section.access_key("access_key"),
            secret_key: section.signing_key("secret_key"),
            allow: section.networks("allow", &default.allow),
            require_date: section.flag("require_date", default.require_date),
        };
        server.check(section);
        server
    }

    fn check(&self, section: &Section<'_>) {
        let reason = "is required while auth.server.enable is true: it signs the calls of servers";
        if self.enable && self.access_key.is_empty() {
            section.error("access_key", reason);
        }
        if self.enable && self.secret_key.is_empty() {
            section.error("secret_key", reason);
        }
        if self.access_key == SAMPLE_ACCESS_KEY {
            section.warn_of_sample("access_key", "change it together with the secret key");
        }
        if self.secret_key.expose() == SAMPLE_SECRET_KEY {
            section.warn_of_sample("secret_key", "anybody can call as a server, change it");
        }
    }
}

/// Shows the keys as they are configured.
fn as_jwt_keys<S: Serializer>(keys: &[Secret], serializer: S) -> Result<S::Ok, S::Error> {
    first_and_further(["jwt_key", "jwt_keys"], keys).serialize(serializer)
}

/// One secret and the list beside it, which are one list in here.
pub(super) fn first_and_further([first, further]: [&str; 2], secrets: &[Secret]) -> serde_json::Value {
    let (one, others) = match secrets.split_first() {
        Some((one, others)) => (one.to_string(), others.iter().map(ToString::to_string).collect()),
        None => (String::new(), Vec::new()),
    };
    serde_json::json!({ first: one, further: others })
}

/// This machine's own addresses.
pub(super) fn loopback() -> Vec<IpNet> {
    const V4: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8);
    const V6: Ipv6Net = Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128);
    vec![V4.into(), V6.into()]
}
