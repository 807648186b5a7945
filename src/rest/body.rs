//! JSON bodies, read as leniently as the Go server reads them.
//!
//! Unknown fields are ignored, field names match case-insensitively at the top level (the iOS SDK
//! posts `Data` for `data`), `null` equals an absent field and a missing body equals `{}`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use garde::Validate;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::error::{ApiError, Invalid};

/// Bytes that a request body may have.
pub const MAX_BYTES: usize = 1 << 20;

/// The whole body of a request, put into its extensions before routing, so that the signature
/// check and the handler can both read it.
#[derive(Clone, Debug, Default)]
pub struct RawBody(pub Bytes);

/// The body of `request`; empty when it has none.
#[must_use]
pub fn raw(request: &HttpRequest) -> Bytes {
    request.extensions().get::<RawBody>().map(|body| body.0.clone()).unwrap_or_default()
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
    let value = read(bytes)?;
    let parsed: T = serde_path_to_error::deserialize(Lenient(value)).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        Invalid(if path == "." { format!("body: {reason}") } else { format!("{path}: {reason}") })
    })?;
    parsed.validate().map_err(|report| Invalid(describe(&report)))?;
    Ok(parsed)
}

fn read(bytes: &[u8]) -> Result<Value, Invalid> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let mut value: Value =
        serde_json::from_slice(bytes).map_err(|error| Invalid(format!("body: not JSON: {error}")))?;
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    drop_nulls(&mut value);
    Ok(value)
}

/// `serde_json` bounds the nesting at 128, so the recursion is bounded too.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn describe(report: &garde::Report) -> String {
    let lines = report.iter().map(|(path, error)| {
        let path = path.to_string();
        if path.is_empty() { error.to_string() } else { format!("{path}: {error}") }
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// A JSON value whose objects, at the top level or in a top-level list, match field names
/// case-insensitively.
struct Lenient(Value);

impl<'de> Deserializer<'de> for Lenient {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(MapDeserializer::new(rename(map, fields).into_iter())),
            other => other.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Lenient))),
            other => other.deserialize_seq(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, serde_json::Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Gives each field the spelling that the type knows; of several spellings the last one counts, as
/// with Go's decoder.
fn rename(map: Map<String, Value>, fields: &[&'static str]) -> Map<String, Value> {
    let mut renamed = Map::with_capacity(map.len());
    for (key, value) in map {
        if let Some(field) = fields.iter().find(|field| field.eq_ignore_ascii_case(&key)) {
            renamed.insert((*field).to_owned(), value);
        }
    }
    renamed
}
