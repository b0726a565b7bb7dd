//! Reads a text file that a user named. Only regular files are opened: a pipe or a device could block or never end. Text is UTF-8 with or
//! without a byte order mark, or UTF-16 with one, as PowerShell's `>` writes it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

/// The bytes of a regular file, cut at `most` + 1 bytes so that the caller can see that it is too large.
///
/// # Errors
/// If there is no such file, it is not a regular file or it cannot be read.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Checked before opening: opening a pipe blocks until it has a writer.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder, not a file"));
    }
    if !kind.is_file() {
        let what = "it is a pipe, a socket or a device; save its output to a file first";
        return Err(Error::new(ErrorKind::InvalidInput, what));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file, without its byte order mark.
///
/// # Errors
/// A clause that names the encoding and a remedy.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            Err("it is encoded in UTF-32; save it as UTF-8")
        }
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // UTF-16 has a zero byte beside each ASCII character.
        [0, _, 0, _, ..] | [_, 0, _, 0, ..] => {
            Err("it is encoded in UTF-16 without a byte order mark; save it as UTF-8")
        }
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => std::str::from_utf8(rest)
            .map(Cow::Borrowed)
            .map_err(|_| "it is not text in UTF-8; save it as UTF-8"),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, &'static str> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match (text, rest) {
        (Ok(text), []) => Ok(Cow::Owned(text)),
        _ => Err("it is damaged text in UTF-16; save it as UTF-8"),
    }
}
