//! TOML syntax errors, one message per line. The most common one is a decimal comma.

use crate::text::plain;
use regex::Regex;
use std::sync::LazyLock;

/// Lines with syntax errors, each once, with key and message.
pub(super) fn explain(text: &str, errors: &[toml::de::Error]) -> Vec<(usize, String)> {
    let mut faults: Vec<(usize, String)> = Vec::new();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let number = line(text, at);
        if faults.iter().any(|(known, _)| *known == number) {
            continue;
        }
        let written = text.lines().nth(number - 1).unwrap_or_default();
        let key = key(text, number);
        let what = decimal_comma(written)
            .unwrap_or_else(|| error.message().lines().collect::<Vec<_>>().join("; "));
        let what = plain(&what).into_owned();
        faults.push((number, if key.is_empty() { what } else { format!("{key}: {what}") }));
    }
    faults
}

/// The line number of a byte offset.
pub(super) fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// A number with a decimal comma, after an equals sign.
static COMMA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"=\s*([-+]*[0-9_]+),([0-9]+)").expect("it is tested"));

/// A message if a number of a line has a decimal comma.
fn decimal_comma(line: &str) -> Option<String> {
    let (_, [whole, fraction]) = COMMA.captures(line)?.extract();
    let thousands = match fraction.len() {
        3 => format!(", or {whole}{fraction} if it parts thousands"),
        _ => String::new(),
    };
    Some(format!("{whole},{fraction} has a decimal comma; write {whole}.{fraction}{thousands}"))
}

/// Table and key of a line: `premises.electricity`.
fn key(text: &str, number: usize) -> String {
    let bare = |header: &str| header.split(']').next().unwrap_or_default().replace('[', "");
    let lines = || text.lines().map(str::trim);
    let written = lines().nth(number - 1).unwrap_or_default();
    if written.starts_with('[') {
        return bare(written).trim().to_string();
    }
    let table = lines().take(number - 1).filter(|line| line.starts_with('[')).last();
    let key = written.split_once('=').map(|(key, _)| key.trim());
    let parts = [table.map(bare), key.map(str::to_string)];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    plain(&parts.join(".")).into_owned()
}
