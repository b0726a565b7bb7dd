//! Untrusted text: file names, strings from drivers and meters, other people's documents. It is read from regular files in a known
//! encoding, and its control characters never reach a terminal.

mod decode;
mod file;
mod plain;

pub use decode::decode;
pub use file::read;
pub use plain::{is_plain, json, lines, plain};

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
