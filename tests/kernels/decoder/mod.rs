//! Decoders: logits against a forward pass in f64, and a real model against llama.cpp's tokens.

mod engines;
mod run;
mod smollm2;
mod tiny;
