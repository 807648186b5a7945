//! What a peer asks for, as text.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::rest::Invalid;

/// Messages that are no requests, until the connection is closed.
pub(super) const MAX_BAD: u32 = 10;
/// Ids are integers that JavaScript has.
const MAX_ID: u64 = (1 << 53) - 1;

/// A request.
pub(super) struct Request<'a> {
    pub(super) id: u64,
    pub(super) method: Cow<'a, str>,
    params: Option<&'a RawValue>,
}

/// A message that is no request.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Its id, or 0.
    pub(super) id: u64,
    pub(super) is_json: bool,
    pub(super) error: Invalid,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Malformed> {
        // A byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            Malformed { id: 0, is_json, error: Invalid(format!("not a request: {error}")) }
        })?;
        let id = wire.id.and_then(|id| id.get().parse().ok()).filter(|id| (1..=MAX_ID).contains(id));
        let Some(id) = id else {
            let error = Invalid("id: must be an integer from 1 to 2^53 - 1".to_owned());
            return Err(Malformed { id: 0, is_json: true, error });
        };
        let Some(method) = wire.method else {
            let error = Invalid("method: is missing".to_owned());
            return Err(Malformed { id, is_json: true, error });
        };
        Ok(Self { id, method, params: wire.params })
    }

    /// The parameters; what is absent is an empty object.
    pub(super) fn params<T: DeserializeOwned>(&self) -> Result<T, Invalid> {
        let text = self.params.map_or("{}", RawValue::get);
        let text = if text == "null" { "{}" } else { text };
        let mut reader = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let (path, why) = (error.path().to_string(), error.inner().to_string());
            let why = why.split(" at line ").next().unwrap_or_default().to_owned();
            Invalid(if path == "." { format!("params: {why}") } else { format!("params.{path}: {why}") })
        })
    }
}

/// The id and the token of a `connect` request.
pub(super) fn connect(text: &str) -> Result<(u64, String), Invalid> {
    #[derive(Deserialize)]
    struct Connect {
        token: String,
    }
    let request = Request::read(text).map_err(|malformed| malformed.error)?;
    if request.method != "connect" {
        return Err(Invalid("method: the first must be connect".to_owned()));
    }
    Ok((request.id, request.params::<Connect>()?.token))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_an_id_and_a_method() {
        let request = Request::read(r#"{"method":"a\u0062","id":7,"more":1}"#).unwrap();
        assert_eq!((request.id, &*request.method), (7, "ab"));
        for (wrong, id, is_json) in [
            ("hello", 0, false),
            ("{", 0, false),
            ("[]", 0, true),
            ("1", 0, true),
            (r#"{"method":"ping"}"#, 0, true),
            (r#"{"id":0,"method":"ping"}"#, 0, true),
            (r#"{"id":-1,"method":"ping"}"#, 0, true),
            (r#"{"id":1.5,"method":"ping"}"#, 0, true),
            (r#"{"id":"1","method":"ping"}"#, 0, true),
            (r#"{"id":9007199254740992,"method":"ping"}"#, 0, true),
            (r#"{"id":3}"#, 3, true),
            (r#"{"id":3,"method":5}"#, 0, true),
        ] {
            let malformed = Request::read(wrong).err().unwrap();
            assert_eq!((malformed.id, malformed.is_json), (id, is_json), "{wrong}");
        }
    }

    #[test]
    fn parameters_say_what_is_wrong_with_them() {
        #[derive(Debug, Deserialize)]
        struct Of {
            #[allow(dead_code)]
            channel: String,
        }
        let read = |text| Request::read(text).unwrap().params::<Of>().map_err(|error| error.0);
        assert!(read(r#"{"id":1,"method":"x","params":{"channel":"room:1"}}"#).is_ok());
        assert_eq!(read(r#"{"id":1,"method":"x"}"#).unwrap_err(), "params: missing field `channel`");
        let wrong = read(r#"{"id":1,"method":"x","params":{"channel":5}}"#).unwrap_err();
        assert_eq!(wrong, "params.channel: invalid type: integer `5`, expected a string");
    }

    #[test]
    fn a_token_comes_by_a_request() {
        let text = r#"{"id":1,"method":"connect","params":{"token":"abc"}}"#;
        assert_eq!(connect(text).unwrap(), (1, "abc".to_owned()));
        assert!(connect("abc.def.ghi").is_err());
        assert!(connect(r#"{"id":1,"method":"ping"}"#).is_err());
    }
}
