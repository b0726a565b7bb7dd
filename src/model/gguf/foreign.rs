//! Identifies files that are mistaken for a GGUF, by their first bytes.

use crate::units::Bytes;

/// Bytes at the start of a file that are enough to identify it.
pub(super) const HEAD: usize = 512;

/// First bytes of other formats, what they are and what to do.
const MAGIC: &[(&[&[u8]], &str)] = &[
    (
        &[b"PK\x03\x04"],
        "is a ZIP archive or a PyTorch checkpoint: unpack it, or convert it with llama.cpp's convert_hf_to_gguf.py",
    ),
    (&[b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ"], "is compressed: unpack it first"),
    (
        &[b"lmgg", b"fmgg", b"fjgg", b"tmgg", b"tjgg", b"algg"],
        "is in the GGML format that came before GGUF: download the model as a GGUF file",
    ),
];

/// First characters of texts that are no model.
const TEXTS: &[(&str, &str)] = &[
    (
        "<",
        "is a web page, perhaps one that asks you to log in: log in there, then download the model again",
    ),
    ("{", JSON),
    ("[", JSON),
    ("", "is a text, not a GGUF: name a model's GGUF file"),
];
const JSON: &str =
    "is JSON, perhaps a server's error or a model's configuration: download the GGUF file itself";

/// Why a file that begins with `head` is not a model, and how to fix it.
pub(super) fn refusal(head: &[u8]) -> String {
    let magic = MAGIC.iter().find(|(magic, _)| magic.iter().any(|magic| head.starts_with(magic)));
    let text = text(head);
    if let Some(text) = text.filter(|text| text.starts_with("version https://git-lfs")) {
        let size = text.lines().find_map(|line| line.strip_prefix("size ")?.trim().parse().ok());
        let size = size.map(|bytes| format!(" of {}", Bytes(bytes))).unwrap_or_default();
        return format!(
            "the model file is a Git LFS pointer to a file{size}, not the model itself: get it with git lfs pull"
        );
    }
    let known_text = text.and_then(|text| TEXTS.iter().find(|(start, _)| text.starts_with(start)));
    let what = match (head, magic.map(|(_, what)| what), known_text) {
        ([], ..) => "is empty: download it again",
        (_, Some(what), _) | (_, _, Some((_, what))) => what,
        // A length in 8 bytes, and a JSON header.
        ([_, _, _, _, 0, 0, 0, 0, b'{', ..], ..) => {
            "is in the safetensors format: convert it with llama.cpp's convert_hf_to_gguf.py"
        }
        _ if head.iter().all(|byte| *byte == 0) => {
            "begins with zero bytes, as an unfinished download does: download it again"
        }
        _ => "is not a GGUF, which begins with the letters GGUF: name a model's GGUF file",
    };
    format!("the model file {what}")
}

/// The bytes as text without white space at the start, if they are UTF-8 text. The last character may be truncated.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        text => text.ok()?,
    };
    let is_text = text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    is_text.then(|| text.trim_start_matches('\u{feff}').trim_start())
}
