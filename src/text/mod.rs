//! Untrusted text: file names, strings from drivers and meters, other people's documents. It is read from regular files in a known
//! encoding, and its control characters never reach a terminal.

mod file;
mod plain;

pub use file::{decode, read};
pub use plain::{is_plain, json, lines, plain};
