//! The address that the review service posts results to: it names the room and carries a keyed
//! signature of it, since the service itself signs nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::form_urlencoded::Serializer;

use config::Secret;

/// Keeps these keys apart from every other use of the secrets that they are made of.
const PURPOSE: &[u8] = b"liveloom: callback of the content review";

/// Signs rooms, and knows its own signatures. `Debug` shows no key.
#[derive(Clone)]
pub struct HookKeys(Vec<[u8; 32]>);

impl std::fmt::Debug for HookKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookKeys")
    }
}

impl HookKeys {
    /// Keys made of `secrets` (`auth.jwt_keys`): the first one signs, all verify, so that the
    /// callbacks of running jobs outlive a rotation.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        Self(secrets.iter().map(|secret| mac(secret.expose().as_bytes(), PURPOSE)).collect())
    }

    /// The callback of a room below the address `base`.
    #[must_use]
    pub fn url(&self, base: &str, live_id: &str) -> String {
        let key = self.0.first().copied().unwrap_or_default();
        let sign = URL_SAFE_NO_PAD.encode(mac(&key, live_id.as_bytes()));
        let query = Serializer::new(String::new())
            .append_pair("live_id", live_id)
            .append_pair("sign", &sign)
            .finish();
        format!("{}/manager/censor/callback?{query}", base.trim_end_matches('/'))
    }

    /// Whether `sign` is a signature of the room.
    #[must_use]
    pub fn verify(&self, live_id: &str, sign: &str) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(sign) else { return false };
        self.0.iter().any(|key| {
            new_mac(key).is_some_and(|mac| mac.chain_update(live_id.as_bytes()).verify_slice(&given).is_ok())
        })
    }
}

fn new_mac(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

/// A key of any length is taken, so that there is always a result.
fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    new_mac(key).map(|mac| mac.chain_update(data).finalize().into_bytes().into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_of(keys: &HookKeys, live_id: &str) -> String {
        keys.url("http://x", live_id)
            .rsplit_once("sign=")
            .map(|(_, sign)| sign.to_owned())
            .unwrap_or_default()
    }

    #[test]
    fn a_signature_is_good_for_its_room_alone() {
        let keys = HookKeys::new(&[Secret::new("one")]);
        let sign = sign_of(&keys, "17");
        assert!(keys.verify("17", &sign));
        assert!(
            !keys.verify("18", &sign) && !keys.verify("17", "") && !keys.verify("17", &sign.to_lowercase())
        );
    }

    #[test]
    fn running_jobs_outlive_a_rotation_and_nothing_else_does() {
        let old = HookKeys::new(&[Secret::new("one")]);
        let rotated = HookKeys::new(&[Secret::new("two"), Secret::new("one")]);
        let foreign = HookKeys::new(&[Secret::new("two")]);
        let sign = sign_of(&old, "17");
        assert!(rotated.verify("17", &sign) && !foreign.verify("17", &sign));
        assert!(!HookKeys::new(&[]).verify("17", &sign_of(&HookKeys::new(&[]), "17")));
    }

    #[test]
    fn the_address_stands_below_the_configured_one() {
        let url = HookKeys::new(&[Secret::new("one")]).url("https://host/live/", "17");
        assert!(url.starts_with("https://host/live/manager/censor/callback?live_id=17&sign="), "{url}");
    }
}
