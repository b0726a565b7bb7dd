//! Turns what the TOML reader complains of into one line with the place and the key.

use super::MarketError;

/// One line for a file that does not read.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> MarketError {
    let what = error.message().lines().collect::<Vec<_>>().join("; ");
    MarketError(match error.span() {
        Some(span) => {
            let (line, key) = place(text, span.start);
            let key = if key.is_empty() { String::new() } else { format!(", {key}") };
            format!("line {line}{key}: {what}")
        }
        None => what,
    })
}

/// The line number of a byte, and the table and key that it stands under.
fn place(text: &str, byte: usize) -> (usize, String) {
    let byte = (0..=byte.min(text.len())).rev().find(|b| text.is_char_boundary(*b)).unwrap_or(0);
    let before = &text[..byte];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default().trim();
    let is_header = |line: &&str| line.starts_with('[');
    let header = text[..start].lines().map(str::trim).rfind(is_header);
    let name = |header: &str| header.split('#').next().unwrap_or_default().trim().to_string();
    let key = match (header, line.split_once('=')) {
        _ if is_header(&line) => name(line),
        (Some(header), Some((key, _))) => format!("{} {}", name(header), key.trim()),
        (Some(header), None) => name(header),
        (None, Some((key, _))) => key.trim().to_string(),
        (None, None) => String::new(),
    };
    (before.matches('\n').count() + 1, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_under_its_table_and_key() {
        let text = "date = 5\n\n[one] # first\na = 1\n[[two]]\n\nbé = { c = 3 }\n";
        for (part, found) in [
            ("5", (1, "date")),
            ("[one]", (3, "[one]")),
            ("a =", (4, "[one] a")),
            ("[[two]]", (5, "[[two]]")),
            ("c = 3", (7, "[[two]] bé")),
        ] {
            let (line, key) = place(text, text.find(part).unwrap());
            assert_eq!((line, key.as_str()), found, "{part}");
        }
        assert_eq!(place("", 9), (1, String::new()));
        assert_eq!(place("é", 1).0, 1);
    }
}
