//! Signatures and tokens, made here from `signing.md` alone: what the server accepts is judged by a
//! second implementation, not by its own.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

/// HMAC-SHA1 of `data`, in padded URL-safe base64, as Qiniu signs.
pub fn qiniu(secret_key: &str, data: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes()).unwrap();
    mac.update(data);
    URL_SAFE.encode(mac.finalize().into_bytes())
}

/// A request as the signature sees it.
pub struct Signed<'a> {
    pub method: &'a str,
    /// Decoded, or raw.
    pub path: &'a [u8],
    pub query: Option<&'a str>,
    pub host: &'a str,
    pub headers: &'a [(String, String)],
    pub body: Option<&'a [u8]>,
}

impl Signed<'_> {
    /// The text of signing.md §1.
    pub fn text(&self) -> Vec<u8> {
        let mut text = format!("{} ", self.method).into_bytes();
        text.extend_from_slice(self.path);
        if let Some(query) = self.query.filter(|query| !query.is_empty()) {
            text.extend_from_slice(format!("?{query}").as_bytes());
        }
        text.extend_from_slice(format!("\nHost: {}", self.host).as_bytes());
        let content_type = self.header("content-type");
        if !content_type.is_empty() {
            text.extend_from_slice(format!("\nContent-Type: {content_type}").as_bytes());
        }
        for (name, value) in self.qiniu_headers() {
            text.extend_from_slice(format!("\n{name}: {value}").as_bytes());
        }
        text.extend_from_slice(b"\n\n");
        if !content_type.is_empty() && content_type != "application/octet-stream" {
            text.extend_from_slice(self.body.unwrap_or_default());
        }
        text
    }

    fn header(&self, wanted: &str) -> &str {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or("", |(_, value)| value)
    }

    fn qiniu_headers(&self) -> Vec<(String, &str)> {
        let prefix = "X-Qiniu-";
        let named = self.headers.iter().map(|(name, value)| (canonical(name), value.as_str()));
        let mut chosen: Vec<_> =
            named.filter(|(name, _)| name.starts_with(prefix) && name.len() > prefix.len()).collect();
        chosen.sort();
        chosen
    }
}

/// A header name in canonical MIME case: `x-qiniu-date` is `X-Qiniu-Date`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + &letters.as_str().to_ascii_lowercase()
        })
    });
    words.collect::<Vec<_>>().join("-")
}

/// A JWT over `claims`, signed by HMAC-SHA256 whatever `alg` the header claims (`HS256` is an honest one).
pub fn jwt(key: &str, alg: &str, claims: &Value) -> String {
    let text = unsigned(alg, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A JWT truly signed by HMAC-SHA512: a correct signature by an algorithm that is not accepted.
pub fn jwt_hs512(key: &str, claims: &Value) -> String {
    let text = unsigned("HS512", claims);
    let mut mac = Hmac::<sha2::Sha512>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A JWT with `alg` in its header and no signature: `<header>.<claims>`.
pub fn unsigned(alg: &str, claims: &Value) -> String {
    let header = json!({"alg": alg, "typ": "JWT"}).to_string();
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// The header and the claims of a JWT, without a look at its signature.
pub fn jwt_parts(token: &str) -> (Value, Value) {
    let part = |index: usize| {
        let text = token.split('.').nth(index).expect("a JWT has three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
    };
    (part(0), part(1))
}

/// The payload of an RTC room token `ak:sign:base64url(json)`; panics when `keys` do not verify it.
pub fn room_token(token: &str, keys: Option<(&str, &str)>) -> Value {
    let parts: Vec<&str> = token.split(':').collect();
    assert_eq!(parts.len(), 3, "a room token is ak:sign:payload, got {token:?}");
    if let Some((access_key, secret_key)) = keys {
        assert_eq!(parts[0], access_key, "access key of {token:?}");
        assert_eq!(parts[1], qiniu(secret_key, parts[2].as_bytes()), "signature of {token:?}");
    }
    let payload = URL_SAFE.decode(parts[2]).expect("padded base64url");
    serde_json::from_slice(&payload).expect("the payload is JSON")
}

#[test]
fn vectors_of_the_signature() {
    assert_eq!(qiniu("sk", b"hello"), "NDN8cM0rwosxhHJ6QAcI7ialr0g=");
    assert_eq!(qiniu("sk", b"-test"), "oJ59sZasiWSqL1o7ugZs5OInEK4=");
    let request = Signed {
        method: "GET",
        path: b"/path/to/api",
        query: Some("param=value"),
        host: "example.com",
        headers: &[("Content-Type".to_owned(), "application/json".to_owned())],
        body: None,
    };
    assert_eq!(
        String::from_utf8(request.text()).unwrap(),
        "GET /path/to/api?param=value\nHost: example.com\nContent-Type: application/json\n\n"
    );
}

#[test]
fn qiniu_headers_are_canonical_and_sorted() {
    let headers = [("x-qiniu-date", "d"), ("X-QINIU-AAA", "a"), ("X-Qiniu-", "none"), ("X-Other", "o")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Signed {
        method: "GET",
        path: b"/",
        query: None,
        host: "h",
        headers: &headers,
        body: Some(b"left out"),
    };
    let text = String::from_utf8(request.text()).unwrap();
    assert_eq!(text, "GET /\nHost: h\nX-Qiniu-Aaa: a\nX-Qiniu-Date: d\n\n");
}
