//! JSON read straight into a type, as leniently as the Go server reads it: what the type does not know is skipped
//! and never built, `null` is absent, and of a name that comes several times the last one counts.

use serde::de::value::{MapDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

type Error = serde_json::Error;

/// What `serde_json` calls a [`RawValue`] when it is asked for one.
const RAW: &str = "$serde_json::private::RawValue";

/// What is wrong, without the place in a text that the caller does not have.
pub(super) fn reason(error: &Error) -> String {
    let told = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    in_words_of_json(told.strip_suffix(&place).unwrap_or(&told))
}

/// `serde` speaks of Rust: of maps, sequences and `u32`.
fn in_words_of_json(told: &str) -> String {
    let Some((found, wanted)) = told.rsplit_once(", expected ") else { return told.to_owned() };
    let found = match found.strip_prefix("invalid type: ") {
        Some("map") => "invalid type: object".to_owned(),
        Some("sequence") => "invalid type: list".to_owned(),
        Some(given) => format!("invalid type: {}", given.replacen("floating point", "number", 1)),
        None => found.to_owned(),
    };
    let wanted = match wanted {
        "a map" => "an object",
        "a sequence" => "a list",
        "i64" | "usize" => "a whole number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number, not below 0",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "f32" | "f64" => "a number",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    format!("{found}, expected {wanted}")
}

/// One JSON value, whose text is known to be good.
#[derive(Clone, Copy)]
pub(super) struct Lenient<'de> {
    text: &'de str,
    /// Whether names of fields match whatever their case: at the top, or in the items of a list there.
    folds_case: bool,
}

impl<'de> Lenient<'de> {
    /// The whole of a body.
    pub(super) fn top(text: &'de str) -> Self {
        Self { text, folds_case: true }
    }

    fn within(value: &'de RawValue) -> Self {
        Self { text: value.get(), folds_case: false }
    }

    fn plain(self) -> serde_json::Deserializer<serde_json::de::StrRead<'de>> {
        serde_json::Deserializer::from_str(self.text)
    }
}

macro_rules! read_plainly {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.plain().$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Error;

    read_plainly! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.text.as_bytes().first() {
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            _ => self.plain().deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let found = self.plain().deserialize_map(Fields { names, folds_case: self.folds_case })?;
        let given = names.iter().zip(found).filter_map(|(name, value)| Some((*name, Self::within(value?))));
        visitor.visit_map(MapDeserializer::<_, Error>::new(given))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.plain().deserialize_map(Entries(visitor))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.plain().deserialize_seq(Items { visitor, folds_case: self.folds_case })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.text == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain().deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW {
            return self.plain().deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain().deserialize_enum(name, variants, visitor)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Lenient<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Finds the values of a type's fields, in the order of their names.
struct Fields {
    names: &'static [&'static str],
    folds_case: bool,
}

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.names.len()];
        while let Some(place) = map.next_key_seed(&self)? {
            match place.and_then(|place| found.get_mut(place)) {
                Some(field) => {
                    let value: &'de RawValue = map.next_value()?;
                    if value.get() != "null" {
                        *field = Some(value);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// The place of a name among those of the fields.
impl<'de> DeserializeSeed<'de> for &Fields {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for &Fields {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, given: &str) -> Result<Self::Value, E> {
        let is_it = |name: &&str| {
            if self.folds_case { name.eq_ignore_ascii_case(given) } else { *name == given }
        };
        Ok(self.names.iter().position(is_it))
    }
}

/// Shows a map's entries that are not `null`.
struct Entries<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Entries<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Filled { map, value: None })
    }
}

struct Filled<'de, A> {
    map: A,
    value: Option<&'de RawValue>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Filled<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some((name, value)) = self.map.next_entry::<String, &'de RawValue>()? {
            if value.get() != "null" {
                self.value = Some(value);
                return seed.deserialize(StringDeserializer::<A::Error>::new(name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = self.value.take().map_or("null", RawValue::get);
        let value = Lenient { text: value, folds_case: false };
        seed.deserialize(value).map_err(|error| serde::de::Error::custom(reason(&error)))
    }
}

/// Shows a list's items.
struct Items<V> {
    visitor: V,
    folds_case: bool,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Items<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Each { items, folds_case: self.folds_case })
    }
}

struct Each<A> {
    items: A,
    folds_case: bool,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Each<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(item) = self.items.next_element::<&'de RawValue>()? else { return Ok(None) };
        let item = Lenient { text: item.get(), folds_case: self.folds_case };
        seed.deserialize(item).map(Some).map_err(|error| serde::de::Error::custom(reason(&error)))
    }
}
