//! Models by name, with the hyperparameters of their publishers' `config.json`.

use super::{Config, Pairs, Part, Rope, Tensor};
use std::f64::consts::TAU;

/// A model with a name.
pub struct Preset {
    /// Name in specs.
    pub name: &'static str,
    config: fn() -> Config,
}

/// Every model that a spec may name.
pub const PRESETS: [Preset; 5] = [
    Preset { name: "smollm2-135m", config: smollm2_135m },
    Preset { name: "qwen2.5-0.5b", config: qwen2_5_0_5b },
    Preset { name: "llama-3.2-1b", config: llama_3_2_1b },
    Preset { name: "llama-3-8b", config: llama_3_8b },
    Preset { name: "llama-3-70b", config: llama_3_70b },
];

/// The linear layers of a decoder block and the LM head, by their names in specs.
pub const LAYERS: [(&str, Tensor); 8] = [
    ("attn-q", Tensor::Layer(0, Part::Query)),
    ("attn-k", Tensor::Layer(0, Part::Key)),
    ("attn-v", Tensor::Layer(0, Part::Value)),
    ("attn-o", Tensor::Layer(0, Part::Output)),
    ("ffn-gate", Tensor::Layer(0, Part::Gate)),
    ("ffn-up", Tensor::Layer(0, Part::Up)),
    ("ffn-down", Tensor::Layer(0, Part::Down)),
    ("lm-head", Tensor::Head),
];

impl Preset {
    /// Its hyperparameters.
    pub fn config(&self) -> Config {
        (self.config)()
    }
}

fn smollm2_135m() -> Config {
    Config {
        layers: 30,
        hidden_size: 576,
        intermediate_size: 1536,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        vocab_size: 49152,
        context: 8192,
        rope: Rope { base: 100_000.0, pairs: Pairs::Neighbours, factors: None },
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        qkv_bias: false,
    }
}

fn qwen2_5_0_5b() -> Config {
    Config {
        layers: 24,
        hidden_size: 896,
        intermediate_size: 4864,
        heads: 14,
        kv_heads: 2,
        head_dim: 64,
        vocab_size: 151_936,
        context: 32_768,
        rope: Rope { base: 1_000_000.0, pairs: Pairs::Halves, factors: None },
        rms_norm_eps: 1e-6,
        tie_word_embeddings: true,
        qkv_bias: true,
    }
}

fn llama_3_8b() -> Config {
    Config {
        layers: 32,
        hidden_size: 4096,
        intermediate_size: 14_336,
        heads: 32,
        kv_heads: 8,
        head_dim: 128,
        vocab_size: 128_256,
        context: 8192,
        rope: Rope { base: 500_000.0, pairs: Pairs::Neighbours, factors: None },
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        qkv_bias: false,
    }
}

fn llama_3_70b() -> Config {
    Config { layers: 80, hidden_size: 8192, intermediate_size: 28_672, heads: 64, ..llama_3_8b() }
}

fn llama_3_2_1b() -> Config {
    let unscaled = Config {
        layers: 16,
        hidden_size: 2048,
        intermediate_size: 8192,
        head_dim: 64,
        context: 131_072,
        tie_word_embeddings: true,
        ..llama_3_8b()
    };
    let factors = unscaled.rope_frequencies().into_iter().map(llama_3_2_factor).collect();
    Config { rope: Rope { factors: Some(factors), ..unscaled.rope }, ..unscaled }
}

/// Divisor of a RoPE frequency that extends the original context (`rope_type` "llama3"): 1 for short wavelengths, `FACTOR` if the
/// original context holds fewer than `LOW_FREQ_FACTOR` wavelengths, and a smooth transition in between.
fn llama_3_2_factor(frequency: f64) -> f32 {
    const FACTOR: f64 = 32.0;
    const LOW_FREQ_FACTOR: f64 = 1.0;
    const HIGH_FREQ_FACTOR: f64 = 4.0;
    const ORIGINAL_CONTEXT: f64 = 8192.0;
    let wavelengths = ORIGINAL_CONTEXT * frequency / TAU;
    let smooth = (wavelengths - LOW_FREQ_FACTOR) / (HIGH_FREQ_FACTOR - LOW_FREQ_FACTOR);
    let smooth = smooth.clamp(0.0, 1.0);
    (1.0 / (smooth + (1.0 - smooth) / FACTOR)) as f32
}
