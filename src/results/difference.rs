//! Differences between two JSON documents, by path.

use serde_json::Value;

/// Relative tolerance of equal numbers, which may be summed in another order or rounded to nine digits.
const SAME: f64 = 1e-8;
/// Maximum number of differences listed.
const MOST: usize = 1000;

/// Path of the first object of `known` that is an array in `given`: serde also reads structs from arrays.
pub(super) fn other_kind(known: &Value, given: &Value) -> Option<String> {
    let mut found = None;
    walk(known, given, &Place::Root, &mut |place, a, b| {
        if let (Some(Value::Object(_)), Some(Value::Array(_))) = (a, b)
            && found.is_none()
        {
            found = Some(place.path());
        }
    });
    found
}

/// Members of objects of `known` that `given` does not have, with their paths.
pub(super) fn only_in(known: &Value, given: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(known, given, &Place::Root, &mut |place, a, b| {
        if let (Place::Member { .. }, Some(value), None) = (place, a, b) {
            found.push((place.path(), short(value)));
        }
    });
    found
}

/// A value, truncated to 80 characters.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 80 { format!("{}…", text.chars().take(80).collect::<String>()) } else { text }
}

/// The differences between two documents.
pub(super) struct Differences {
    /// Path, value here and value there.
    pub told: Vec<(String, String, String)>,
    /// Number of differences that are not listed.
    pub more: usize,
}

/// All differences, except members that only one of two objects has: these may be of another version.
pub(super) fn differences(here: &Value, there: &Value) -> Differences {
    let (mut told, mut more) = (Vec::new(), 0);
    walk(here, there, &Place::Root, &mut |place, a, b| {
        let same = match (a, b) {
            (Some(_), None) if matches!(place, Place::Member { .. }) => true,
            (Some(Value::Number(a)), Some(Value::Number(b))) => {
                let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
                (a - b).abs() <= SAME * a.abs().max(b.abs())
            }
            (a, b) => a == b,
        };
        if !same && told.len() < MOST {
            let text = |value: Option<&Value>| value.map_or("nothing".into(), short);
            told.push((place.path(), text(a), text(b)));
        } else if !same {
            more += 1;
        }
    });
    Differences { told, more }
}

/// A place in a document. Its path is formatted only when needed, since there are many places.
enum Place<'a> {
    Root,
    Member { parent: &'a Place<'a>, name: &'a str },
    Item { parent: &'a Place<'a>, number: usize },
}

impl Place<'_> {
    /// `a.b[3]`.
    fn path(&self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Member { parent: Place::Root, name } => (*name).to_string(),
            Place::Member { parent, name } => format!("{}.{name}", parent.path()),
            Place::Item { parent, number } => format!("{}[{number}]", parent.path()),
        }
    }
}

/// Called with a place and the values of both documents there.
type Visit<'a> = dyn FnMut(&Place, Option<&Value>, Option<&Value>) + 'a;

/// Visits the leaves of `a`, and array items that only `b` has. Members are matched by name, items by index.
fn walk(a: &Value, b: &Value, parent: &Place, visit: &mut Visit) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                let place = Place::Member { parent, name };
                match b.get(name) {
                    Some(there) => walk(value, there, &place, visit),
                    None => visit(&place, Some(value), None),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for number in 0..a.len().max(b.len()) {
                let place = Place::Item { parent, number };
                match (a.get(number), b.get(number)) {
                    (Some(a), Some(b)) => walk(a, b, &place, visit),
                    (a, b) => visit(&place, a, b),
                }
            }
        }
        (a, b) => visit(parent, Some(a), Some(b)),
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
        let paths = |here: &Value, there: &Value| -> Vec<String> {
            differences(here, there).told.into_iter().map(|d| d.0).collect()
        };
        assert_eq!(paths(&here, &there), ["b[0].c", "b[1]", "d"]);
        let of_another_version = json!({"a": 1.0, "b": [{"c": null, "e": 4}, 2], "f": "x"});
        assert_eq!(paths(&here, &of_another_version), [""; 0]);
        assert_eq!(only_in(&here, &of_another_version), [("d".into(), "\"x\"".into())]);
        let (ones, twos) = (json!(vec![1; 1500]), json!(vec![2; 1500]));
        let many = differences(&ones, &twos);
        assert_eq!((many.told.len(), many.more), (1000, 500));
    }

    #[test]
    fn an_object_given_as_an_array_has_its_path() {
        let whole = json!({"a": [{"b": null, "c": {"d": 1}}]});
        assert_eq!(other_kind(&whole, &json!({"a": [{"c": {"d": []}}, []]})), None);
        assert_eq!(other_kind(&whole, &json!({"a": [[null, {"d": 1}]]})).unwrap(), "a[0]");
        assert_eq!(other_kind(&whole, &json!({"a": [{"c": [1]}]})).unwrap(), "a[0].c");
    }
}
