//! The arguments of every command: their order and which of them must be there are the same in the
//! type, in what is written and signed, and in the schemas that documents are made from.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;

use super::golden::samples_of_commands;
use crate::Command;

/// Notes the fields that a command's type asks for, which is how arguments given one by one find
/// their names, and gives it none.
struct Asked<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a command is a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.set(fields);
        Err(Error::custom("that is all"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields of the command's type, in their order.
fn fields(name: &str) -> &'static [&'static str] {
    let asked = Cell::new([].as_slice());
    assert!(Command::from_name_and(name, Asked(&asked)).unwrap().is_err());
    asked.get()
}

/// The names in a JSON object, in the order in which they stand there.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Names;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Properties and required properties by the schema of each command.
fn described() -> BTreeMap<&'static str, (BTreeSet<String>, Vec<String>)> {
    let mut generator = schemars::SchemaGenerator::default();
    let schemas = Command::schemas(&mut generator);
    let definitions = generator.take_definitions(true);
    let described = schemas.into_iter().map(|(name, schema)| {
        let path = schema.get("$ref").and_then(Value::as_str).unwrap();
        let schema = &definitions[path.rsplit('/').next().unwrap()];
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties = properties.into_iter().flat_map(|of| of.keys().cloned()).collect();
        let required = schema.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
        (name, (properties, required.collect()))
    });
    described.collect()
}

#[test]
fn documents_name_the_fields_in_their_order() {
    let described = described();
    assert_eq!(described.len(), Command::NAMES.len());
    for (name, (properties, required)) in described {
        let fields = fields(name);
        let known: BTreeSet<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        assert_eq!(known, properties, "{name}");
        // Documents give what must be there first, then the others by the alphabet.
        let (first, optional) = fields.split_at(required.len());
        assert_eq!(first, required, "{name}");
        assert!(optional.is_sorted(), "{name}: {optional:?}");
    }
}

#[test]
fn arguments_are_written_in_the_order_of_the_fields() {
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, command) in samples_of_commands() {
        let Names(written) = serde_json::from_str(&command.args_json()).unwrap();
        let fields = fields(command.name());
        let there = fields.iter().filter(|field| written.iter().any(|name| name == *field));
        assert_eq!(written, there.copied().collect::<Vec<_>>(), "{} {case}", command.name());
        let most = most.entry(command.name()).or_default();
        *most = written.len().max(*most);
    }
    for name in Command::NAMES {
        assert_eq!(most[name], fields(name).len(), "no sample of {name} has all its fields");
    }
}

#[test]
fn what_must_be_there_is_missed_and_nothing_else_is() {
    let described = described();
    for (case, command) in samples_of_commands() {
        let name = command.name();
        let args: serde_json::Map<String, Value> =
            serde_json::from_str(&command.args_json()).unwrap();
        for field in args.keys() {
            let mut without = args.clone();
            without.remove(field);
            let read = Command::from_name_and_args(name, &Value::from(without).to_string());
            let required = described[name].1.contains(field);
            assert_eq!(read.is_err(), required, "{name} {case} without {field}");
        }
        let mut more = args.clone();
        more.insert("more".to_owned(), Value::Null);
        let more = Value::from(more).to_string();
        assert!(Command::from_name_and_args(name, &more).is_err(), "{name} {case}");
    }
}
