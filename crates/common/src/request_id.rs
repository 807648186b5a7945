//! The id that names one request in its answer, in the logs and in what it causes.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The request and response header.
pub const HEADER: &str = "x-reqid";

const MAX_LEN: usize = 64;

/// A request id: 1 to 64 visible ASCII characters.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id that a caller sent, when it is well formed.
    #[must_use]
    pub fn sent(id: &str) -> Option<Self> {
        let is_well_formed = (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        is_well_formed.then(|| Self(id.into()))
    }

    /// A new id.
    #[must_use]
    pub fn generate() -> Self {
        let bytes: [u8; 12] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The id of what has none.
    #[must_use]
    pub fn none() -> Self {
        Self("".into())
    }

    /// The id, to be kept.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
