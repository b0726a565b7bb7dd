//! JSON as written by plug firmware: Tasmota prints the reading of a broken sensor as a bare `nan` or `inf`, which is invalid JSON. Such a
//! token becomes `null`, so that a broken sensor does not hide the meter's readings.

use serde_json::Value;

/// Numbers that C prints and JSON does not allow.
const NOT_NUMBERS: [&[u8]; 3] = [b"nan", b"infinity", b"inf"];

/// Parses an answer; `None` if it is not JSON even with these tokens replaced.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes)
        .ok()
        .or_else(|| serde_json::from_slice(&without_bare_nan(bytes)).ok())
}

/// Replaces every bare `nan` and `inf` outside of strings by `null`, with any sign and in any case.
fn without_bare_nan(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut in_string, mut is_escaped) = (0, false, false);
    while at < bytes.len() {
        let token = if in_string { 0 } else { bare_nan(bytes, at) };
        if token > 0 {
            out.extend_from_slice(b"null");
            at += token;
            continue;
        }
        in_string ^= bytes[at] == b'"' && !is_escaped;
        is_escaped = in_string && bytes[at] == b'\\' && !is_escaped;
        out.push(bytes[at]);
        at += 1;
    }
    out
}

/// Length of the bare `nan` or `inf` at this position, with its sign; 0 if there is none.
fn bare_nan(bytes: &[u8], at: usize) -> usize {
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if at > 0 && word(bytes.get(at - 1)) {
        return 0;
    }
    let sign = usize::from(matches!(bytes[at], b'-' | b'+'));
    let unsigned = &bytes[at + sign..];
    let found = NOT_NUMBERS.iter().find(|name| {
        unsigned.len() >= name.len()
            && unsigned[..name.len()].eq_ignore_ascii_case(name)
            && !word(unsigned.get(name.len()))
    });
    found.map_or(0, |name| sign + name.len())
}
