//! Identifies files that are mistaken for a GGUF, by their first bytes.

use super::ModelError;
use crate::units::Bytes;

/// Bytes at the start of a file that are enough to identify it.
pub(super) const HEAD: usize = 512;

/// The first words of a Git LFS pointer.
const LFS: &str = "version https://git-lfs";

/// Why a file that begins with `head` is not a model, and how to fix it.
pub(super) fn refusal(head: &[u8]) -> ModelError {
    let what = match head {
        [] => "the model file is empty: download it again".into(),
        _ if head.iter().all(|byte| *byte == 0) => {
            "the model file begins with zero bytes, as an unfinished download does: download it again".into()
        }
        [b'P', b'K', 3, 4, ..] => {
            "the model file is a ZIP archive or a PyTorch checkpoint: unpack it, or convert it with llama.cpp's convert_hf_to_gguf.py".into()
        }
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            "the model file is compressed: unpack it first".into()
        }
        [b'l', b'm', b'g', b'g', ..] | [b'f' | b't', b'm' | b'j', b'g', b'g', ..] | [b'a', b'l', b'g', b'g', ..] => {
            "the model file is in the GGML format that came before GGUF: download the model as a GGUF file".into()
        }
        _ if is_safetensors(head) => {
            "the model file is in the safetensors format: convert it with llama.cpp's convert_hf_to_gguf.py".into()
        }
        _ => match text(head) {
            Some(text) => refusal_of_text(text),
            None => "the model file is not a GGUF, which begins with the letters GGUF: name a model's GGUF file".into(),
        },
    };
    ModelError(what)
}

/// A safetensors file begins with the length of a JSON header in 8 bytes.
fn is_safetensors(head: &[u8]) -> bool {
    matches!(head, [_, _, _, _, 0, 0, 0, 0, b'{', ..])
}

/// The bytes as text, if they are UTF-8 text. The last character may be truncated.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let plain = |c: char| !c.is_control() || c.is_ascii_whitespace();
    text.chars().all(plain).then_some(text)
}

fn refusal_of_text(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with(LFS) {
        let size = text.lines().find_map(|line| line.strip_prefix("size ")?.trim().parse().ok());
        let size = size.map(|bytes| format!(" of {}", Bytes(bytes))).unwrap_or_default();
        return format!(
            "the model file is a Git LFS pointer to a file{size}, not the model itself: get it with git lfs pull"
        );
    }
    if text.starts_with('<') {
        return "the model file is a web page, perhaps one that asks you to log in: log in there, then download the model again".into();
    }
    if text.starts_with(['{', '[']) {
        return "the model file is JSON, perhaps a server's error or a model's configuration: download the GGUF file itself".into();
    }
    "the model file is a text, not a GGUF: name a model's GGUF file".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_mistaken_for_a_model_are_identified() {
        let pointer =
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4661211808\n";
        let safetensors = [&600u64.to_le_bytes()[..], b"{\"__metadata__\":{}}"].concat();
        for (head, what) in [
            (&b""[..], "is empty"),
            (&[0; HEAD], "zero bytes"),
            (pointer, "Git LFS pointer to a file of 4."),
            (b"version https://git-lfs", "Git LFS pointer to a file, not"),
            (b"<!doctype html><html><body>401 Unauthorized</body></html>", "web page"),
            (b"\xef\xbb\xbf\r\n<HTML>", "web page"),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "web page"),
            (b"{\"error\":\"Access to this model is restricted\"}", "is JSON"),
            (b"Entry not found", "is a text"),
            ("Zugriff verweigert f\u{fc}r".as_bytes().split_last().unwrap().1, "is a text"),
            (b"half a character \xe2\x82", "is a text"),
            (b"PK\x03\x04\x00\x00archive/data.pkl", "PyTorch"),
            (b"\x1f\x8b\x08\x00", "compressed"),
            (b"tjgg\x03\x00\x00\x00", "GGML"),
            (b"lmgg\x00\x7d\x00\x00", "GGML"),
            (&safetensors, "safetensors"),
            (b"GGU", "is a text"),
            (b"\x7fELF\x02\x01\x01\x00", "not a GGUF"),
            (b"GGU\xff\x00", "not a GGUF"),
        ] {
            let line = refusal(head).to_string();
            assert!(line.contains(what) && !line.contains('\n'), "{what}: {line}");
            assert!(line.split_once(": ").is_some_and(|(_, advice)| advice.len() > 10), "{line}");
        }
    }
}
