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
        if needs_escape(c) { out += &escape(c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Sort key of text by which `batch=4` comes before `batch=16`: digits as numbers, and the text.
pub fn natural(text: &str) -> Vec<(u128, String)> {
    let chars: Vec<char> = text.chars().collect();
    let parts = chars.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let texts = parts.map(|part| part.iter().collect::<String>());
    texts.map(|text| (text.parse().unwrap_or(u128::MAX), text)).collect()
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
