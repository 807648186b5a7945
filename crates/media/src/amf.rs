//! AMF0, the values in RTMP commands and in an FLV file's script tags.
//!
//! What a stranger sends is bounded: values nest at most [`MAX_DEPTH`] deep, a message holds at most
//! [`MAX_VALUES`], and a string is never longer than the bytes that came.

use bytes::{BufMut, BytesMut};
use thiserror::Error;

use crate::read::Reader;

/// How deep objects and arrays may stand inside each other.
pub const MAX_DEPTH: usize = 8;
/// How many values a message may have, those inside objects included.
pub const MAX_VALUES: usize = 256;

const NUMBER: u8 = 0;
const BOOLEAN: u8 = 1;
const STRING: u8 = 2;
const OBJECT: u8 = 3;
const NULL: u8 = 5;
const UNDEFINED: u8 = 6;
const ECMA_ARRAY: u8 = 8;
const OBJECT_END: u8 = 9;
const STRICT_ARRAY: u8 = 10;
const DATE: u8 = 11;
const LONG_STRING: u8 = 12;

/// A value. `undefined` reads as [`Value::Null`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// All numbers are doubles.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Bytes that are no UTF-8 are replaced.
    String(String),
    /// Named values in their order.
    Object(Vec<(String, Value)>),
    /// An object under another marker, as metadata uses it.
    EcmaArray(Vec<(String, Value)>),
    /// Values without names.
    StrictArray(Vec<Value>),
    /// Milliseconds since 1970.
    Date(f64),
    /// Nothing.
    Null,
}

impl Value {
    /// The property of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(entries) | Self::EcmaArray(entries) => {
                entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text, when it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

/// Why bytes are no AMF0 that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmfError {
    /// The bytes end inside a value.
    #[error("AMF ends inside a value")]
    Truncated,
    /// Deeper than [`MAX_DEPTH`] or more than [`MAX_VALUES`].
    #[error("AMF nests deeper than {MAX_DEPTH} or has more than {MAX_VALUES} values")]
    TooLarge,
    /// A marker that no encoder sends in a command (references, XML, typed objects, AMF3).
    #[error("AMF marker {0} is not supported")]
    Marker(u8),
}

/// Reads all values of a message.
///
/// # Errors
/// When the bytes are no AMF0 or exceed the limits of this module.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, AmfError> {
    let mut decoder = Decoder { reader: Reader::new(bytes), left: MAX_VALUES };
    let mut values = Vec::new();
    while !decoder.reader.is_empty() {
        values.push(decoder.value(0)?);
    }
    Ok(values)
}

struct Decoder<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Decoder<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, AmfError> {
        if depth > MAX_DEPTH {
            return Err(AmfError::TooLarge);
        }
        self.left = self.left.checked_sub(1).ok_or(AmfError::TooLarge)?;
        Ok(match self.byte()? {
            NUMBER => Value::Number(self.number()?),
            BOOLEAN => Value::Boolean(self.byte()? != 0),
            STRING => Value::String(self.string()?),
            LONG_STRING => {
                let length = self.reader.u32().ok_or(AmfError::Truncated)?;
                Value::String(self.text(usize::try_from(length).map_err(|_| AmfError::TooLarge)?)?)
            }
            OBJECT => Value::Object(self.entries(depth, true)?),
            ECMA_ARRAY => {
                // The count is a hint that some encoders leave at 0.
                self.reader.u32().ok_or(AmfError::Truncated)?;
                Value::EcmaArray(self.entries(depth, false)?)
            }
            STRICT_ARRAY => self.strict_array(depth)?,
            DATE => {
                let milliseconds = self.number()?;
                self.reader.u16().ok_or(AmfError::Truncated)?;
                Value::Date(milliseconds)
            }
            NULL | UNDEFINED => Value::Null,
            marker => return Err(AmfError::Marker(marker)),
        })
    }

    fn byte(&mut self) -> Result<u8, AmfError> {
        self.reader.u8().ok_or(AmfError::Truncated)
    }

    fn number(&mut self) -> Result<f64, AmfError> {
        self.reader.f64().ok_or(AmfError::Truncated)
    }

    fn string(&mut self) -> Result<String, AmfError> {
        let length = self.reader.u16().ok_or(AmfError::Truncated)?;
        self.text(usize::from(length))
    }

    fn text(&mut self, length: usize) -> Result<String, AmfError> {
        let bytes = self.reader.take(length).ok_or(AmfError::Truncated)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The entries of an object up to its end marker, which some encoders leave out after an array.
    fn entries(&mut self, depth: usize, end_required: bool) -> Result<Vec<(String, Value)>, AmfError> {
        let mut entries = Vec::new();
        loop {
            if self.reader.is_empty() && !end_required {
                return Ok(entries);
            }
            let name = self.string()?;
            if name.is_empty() && self.reader.rest().first() == Some(&OBJECT_END) {
                self.byte()?;
                return Ok(entries);
            }
            entries.push((name, self.value(depth + 1)?));
        }
    }

    fn strict_array(&mut self, depth: usize) -> Result<Value, AmfError> {
        let count = self.reader.u32().ok_or(AmfError::Truncated)?;
        // Nothing is reserved by a number that was only announced.
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value(depth + 1)?);
        }
        Ok(Value::StrictArray(values))
    }
}

