//! The text that a signature is made over.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::SignatureError;

const HEADER_PREFIX: &str = "X-Qiniu-";
const UNCOVERED_TYPE: &[u8] = b"application/octet-stream";

/// What of a request is signed. Byte slices where HTTP allows more than UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as it stood in the request line, before any normalisation or decoding.
    pub path: &'a str,
    /// The query without its `?`; empty when there is none.
    pub raw_query: &'a str,
    /// The `Host` header (or the `:authority` of HTTP/2).
    pub host: &'a [u8],
    /// `Content-Type` and the `X-Qiniu-*` headers.
    pub headers: &'a SignedHeaders,
    /// The whole body; empty when there is none.
    pub body: &'a [u8],
}

impl RequestParts<'_> {
    /// Whether the signature covers the body, or there is none.
    #[must_use]
    pub fn body_is_covered(&self) -> bool {
        self.body.is_empty() || self.headers.covers_body()
    }
}

/// The headers that take part in a signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedHeaders {
    content_type: Vec<u8>,
    qiniu: Vec<(String, Vec<u8>)>,
}

impl SignedHeaders {
    /// Picks them from all headers of a request, given in the order of the request.
    ///
    /// Of a repeated header the first value counts, as with Go's `Header.Get`.
    pub fn collect<'h>(headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) -> Self {
        let mut picked = Self::default();
        let mut has_type = false;
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("content-type") {
                if !std::mem::replace(&mut has_type, true) {
                    picked.content_type = value.trim_ascii().to_vec();
                }
            } else if is_qiniu_header(name) {
                picked.qiniu.push((canonical_name(name), value.trim_ascii().to_vec()));
            }
        }
        // A stable sort keeps repeated headers in the order of the request.
        picked.qiniu.sort_by(|a, b| a.0.cmp(&b.0));
        picked.qiniu.dedup_by(|later, first| later.0 == first.0);
        picked
    }

    /// The value of one `X-Qiniu-*` header, by its canonical name.
    #[must_use]
    pub fn get(&self, canonical: &str) -> Option<&[u8]> {
        self.qiniu.iter().find(|(name, _)| name == canonical).map(|(_, value)| value.as_slice())
    }

    fn covers_body(&self) -> bool {
        !self.content_type.is_empty() && self.content_type != UNCOVERED_TYPE
    }
}

/// The signed text over `path`, one of [`path_candidates`].
#[must_use]
pub fn signing_text(parts: &RequestParts<'_>, path: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(256 + parts.body.len());
    text.extend_from_slice(parts.method.as_bytes());
    text.push(b' ');
    text.extend_from_slice(path);
    if !parts.raw_query.is_empty() {
        text.push(b'?');
        text.extend_from_slice(parts.raw_query.as_bytes());
    }
    push_header(&mut text, "Host", parts.host);
    if !parts.headers.content_type.is_empty() {
        push_header(&mut text, "Content-Type", &parts.headers.content_type);
    }
    for (name, value) in &parts.headers.qiniu {
        push_header(&mut text, name, value);
    }
    text.extend_from_slice(b"\n\n");
    if parts.headers.covers_body() {
        text.extend_from_slice(parts.body);
    }
    text
}

/// The forms of a raw path that a signature may be made over: decoded, as the Go server sees it,
/// and, when that differs, as it was sent.
pub fn path_candidates(raw: &str) -> Result<Vec<Cow<'_, [u8]>>, SignatureError> {
    if has_broken_escape(raw.as_bytes()) {
        return Err(SignatureError::InvalidPath);
    }
    let decoded: Cow<'_, [u8]> = percent_decode_str(raw).into();
    // A decoded `?` would let one signature stand for two different requests; a line feed likewise.
    let ambiguous = |c: char| c == '?' || c.is_control();
    if String::from_utf8_lossy(&decoded).contains(ambiguous) {
        return Err(SignatureError::InvalidPath);
    }
    let raw = Cow::Borrowed(raw.as_bytes());
    Ok(if decoded == raw { vec![raw] } else { vec![decoded, raw] })
}

fn push_header(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.push(b'\n');
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b": ");
    text.extend_from_slice(value);
}

/// Only names longer than the bare prefix count.
fn is_qiniu_header(name: &str) -> bool {
    name.len() > HEADER_PREFIX.len()
        && name.get(..HEADER_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(HEADER_PREFIX))
}

/// Go's canonical MIME case: the first letter and each after a hyphen in capitals, the rest small.
fn canonical_name(name: &str) -> String {
    let mut at_start = true;
    name.chars()
        .map(|c| {
            let cased = if at_start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            at_start = c == '-';
            cased
        })
        .collect()
}

fn has_broken_escape(raw: &[u8]) -> bool {
    let is_hex = |at: usize| raw.get(at).is_some_and(u8::is_ascii_hexdigit);
    raw.iter().enumerate().any(|(at, byte)| *byte == b'%' && !(is_hex(at + 1) && is_hex(at + 2)))
}
