//! Arguments given one by one, as text, in the order of a command's fields.
//!
//! A deserializer: the command's own type says which fields there are and what each text is read
//! as, so that no second list of fields exists. Texts of lists and objects are JSON.

use serde::de::value::{Error, MapDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::unique::Unique;

/// Tells an error about the number of arguments.
pub(crate) const GIVEN: &str = " given";

/// The texts of all fields; an empty text of an optional field means that it is absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Positional<'a>(pub(crate) &'a [&'a str]);

impl<'de> Deserializer<'de> for Positional<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a function with named arguments expected"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if fields.len() != self.0.len() {
            let names = fields.join(", ");
            let text = format!("{} arguments, {}{GIVEN} ({names})", fields.len(), self.0.len());
            return Err(Error::custom(text));
        }
        let pairs = fields.iter().zip(self.0).map(|(field, text)| (*field, Text(text)));
        visitor.visit_map(MapDeserializer::new(pairs))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_empty() { visitor.visit_unit() } else { Err(Error::custom("no arguments")) }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// One argument.
#[derive(Debug, Clone, Copy)]
struct Text<'a>(&'a str);

impl<'de> IntoDeserializer<'de, Error> for Text<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Text<'_> {
    fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        serde_json::from_str(self.0).map_err(Error::custom)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.0.parse::<$type>().map_err(|_| {
                Error::custom(format_args!("{} is not a number that fits", self.0))
            })?;
            visitor.$visit(number)
        })+
    };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.json()?)
    }

    numbers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(StrDeserializer::<Error>::new(self.0))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Unique(value) = self.json()?;
        value.deserialize_seq(visitor).map_err(Error::custom)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Unique(value) = self.json()?;
        value.deserialize_map(visitor).map_err(Error::custom)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Unique(value) = self.json()?;
        value.deserialize_struct(name, fields, visitor).map_err(Error::custom)
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}
