//! Models: their files, damaged ones too, their seeded weights, and the reference forward pass.

mod decoder;
mod gguf;
mod gguf_damage;
#[path = "../support/smollm2.rs"]
mod golden;
mod paths;
mod smollm2;
#[path = "../support/mod.rs"]
mod support;
mod variants;
mod writer;
