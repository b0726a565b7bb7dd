//! Text that others wrote: file names, the words of drivers and meters, documents of strangers. All of it is input: it is read
//! from regular files in a known encoding, and control characters in it never reach a terminal.

mod decode;
mod file;
mod plain;

pub use decode::decode;
pub use file::read;
pub use plain::{is_plain, json, lines, plain};
