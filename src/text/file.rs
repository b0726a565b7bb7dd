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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read(&path, 1000).unwrap().len(), 100);
        assert_eq!(read(&path, 10).unwrap().len(), 11);
        assert!(read(folder.path(), 10).unwrap_err().to_string().contains("folder"));
        assert_eq!(read(&folder.path().join("none"), 10).unwrap_err().kind(), ErrorKind::NotFound);
    }

    /// Opening the pipe would block, since it never gets a writer.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_or_a_device_is_refused_without_being_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/tty")] {
            if path.exists() {
                assert!(
                    read(path, 10)
                        .unwrap_err()
                        .to_string()
                        .contains("a pipe, a socket or a device")
                );
            }
        }
    }

    #[test]
    fn byte_order_marks_are_left_out_and_other_encodings_named() {
        let text = "{\"é\": \"😀\"}";
        let sixteen = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
        };
        let (little, big) = (sixteen(u16::to_le_bytes), sixteen(u16::to_be_bytes));
        for bytes in [text.as_bytes(), &["\u{feff}", text].concat().into_bytes(), &little, &big] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        assert_eq!(decode(b"").unwrap(), "");
        let halved = decode(&little[..little.len() - 1]);
        assert!(halved.unwrap_err().contains("damaged text in UTF-16"));
        for (bytes, named) in [
            (&little[2..], "UTF-16 without"),
            (&big[2..], "UTF-16 without"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
            (b"caf\xe9 au lait", "not text in UTF-8"),
        ] {
            assert!(decode(bytes).unwrap_err().contains(named), "{named}");
        }
    }
}
