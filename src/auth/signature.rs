//! Qiniu's request signature: `Authorization: Qiniu <ak>:<sign>`.
//!
//! `sign` is the URL-safe base64 of an HMAC-SHA1 over a text made of the request line, `Host`,
//! `Content-Type`, the `X-Qiniu-*` headers and, for most content types, the body. Qiniu documents
//! it as "管理凭证" (management credentials, "Qiniu" scheme).

mod check;
mod text;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use common::failure::{Failure, Kind};
use config::{AccountConfig, Secret, ServerAuthConfig};

pub use check::{ReplayGuard, ServerSignature};
pub use text::{RequestParts, SignedHeaders, path_candidates, signing_text};

/// The scheme of the `Authorization` header, with the space that ends it.
pub const SCHEME: &str = "Qiniu ";

/// A pair of Qiniu keys. `Debug` masks the secret one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The public name of the pair ("AK").
    pub access_key: String,
    /// The key that signs ("SK").
    pub secret_key: Secret,
}

impl Credentials {
    /// Whether either key is missing, so that nothing can be signed or verified.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.access_key.is_empty() || self.secret_key.is_empty()
    }

    /// The base64 HMAC-SHA1 of `data` under the secret key.
    #[must_use]
    pub fn sign(&self, data: &[u8]) -> String {
        sign(self.secret_key.expose(), data)
    }
}

impl From<&AccountConfig> for Credentials {
    fn from(config: &AccountConfig) -> Self {
        Self { access_key: config.access_key.clone(), secret_key: config.secret_key.clone() }
    }
}

impl From<&ServerAuthConfig> for Credentials {
    fn from(config: &ServerAuthConfig) -> Self {
        Self { access_key: config.access_key.clone(), secret_key: config.secret_key.clone() }
    }
}

/// Why a signed request is refused, or cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no `Authorization` header.
    #[error("no Authorization header")]
    Missing,
    /// The header is not `Qiniu <ak>:<sign>`.
    #[error("the Authorization header is not `Qiniu <access key>:<signature>`")]
    Malformed,
    /// Not the access key of this server, or this server has no keys.
    #[error("unknown access key")]
    UnknownKey,
    /// The signature does not belong to this request.
    #[error("the signature does not match the request")]
    Mismatch,
    /// The body has no Content-Type, or application/octet-stream: the signature would not cover it.
    #[error("the signature does not cover the body (Content-Type absent or application/octet-stream)")]
    BodyNotCovered,
    /// `auth.server.require_date` is set and `X-Qiniu-Date` is absent.
    #[error("X-Qiniu-Date is required")]
    DateMissing,
    /// `X-Qiniu-Date` is not of the form `20060102T150405Z`.
    #[error("X-Qiniu-Date is not of the form 20060102T150405Z")]
    DateMalformed,
    /// `X-Qiniu-Date` is more than 15 minutes away from now.
    #[error("X-Qiniu-Date is more than 15 minutes away")]
    DateOutOfWindow,
    /// The same request was seen before within the window; the caller who keeps the store says so.
    #[error("the request was sent before")]
    Replayed,
    /// The path cannot be decoded, or holds `?` or a control character when decoded.
    #[error("path: must not hold an encoded question mark, a control character or a broken escape")]
    InvalidPath,
    /// An outgoing request streams a body that would have to be signed, or holds an unusable header.
    #[error("the outgoing request cannot be signed")]
    Unsignable,
}

impl Failure for SignatureError {
    fn kind(&self) -> Kind {
        match self {
            Self::InvalidPath => Kind::Invalid,
            Self::Unsignable => Kind::Internal,
            _ => Kind::Unauthorized,
        }
    }

    /// One text for every refusal: which check failed is for the log alone.
    fn message(&self) -> Cow<'static, str> {
        match self.kind() {
            Kind::Unauthorized => Cow::Borrowed("Unauthorized"),
            _ => Cow::Owned(self.to_string()),
        }
    }
}

/// The URL-safe base64, padded, of the HMAC-SHA1 of `data` under `secret_key`.
#[must_use]
pub fn sign(secret_key: &str, data: &[u8]) -> String {
    // HMAC takes keys of any length, so this branch is never taken; `verify` refuses its answer.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes()) else {
        return String::new();
    };
    mac.update(data);
    URL_SAFE.encode(mac.finalize().into_bytes())
}

/// Whether `given` is the signature of `data`, in constant time; stripped padding is accepted.
#[must_use]
pub fn verify(secret_key: &str, data: &[u8], given: &str) -> bool {
    use subtle::ConstantTimeEq;
    let expected = sign(secret_key, data);
    let stripped = |text: &str| text.strip_suffix('=').unwrap_or(text).as_bytes().to_vec();
    !expected.is_empty() && bool::from(stripped(&expected).ct_eq(&stripped(given)))
}
