//! JSON as written by plug firmware: Tasmota prints the reading of a broken sensor as a bare `nan` or `inf`, which is invalid JSON. Such a
//! token becomes `null`, so that a broken sensor does not hide the meter's readings.

use regex::bytes::{Captures, Regex};
use serde_json::Value;
use std::sync::LazyLock;

/// A string, or a bare number that C prints and JSON does not allow.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?s-u)"(?:\\.|[^"\\])*"|[-+]?\b(?i:nan|infinity|inf)\b"#).expect("it is tested")
});

/// Parses an answer; `None` if it is not JSON even with these tokens replaced.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    let replacement = |token: &Captures| match token[0].starts_with(b"\"") {
        true => token[0].to_vec(),
        false => b"null".to_vec(),
    };
    serde_json::from_slice(bytes)
        .or_else(|_| serde_json::from_slice(&TOKENS.replace_all(bytes, replacement)))
        .ok()
}
