//! Query parameters, read strictly: bad UTF-8 or a bad number is the caller's error.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode;

use super::error::{ApiError, Invalid};

/// The query parameters of a request, in their order.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parses `application/x-www-form-urlencoded` text (a query or a form body).
    ///
    /// # Errors
    /// [`Invalid`] when a name or a value is not UTF-8.
    pub fn parse(text: &[u8]) -> Result<Self, Invalid> {
        let pairs = text.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
        pairs.map(parse_pair).collect::<Result<_, _>>().map(Self)
    }

    /// The first value of `name`, when there is one that is not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first value of `name`, of at most `max` characters.
    ///
    /// # Errors
    /// [`Invalid`] when it is longer or has a control character.
    pub fn text(&self, name: &str, max: usize) -> Result<Option<&str>, Invalid> {
        let found = self.get(name);
        if found.is_some_and(|text| text.chars().count() > max) {
            return Err(Invalid(format!("{name}: has more than {max} characters")));
        }
        if found.is_some_and(|text| text.chars().any(char::is_control)) {
            return Err(Invalid(format!("{name}: has a control character")));
        }
        Ok(found)
    }

    /// All values of `name`, also spelled `name[]` as the SDKs' HTTP libraries do.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let matches = move |key: &str| key.strip_suffix("[]").unwrap_or(key) == name;
        self.0.iter().filter(move |(key, _)| matches(key)).map(|(_, value)| value.as_str())
    }

    /// The number `name`, or `default` when it is absent.
    ///
    /// # Errors
    /// [`Invalid`] when it is not a number of this type, or empty.
    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, Invalid> {
        let given = self.0.iter().find(|(key, _)| key == name);
        given.map_or(Ok(default), |(_, text)| {
            text.parse().map_err(|_| Invalid(format!("{name}: `{}` is not an integer", shorten(text))))
        })
    }
}

/// Enough of a caller's text to recognise it in an error message.
#[must_use]
pub fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

fn parse_pair(pair: &[u8]) -> Result<(String, String), Invalid> {
    let mut halves = pair.splitn(2, |&b| b == b'=');
    let name = decode(halves.next().unwrap_or_default())?;
    let value = decode(halves.next().unwrap_or_default())?;
    Ok((name, value))
}

fn decode(text: &[u8]) -> Result<String, Invalid> {
    let spaced: Vec<u8> = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let decoded = percent_decode(&spaced).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| Invalid("the parameters are not valid UTF-8".to_owned()))
}

impl FromRequest for Params {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string().as_bytes()).map_err(ApiError::from))
    }
}
