//! Evidence that is safe to display: its strings are untrusted, and hidden characters become visible escapes.

use super::document::Evidence;
use super::newer::OrNewer;
use crate::text::plain;
use serde_json::Value;

/// The evidence with every string safe to print in one line. Its digests no longer match.
pub(super) fn shown(evidence: &Evidence) -> Evidence {
    let mut value = serde_json::to_value(evidence).expect("evidence is plain data");
    show(&mut value);
    let mut shown: Evidence =
        serde_json::from_value(value).expect("only the words of strangers changed");
    // A row that was marked as unreadable because of its device or figures stays so.
    for (row, before) in shown.rows.iter_mut().zip(&evidence.rows) {
        if let (OrNewer::Known(known), None) = (&*row, before.known()) {
            *row = OrNewer::newer(known);
        }
    }
    shown
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
