//! A value written by a newer version of rigbench in place of a type that this version knows. Only the row, meter or device concerned
//! is lost.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// A value of a known type, or the JSON of an unknown one.
#[derive(Clone, Debug)]
pub enum OrNewer<T> {
    /// This version can read it.
    Known(T),
    /// This version cannot read it.
    Newer(Value),
}

impl<T: Serialize> OrNewer<T> {
    /// Marks a value as unreadable because something that it depends on is.
    pub fn newer(value: &T) -> OrNewer<T> {
        OrNewer::Newer(serde_json::to_value(value).expect("plain data"))
    }
}

impl<T> OrNewer<T> {
    /// The value, if this version can read it.
    pub fn known(&self) -> Option<&T> {
        match self {
            OrNewer::Known(value) => Some(value),
            OrNewer::Newer(_) => None,
        }
    }

    /// The same, mutable.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            OrNewer::Known(value) => Some(value),
            OrNewer::Newer(_) => None,
        }
    }

    /// Why this version cannot read it: path and reason; `None` if it can.
    pub fn fault(&self) -> Option<String>
    where
        T: DeserializeOwned,
    {
        let OrNewer::Newer(value) = self else { return None };
        let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
        let (path, inner) = (error.path().to_string(), error.into_inner());
        Some(if path == "." { format!(": {inner}") } else { format!(".{path}: {inner}") })
    }

    /// Device and workload of an unreadable row, as far as they are present.
    pub fn summary(&self) -> String {
        let OrNewer::Newer(value) = self else { return String::new() };
        let text = |value: &Value| value.as_str().unwrap_or("?").to_string();
        format!("{} on {}", text(&value["workload"]["spec"]), text(&value["device"]))
    }
}

impl<T> From<T> for OrNewer<T> {
    fn from(value: T) -> OrNewer<T> {
        OrNewer::Known(value)
    }
}

impl<T: PartialEq> PartialEq for OrNewer<T> {
    fn eq(&self, other: &OrNewer<T>) -> bool {
        match (self, other) {
            (OrNewer::Known(a), OrNewer::Known(b)) => a == b,
            (OrNewer::Newer(a), OrNewer::Newer(b)) => a == b,
            _ => false,
        }
    }
}

impl<T: Serialize> Serialize for OrNewer<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OrNewer::Known(value) => value.serialize(serializer),
            OrNewer::Newer(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OrNewer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(T::deserialize(&value).map_or_else(|_| OrNewer::Newer(value), OrNewer::Known))
    }
}

impl<T: JsonSchema> JsonSchema for OrNewer<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
