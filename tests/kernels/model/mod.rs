//! Models: their files, damaged ones too, their seeded weights, and the reference forward pass.

mod decoder;
mod gguf;
mod gguf_damage;
mod paths;
mod smollm2;
mod variants;
pub mod writer;