/// Appends a value.
pub fn encode(value: &Value, out: &mut BytesMut) {
    match value {
        Value::Number(number) => {
            out.put_u8(NUMBER);
            out.put_f64(*number);
        }
        Value::Boolean(truth) => {
            out.put_u8(BOOLEAN);
            out.put_u8(u8::from(*truth));
        }
        Value::String(text) => encode_string(text, out),
        Value::Object(entries) => {
            out.put_u8(OBJECT);
            encode_entries(entries, out);
        }
        Value::EcmaArray(entries) => {
            out.put_u8(ECMA_ARRAY);
            out.put_u32(u32::try_from(entries.len()).unwrap_or(0));
            encode_entries(entries, out);
        }
        Value::StrictArray(values) => {
            out.put_u8(STRICT_ARRAY);
            out.put_u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
            values.iter().for_each(|value| encode(value, out));
        }
        Value::Date(milliseconds) => {
            out.put_u8(DATE);
            out.put_f64(*milliseconds);
            out.put_u16(0);
        }
        Value::Null => out.put_u8(NULL),
    }
}

/// All values, one after the other.
#[must_use]
pub fn encode_all(values: &[Value]) -> BytesMut {
    let mut out = BytesMut::new();
    values.iter().for_each(|value| encode(value, &mut out));
    out
}

fn encode_string(text: &str, out: &mut BytesMut) {
    if let Ok(length) = u16::try_from(text.len()) {
        out.put_u8(STRING);
        out.put_u16(length);
        out.put_slice(text.as_bytes());
    } else {
        out.put_u8(LONG_STRING);
        out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        out.put_slice(text.as_bytes());
    }
}

fn encode_entries(entries: &[(String, Value)], out: &mut BytesMut) {
    for (name, value) in entries {
        // A name that cannot be written is left out with its value.
        let Ok(length) = u16::try_from(name.len()) else { continue };
        out.put_u16(length);
        out.put_slice(name.as_bytes());
        encode(value, out);
    }
    out.put_slice(&[0, 0, OBJECT_END]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_written() {
        let entries =
            vec![("a".into(), Value::from(1.5)), ("b".into(), Value::StrictArray(vec![Value::Null]))];
        let values = [
            Value::from("connect"),
            Value::Object(entries.clone()),
            Value::EcmaArray(entries),
            Value::from(true),
            Value::Date(86_400_000.0),
            Value::String("x".repeat(70_000)),
        ];
        assert_eq!(decode(&encode_all(&values)).unwrap(), values);
    }

    #[test]
    fn an_array_may_lack_its_end() {
        let mut bytes = encode_all(&[Value::EcmaArray(vec![("width".into(), Value::from(640.0))])]);
        bytes.truncate(bytes.len() - 3);
        assert_eq!(decode(&bytes).unwrap()[0].get("width").and_then(Value::as_number), Some(640.0));
    }

    #[test]
    fn nesting_and_counts_are_bounded() {
        let mut deep = Value::Null;
        for _ in 0..=MAX_DEPTH {
            deep = Value::StrictArray(vec![deep]);
        }
        assert_eq!(decode(&encode_all(&[deep])), Err(AmfError::TooLarge));
        let wide = Value::StrictArray(vec![Value::Null; MAX_VALUES]);
        assert_eq!(decode(&encode_all(&[wide])), Err(AmfError::TooLarge));
        // An array that announces 2^32-1 values and brings none.
        assert_eq!(decode(&[STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff]), Err(AmfError::Truncated));
        // A string that announces 4 GB.
        assert_eq!(decode(&[LONG_STRING, 0xff, 0xff, 0xff, 0xff, b'x']), Err(AmfError::Truncated));
        assert_eq!(decode(&[7, 0, 0]), Err(AmfError::Marker(7)));
    }
}
