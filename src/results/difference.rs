//! Where two JSON documents differ, by path.

use serde_json::Value;

/// Numbers that differ by no more than this share are one: they were added up in another order.
const SAME: f64 = 1e-9;
/// Differences that are told one by one.
const MOST: usize = 1000;

/// The path of something that stands in `whole` and not in `given`.
pub(super) fn missing(whole: &Value, given: &Value) -> Option<String> {
    let mut found = Vec::new();
    walk(whole, given, String::new(), &mut |path, _, there| {
        if there.is_none() {
            found.push(path.to_string());
        }
    });
    found.into_iter().next()
}

/// What differs.
pub(super) struct Differences {
    /// Path, value here and value there.
    pub told: Vec<(String, String, String)>,
    /// How many more there are.
    pub more: usize,
}

/// Everything that differs.
pub(super) fn differences(here: &Value, there: &Value) -> Differences {
    let (mut told, mut more) = (Vec::new(), 0);
    let short = |value: &Value| {
        let text = value.to_string();
        if text.len() > 80 {
            format!("{}…", text.chars().take(80).collect::<String>())
        } else {
            text
        }
    };
    walk(here, there, String::new(), &mut |path, a, b| {
        let same = match (a, b) {
            (Some(Value::Number(a)), Some(Value::Number(b))) => {
                let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
                (a - b).abs() <= SAME * a.abs().max(b.abs())
            }
            (a, b) => a == b,
        };
        if !same && told.len() < MOST {
            let text = |value: Option<&Value>| value.map_or("nothing".into(), short);
            told.push((path.to_string(), text(a), text(b)));
        } else if !same {
            more += 1;
        }
    });
    Differences { told, more }
}

/// Sees a path, and what stands there in the one and in the other.
type Visit<'a> = dyn FnMut(&str, Option<&Value>, Option<&Value>) + 'a;

/// Visits what stands in either: objects' and arrays' members by name and place, all else as it is. Members of `b` alone
/// are visited in arrays only.
fn walk(a: &Value, b: &Value, path: String, visit: &mut Visit) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match b.get(key) {
                    Some(there) => walk(value, there, path, visit),
                    None => visit(&path, Some(value), None),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for i in 0..a.len().max(b.len()) {
                let path = format!("{path}[{i}]");
                match (a.get(i), b.get(i)) {
                    (Some(a), Some(b)) => walk(a, b, path, visit),
                    (a, b) => visit(&path, a, b),
                }
            }
        }
        (a, b) => visit(&path, Some(a), Some(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_have_their_path() {
        let here = json!({"a": 1.0, "b": [{"c": null}, 2], "d": "x"});
        assert_eq!(differences(&here, &here).told, []);
        let there = json!({"a": 1.0 + 1e-12, "b": [{"c": 3}], "d": "y"});
        let paths: Vec<String> = differences(&here, &there).told.into_iter().map(|d| d.0).collect();
        assert_eq!(paths, ["b[0].c", "b[1]", "d"]);
        let (ones, twos) = (json!(vec![1; 1500]), json!(vec![2; 1500]));
        let many = differences(&ones, &twos);
        assert_eq!((many.told.len(), many.more), (1000, 500));
    }

    #[test]
    fn what_is_missing_has_its_path() {
        let whole = json!({"a": [{"b": null, "c": 1}]});
        assert_eq!(missing(&whole, &whole), None);
        assert_eq!(missing(&whole, &json!({"a": [{"c": 2}], "more": 1})).unwrap(), "a[0].b");
    }
}
