//! Untrusted text: file names, strings from drivers and meters, other people's documents. It is read from regular files in a known
//! encoding. Before it is printed, control characters, line breaks, bidirectional controls and invisible characters become escapes such as
//! `\u{1b}`: otherwise a device name could set the terminal's title, forge a second line of output or show a file name backwards.

mod file;

pub use file::{decode, read};

use std::borrow::Cow;
use unicode_general_category::{GeneralCategory, get_general_category};

/// One line of text that is safe to print: hidden characters are escaped.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |c| c.escape_default().to_string())
}

/// Text of several lines that is safe to print: line breaks are kept.
pub fn lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// JSON text that is safe to print: hidden characters are escaped as in `\u202e`, which does not change its meaning. Line breaks are
/// kept, since JSON has them only between values.
pub fn json(text: &str) -> Cow<'_, str> {
    let utf16 =
        |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|u| format!("\\u{u:04x}")).collect();
    escaped(text, |c| c != '\n' && is_hidden(c), utf16)
}

/// The text with some characters escaped; borrowed if it has none of them.
fn escaped(
    text: &str,
    needs_escape: impl Fn(char) -> bool,
    escape: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.contains(&needs_escape) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match needs_escape(c) {
            true => out += &escape(c),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a text has neither hidden characters nor line breaks.
pub fn is_plain(text: &str) -> bool {
    !text.contains(is_hidden)
}

/// Whether a character is invisible, breaks the line, or controls the terminal or the writing direction.
fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // Invisible characters that Unicode classifies as letters, marks or symbols: fillers, joiners, variation selectors.
    let invisible = matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    );
    invisible
        || matches!(
            get_general_category(c),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_bidi_and_invisible_characters_become_escapes() {
        for (given, shown) in [
            (
                "AMD Radeon™ RX 7900 XTX – ±5 % (µ, 東京)",
                "AMD Radeon™ RX 7900 XTX – ±5 % (µ, 東京)",
            ),
            ("a\x1b]0;x\x07b", "a\\u{1b}]0;x\\u{7}b"),
            ("two\nlines\r\ttab", "two\\nlines\\r\\ttab"),
            ("csi \u{9b}31m del \u{7f}", "csi \\u{9b}31m del \\u{7f}"),
            ("gpj\u{202e}exe", "gpj\\u{202e}exe"),
            (
                "\u{2066}iso\u{2069}\u{feff}\u{200b}\u{ad}",
                "\\u{2066}iso\\u{2069}\\u{feff}\\u{200b}\\u{ad}",
            ),
            (
                "\u{2028}\u{2029}\u{3164}\u{fe0f}\u{e0041}",
                "\\u{2028}\\u{2029}\\u{3164}\\u{fe0f}\\u{e0041}",
            ),
        ] {
            assert_eq!(plain(given), shown);
            assert_eq!(is_plain(given), given == shown);
            assert!(is_plain(&plain(given)));
        }
        assert_eq!(lines("one\n\x1b[2Jtwo\n"), "one\n\\u{1b}[2Jtwo\n");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({"a\u{202e}b": "\u{9b}1m\u{e0041}\n\x1b[0m é"});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&text);
        assert!(safe.lines().all(is_plain), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
