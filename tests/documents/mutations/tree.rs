//! Mutations of a document's values, so that it is still JSON and other checks than the parser's are reached.

use crate::mutations::random::{COUNTS, Random};
use serde_json::{Value, json};

/// Changes values in one place or a few.
pub fn mutate(document: &mut Value, random: &mut Random) {
    for _ in 0..*random.pick(COUNTS) {
        let mut places = Vec::new();
        collect(document, &mut String::new(), &mut places);
        if places.is_empty() {
            return;
        }
        let place = random.pick(&places).clone();
        let other = document.pointer(random.pick(&places).as_str()).cloned();
        once(document, &place, other.unwrap_or_default(), random);
    }
}

/// JSON pointers to every value but the whole.
fn collect(value: &Value, path: &mut String, places: &mut Vec<String>) {
    let length = path.len();
    let mut each = |key: &str, value: &Value| {
        path.push('/');
        path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        places.push(path.clone());
        collect(value, path, places);
        path.truncate(length);
    };
    match value {
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(i, value)| each(&i.to_string(), value));
        }
        Value::Object(values) => values.iter().for_each(|(key, value)| each(key, value)),
        _ => {}
    }
}

fn once(document: &mut Value, place: &str, other: Value, random: &mut Random) {
    let (parent, key) = place.rsplit_once('/').expect("a pointer to a part");
    let key = key.replace("~1", "/").replace("~0", "~");
    if random.below(3) == 0 {
        match document.pointer_mut(parent) {
            Some(Value::Object(values)) => {
                let value = values.remove(&key).unwrap_or_default();
                if random.below(2) == 0 {
                    values.insert(format!("{key}{}", random.pick(&["s", "_", "\u{1b}[2J"])), value);
                }
            }
            Some(Value::Array(values)) => {
                let at = key.parse().unwrap_or(0);
                let value = values.remove(at);
                let times = *random.pick(&[0, 2, 3, 2_000]);
                values.splice(at..at, std::iter::repeat_n(value, times));
            }
            _ => {}
        }
        return;
    }
    let Some(value) = document.pointer_mut(place) else { return };
    *value = match random.below(4) {
        0 => other,
        1 | 2 if value.is_number() => number(value.as_f64().unwrap_or(0.0), random),
        _ => any(random),
    };
}

/// Another number, near or far.
fn number(old: f64, random: &mut Random) -> Value {
    let factor =
        *random.pick(&[0.0, -1.0, 1.0 + 1e-12, 0.99, 1.01, 0.5, 2.0, 1000.0, 1e-9, 1e12, 1e300]);
    json!(old * factor)
}

fn any(random: &mut Random) -> Value {
    let mut nested = json!(0);
    for _ in 0..*random.pick(&[1, 20, 100]) {
        nested = json!([nested]);
    }
    let text = "x".repeat(*random.pick(&[1, 300, 100_000]));
    random
        .pick(&[
            Value::Null,
            json!(true),
            json!(0),
            json!(-1),
            json!(1e308),
            json!(-1e308),
            json!(5e-324),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(0.1),
            json!(""),
            json!("\u{1b}[2J\r\n\u{202e}=cmd|' /C calc'!A0"),
            json!("nan"),
            json!(text),
            json!([]),
            json!({}),
            nested,
        ])
        .clone()
}
