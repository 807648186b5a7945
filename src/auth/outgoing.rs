//! Signs the calls to Qiniu's own APIs (Pili, RTC, review).

use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::signature::{
    Credentials, RequestParts, SCHEME, SignatureError, SignedHeaders, path_candidates, signing_text,
};

/// Puts the `Authorization` header of `keys` on a request that is otherwise complete.
pub fn authorize(keys: &Credentials, request: &mut Request) -> Result<(), SignatureError> {
    let mut value = authorization(keys, request)?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// The `Authorization` header for a request. Its URL, headers and body must be final.
///
/// A body that is streamed cannot be signed, and one that the signature would not cover (no
/// Content-Type, or application/octet-stream) is refused, since the receiver refuses it as well.
pub fn authorization(keys: &Credentials, request: &Request) -> Result<HeaderValue, SignatureError> {
    if keys.is_empty() {
        return Err(SignatureError::UnknownKey);
    }
    let url = request.url();
    let headers = SignedHeaders::collect(
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())),
    );
    let host = host_header(url).ok_or(SignatureError::Unsignable)?;
    let body = match request.body() {
        Some(body) => body.as_bytes().ok_or(SignatureError::Unsignable)?,
        None => &[],
    };
    let parts = RequestParts {
        method: request.method().as_str(),
        path: url.path(),
        raw_query: url.query().unwrap_or_default(),
        host: host.as_bytes(),
        headers: &headers,
        body,
    };
    if !parts.body_is_covered() {
        return Err(SignatureError::BodyNotCovered);
    }
    let paths = path_candidates(parts.path)?;
    let decoded = paths.first().ok_or(SignatureError::Unsignable)?;
    let sign = keys.sign(&signing_text(&parts, decoded));
    HeaderValue::from_str(&format!("{SCHEME}{}:{sign}", keys.access_key))
        .map_err(|_| SignatureError::Unsignable)
}

/// `host[:port]` as the HTTP client sends it: the port only when it is not the scheme's own.
fn host_header(url: &url::Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
