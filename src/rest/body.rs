//! JSON bodies, read as leniently as the Go server reads them.
//!
//! Unknown fields are ignored, field names match case-insensitively at the top level (the iOS SDK
//! posts `Data` for `data`), `null` equals an absent field and a missing body equals `{}`.

mod lenient;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use self::lenient::{Lenient, reason};
use super::error::{ApiError, Invalid};
use super::incoming::RawBody;
use common::json;

/// The body of `request`; empty when it has none, or none was taken.
#[must_use]
pub fn raw(request: &HttpRequest) -> Bytes {
    request.extensions().get::<RawBody>().map(RawBody::bytes).unwrap_or_default()
}

/// A JSON body of type `T`, parsed and validated.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T> FromRequest for Body<T>
where
    T: DeserializeOwned + Validate<Context = ()> + 'static,
{
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(&raw(request)).map(Self).map_err(ApiError::from))
    }
}

/// Parses and validates a JSON text.
///
/// # Errors
/// [`Invalid`] that names the field and the reason.
pub fn parse<T>(bytes: &[u8]) -> Result<T, Invalid>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let text = json::readable(bytes);
    json::check_depth(&text).map_err(|error| Invalid(format!("body: {error}")))?;
    let parsed: T = serde_path_to_error::deserialize(Lenient::top(value(&text)?)).map_err(|error| {
        let path = error.path().to_string();
        let reason = reason(error.inner());
        Invalid(if path == "." { format!("body: {reason}") } else { format!("{path}: {reason}") })
    })?;
    parsed.validate().map_err(|report| Invalid(describe(&report)))?;
    Ok(parsed)
}

/// The one value of a text; no text, or `null`, is an empty object.
fn value(text: &[u8]) -> Result<&str, Invalid> {
    const NOTHING: &str = "{}";
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(NOTHING);
    }
    let value: &RawValue =
        serde_json::from_slice(text).map_err(|error| Invalid(format!("body: not JSON: {error}")))?;
    Ok(if value.get() == "null" { NOTHING } else { value.get() })
}

fn describe(report: &garde::Report) -> String {
    let lines = report.iter().map(|(path, error)| {
        let path = path.to_string();
        if path.is_empty() { error.to_string() } else { format!("{path}: {error}") }
    });
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize, Validate)]
    #[garde(allow_unvalidated)]
    struct Inner {
        #[serde(default)]
        name: String,
        #[serde(default)]
        count: i64,
    }

    #[derive(Debug, Default, PartialEq, Deserialize, Validate)]
    #[garde(allow_unvalidated)]
    #[serde(default)]
    struct Outer {
        title: String,
        some: Option<i64>,
        map: BTreeMap<String, String>,
        data: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize, Validate)]
    #[serde(transparent)]
    #[garde(allow_unvalidated)]
    struct Many(Vec<Inner>);

    fn outer(text: &str) -> Result<Outer, String> {
        parse(text.as_bytes()).map_err(|error| error.0)
    }

    #[test]
    fn names_fold_case_at_the_top_only_and_the_last_one_counts() {
        let read = outer(r#"{"TITLE":"a","title":"b","Title":null,"data":[{"Name":"x","name":"y"}]}"#);
        let wanted = Outer {
            title: "b".to_owned(),
            data: vec![Inner { name: "y".to_owned(), count: 0 }],
            ..Outer::default()
        };
        assert_eq!(read, Ok(wanted));
        let many: Many = parse(br#"[{"NAME":"x"},{"Count":2}]"#).expect("a list");
        assert_eq!((many.0[0].name.as_str(), many.0[1].count), ("x", 2));
    }

    #[test]
    fn null_is_absent_wherever_it_is() {
        for nothing in ["", " \n", "null", "{}", r#"{"title":null,"some":null,"map":null,"data":null}"#] {
            assert_eq!(outer(nothing), Ok(Outer::default()), "{nothing}");
        }
        let read =
            outer(r#"{"map":{"a":null,"b":"c"},"data":[{"name":null,"count":3}]}"#).expect("an object");
        assert_eq!(read.map, BTreeMap::from([("b".to_owned(), "c".to_owned())]));
        assert_eq!(read.data, [Inner { name: String::new(), count: 3 }]);
    }

    #[test]
    fn what_nobody_reads_is_not_looked_at() {
        let read = outer(r#"{"unknown":[1e999,"\ud83d",{"a":-1E+4000}],"title":"t"}"#);
        assert_eq!(read.map(|read| read.title), Ok("t".to_owned()));
    }

    #[test]
    fn text_that_was_cut_in_a_character_is_taken() {
        let read = outer("\u{feff}{\"title\":\"hi \\ud83d\",\"map\":{\"k\\udc00\":\"\\ud83d\\ude00\"}}");
        let read = read.expect("an object");
        assert_eq!(read.title, "hi \u{fffd}");
        assert_eq!(read.map, BTreeMap::from([("k\u{fffd}".to_owned(), "\u{1f600}".to_owned())]));
    }

    #[test]
    fn the_reason_is_the_true_one() {
        let deep = |depth: usize| format!(r#"{{"unknown":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(outer(&deep(127)).is_ok());
        for (text, wanted) in [
            (deep(128).as_str(), "body: is nested more than 128 deep"),
            (r#"{"title":5}"#, "title: invalid type: integer `5`, expected a string"),
            (r#"{"some":1e999}"#, "some: number out of range"),
            (r#"{"map":{"a":{}}}"#, "map.a: invalid type: object, expected a string"),
            (
                r#"{"data":[{},{"count":"x"}]}"#,
                "data[1].count: invalid type: string \"x\", expected a whole number",
            ),
            (r#"{"data":{}}"#, "data: invalid type: object, expected a list"),
            ("[]", "body: invalid type: list, expected an object"),
            (r#"{"title":"#, "body: not JSON: EOF while parsing a value at line 1 column 9"),
            ("{} x", "body: not JSON: trailing characters at line 1 column 4"),
        ] {
            assert_eq!(outer(text), Err(wanted.to_owned()), "{text}");
        }
    }
}
