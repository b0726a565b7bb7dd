//! A value written by a newer version of rigbench in place of a type that this version knows. Only the row, meter or device concerned
//! is lost.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A value of a known type, or the JSON of an unknown one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
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

impl<'de, T: DeserializeOwned> Deserialize<'de> for OrNewer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(T::deserialize(&value).map_or_else(|_| OrNewer::Newer(value), OrNewer::Known))
    }
}

/// Path and reason of the first error in a value that is not a `T`.
pub(super) fn fault<T: DeserializeOwned>(value: &Value) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
    let (path, inner) = (error.path().to_string(), error.into_inner());
    Some(if path == "." { format!(": {inner}") } else { format!(".{path}: {inner}") })
}
