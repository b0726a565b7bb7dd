//! Decoders: logits against a forward pass in f64, and a real model against llama.cpp's tokens.

#[path = "../support/mod.rs"]
mod support;

mod engines;
#[path = "../support/smollm2.rs"]
mod golden;
mod run;
mod smollm2;
mod tiny;
#[path = "../model/writer.rs"]
mod writer;
