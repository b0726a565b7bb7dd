//! Differences between two JSON documents, by path.

use serde_json::{Number, Value};

/// Relative tolerance of equal numbers, which may be summed in another order or rounded to nine digits.
const SAME: f64 = 1e-8;
/// Maximum number of differences listed.
const MAX_LISTED: usize = 1000;

/// The differences between two documents.
#[derive(Default)]
pub struct Differences {
    /// Path, value here and value there.
    pub listed: Vec<(String, String, String)>,
    /// Number of differences that are not listed.
    pub more: usize,
    /// Path and value of members that only an object here has; these may be of another version.
    pub only_here: Vec<(String, String)>,
    /// Path of the first object here that is an array there: serde also reads structs from arrays.
    pub array_for_object: Option<String>,
}

/// Compares two documents.
pub fn differences(here: &Value, there: &Value) -> Differences {
    let mut found = Differences::default();
    found.walk(String::new(), here, there);
    found
}

impl Differences {
    /// Members are matched by name, items by index.
    fn walk(&mut self, path: String, here: &Value, there: &Value) {
        match (here, there) {
            _ if here == there => {}
            (Value::Object(here), Value::Object(there)) => {
                let dot = if path.is_empty() { "" } else { "." };
                for (name, value) in here {
                    let path = format!("{path}{dot}{name}");
                    if let Some(other) = there.get(name) {
                        self.walk(path, value, other);
                    } else if self.only_here.len() < MAX_LISTED {
                        self.only_here.push((path, short(value)));
                    }
                }
            }
            (Value::Array(here), Value::Array(there)) => {
                for i in 0..here.len().max(there.len()) {
                    let path = format!("{path}[{i}]");
                    match (here.get(i), there.get(i)) {
                        (Some(a), Some(b)) => self.walk(path, a, b),
                        (a, b) => self.add(path, a, b),
                    }
                }
            }
            (Value::Number(a), Value::Number(b)) if is_close(a, b) => {}
            _ => self.add(path, Some(here), Some(there)),
        }
    }

    fn add(&mut self, path: String, here: Option<&Value>, there: Option<&Value>) {
        if let (Some(Value::Object(_)), Some(Value::Array(_))) = (here, there) {
            self.array_for_object.get_or_insert_with(|| path.clone());
        }
        if self.listed.len() < MAX_LISTED {
            let text = |value: Option<&Value>| value.map_or("nothing".into(), short);
            self.listed.push((path, text(here), text(there)));
        } else {
            self.more += 1;
        }
    }
}

fn is_close(a: &Number, b: &Number) -> bool {
    let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
    (a - b).abs() <= SAME * a.abs().max(b.abs())
}

/// A value, truncated to 80 characters.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 80 { format!("{}…", text.chars().take(80).collect::<String>()) } else { text }
}
