//! What makes a repeated send the same gift: the client's key, and the backend's `biz_id`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sha2::{Digest, Sha256};

use crate::rest::{ApiError, Invalid};

/// The header of a client's key.
const HEADER: &str = "idempotency-key";
const MAX_CHARS: usize = 64;
/// `GET /server/gift/config` is the list of gift types.
const RESERVED: &str = "config";

/// A client's own name for a send: 1 to 64 visible ASCII characters, unique per user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey(String);

impl ClientKey {
    /// Takes `text` if it is well formed.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        check_visible(text).map(|()| Self(text.to_owned()))
    }

    /// What is stored: a digest of user and key. Its letters are all small, so that no collation takes
    /// two for one, and another user's key of the same text is another digest.
    #[must_use]
    pub fn digest(&self, user_id: &str) -> String {
        // No user id has a control character, so that no two pairs spell the same text.
        let digest = Sha256::new().chain_update(user_id).chain_update([0]).chain_update(&self.0).finalize();
        base16ct::lower::encode_string(&digest)
    }
}

fn check_visible(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.len() > MAX_CHARS {
        Err("has more than 64 characters")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("has a character that is not visible ASCII")
    } else {
        Ok(())
    }
}

/// Whether `text` may be a payment's id: 1 to 64 visible ASCII characters that a path can carry, and
/// not `config`.
pub(super) fn biz_id(text: &str, _: &()) -> garde::Result {
    let checked = if text == RESERVED {
        Err("is reserved")
    } else if text.contains('?') {
        Err("has a question mark")
    } else {
        check_visible(text)
    };
    checked.map_err(garde::Error::new)
}

/// Whether `text` may be a client's key in a body; an empty one is none.
pub(super) fn client_key(text: &Option<String>, _: &()) -> garde::Result {
    let filled = text.as_deref().filter(|text| !text.is_empty());
    filled.map_or(Ok(()), |text| check_visible(text).map_err(garde::Error::new))
}

/// The key in the header `Idempotency-Key`.
#[derive(Debug)]
pub struct IdempotencyKey(pub Option<ClientKey>);

impl IdempotencyKey {
    /// The one key of a request that may also have one in its body.
    ///
    /// # Errors
    /// [`Invalid`] when both are there and differ: whichever counted, a repeat with the other alone
    /// would be paid again.
    pub fn or_of_body(self, text: Option<&str>) -> Result<Option<ClientKey>, Invalid> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(self.0) };
        let key = ClientKey::parse(text).map_err(|why| Invalid(format!("biz_id: {why}")))?;
        match self.0 {
            Some(header) if header != key => {
                Err(Invalid("biz_id: differs from the header Idempotency-Key".to_owned()))
            }
            _ => Ok(Some(key)),
        }
    }
}

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(of_header(request).map(Self).map_err(|why| Invalid(format!("Idempotency-Key: {why}")).into()))
    }
}

fn of_header(request: &HttpRequest) -> Result<Option<ClientKey>, &'static str> {
    let mut values = request.headers().get_all(HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("is given twice");
    }
    let text = value.to_str().map_err(|_| "has a character that is not visible ASCII")?;
    ClientKey::parse(text).map(Some)
}
