//! A document as it may be shown: its strings are words of strangers, and hidden characters in them become visible escapes.

use super::wire::Document;
use crate::text::plain;
use serde_json::Value;

/// The document with every string safe to print in one line. Its digests no longer hold.
pub fn shown(document: &Document) -> Document {
    let mut value = serde_json::to_value(document).expect("documents are plain data");
    show(&mut value);
    serde_json::from_value(value).expect("only the words of strangers changed")
}

fn show(value: &mut Value) {
    match value {
        Value::String(text) => *text = plain(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(show),
        Value::Object(members) => {
            let all = std::mem::take(members).into_iter();
            members.extend(all.map(|(name, mut value)| {
                show(&mut value);
                (plain(&name).into_owned(), value)
            }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
