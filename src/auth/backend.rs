//! What a business backend's call is known by.

use std::borrow::Cow;

use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};

use super::signature::{Credentials, RequestParts, ServerSignature, SignatureError, SignedHeaders};
use crate::rest::middleware::{OriginalPath, sent_method};
use crate::rest::peer;
use config::ServerAuthConfig;

/// How business backends are known (`auth.server`).
pub struct BackendKeys {
    pub(super) config: ServerAuthConfig,
    pub(super) signature: ServerSignature,
}

impl BackendKeys {
    /// As `config` says.
    #[must_use]
    pub fn new(config: ServerAuthConfig) -> Self {
        let signature = ServerSignature::new(Credentials::from(&config), config.require_date);
        Self { config, signature }
    }

    /// Whether an unsigned call may come from where this one does. A proxy speaks for nobody.
    pub(super) fn check_address(&self, head: &RequestHead) -> Result<(), SignatureError> {
        let is_allowed = |ip| self.config.allow.iter().any(|net| net.contains(&ip));
        if peer::direct_ip(head).is_some_and(is_allowed) { Ok(()) } else { Err(SignatureError::Missing) }
    }
}

/// Left in the request of a backend: its signature may be checked only once.
#[derive(Clone, Copy)]
pub(super) struct KnownBackend {
    pub(super) has_signed: bool,
}

/// A call of a business backend, or the handshake of one.
pub(super) struct Asked<'a> {
    pub(super) head: &'a RequestHead,
    /// As it was sent.
    pub(super) method: Method,
    /// As it stood in the request line.
    pub(super) path: Cow<'a, str>,
    pub(super) body: Bytes,
}

impl<'a> Asked<'a> {
    pub(super) fn of(request: &'a HttpRequest, body: Bytes) -> Self {
        let original = request.extensions().get::<OriginalPath>().map(|path| Cow::Owned(path.0.clone()));
        let path = original.unwrap_or(Cow::Borrowed(request.path()));
        Self { head: request.head(), method: sent_method(request), path, body }
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    pub(super) fn signed_headers(&self) -> SignedHeaders {
        let headers = self.head.headers.iter();
        SignedHeaders::collect(headers.map(|(name, value)| (name.as_str(), value.as_bytes())))
    }

    pub(super) fn parts<'p>(&'p self, headers: &'p SignedHeaders) -> RequestParts<'p> {
        let uri = &self.head.uri;
        let authority = uri.authority().map(|authority| authority.as_str().as_bytes());
        let host = self.head.headers.get(HOST).map(HeaderValue::as_bytes).or(authority);
        RequestParts {
            method: self.method.as_str(),
            path: &self.path,
            raw_query: uri.query().unwrap_or_default(),
            host: host.unwrap_or_default(),
            headers,
            body: &self.body,
        }
    }
}
