//! The ids in a path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use super::error::{ApiError, Invalid};

/// Characters that an id in a path may have: the width of the id columns.
const MAX_CHARS: usize = 64;

/// The one `{id}` or `{live_id}` of the route, decoded.
#[derive(Debug)]
pub struct PathId(pub String);

impl FromRequest for PathId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let first = request.match_info().iter().next();
        ready(first.map_or_else(
            || Err(Invalid("the path has no id".to_owned()).into()),
            |(name, text)| decode(name, text).map(Self).map_err(ApiError::from),
        ))
    }
}

/// The ids of a route with several, decoded, in the order of the path.
#[derive(Debug)]
pub struct PathIds<const N: usize>(pub [String; N]);

impl<const N: usize> FromRequest for PathIds<N> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids: Result<Vec<String>, Invalid> =
            request.match_info().iter().map(|(name, text)| decode(name, text)).collect();
        ready(ids.map_err(ApiError::from).and_then(|ids| {
            let found = ids.len();
            let ids =
                ids.try_into().map_err(|_| Invalid(format!("the path has {found} ids instead of {N}")))?;
            Ok(Self(ids))
        }))
    }
}

/// Decodes a path segment, in which the router has left only `%25`, `%2F` and `%2B` encoded.
fn decode(name: &str, text: &str) -> Result<String, Invalid> {
    let id = percent_decode_str(text).decode_utf8();
    let id = id.map_err(|_| Invalid(format!("{name}: not valid UTF-8")))?;
    if id.chars().count() > MAX_CHARS {
        return Err(Invalid(format!("{name}: has more than {MAX_CHARS} characters")));
    }
    if id.chars().any(char::is_control) {
        return Err(Invalid(format!("{name}: has a control character")));
    }
    Ok(id.into_owned())
}
