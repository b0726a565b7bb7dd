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
pub const PRESETS: &[Preset] = &[
    Preset { name: "smollm2-135m", config: smollm2_135m },
    Preset { name: "qwen2.5-0.5b", config: qwen2_5_0_5b },
    Preset { name: "llama-3.2-1b", config: llama_3_2_1b },
    Preset { name: "llama-3-8b", config: llama_3_8b },
    Preset { name: "llama-3-70b", config: llama_3_70b },
];

/// The linear layers of a decoder block and the LM head, by their names in specs.
pub const LAYERS: &[(&str, Tensor)] = &[
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str) -> Config {
        PRESETS.iter().find(|preset| preset.name == name).unwrap().config()
    }

    /// Weights of a token's matrix products and KV cache bytes per token, compared with the models' known sizes.
    #[test]
    fn hyperparameters_add_up_to_the_known_model_sizes() {
        let millions = [134.5, 494.0, 1236.0, 7505.0, 69_500.0];
        let kilobytes = [23.04, 12.288, 32.768, 131.072, 327.68];
        for ((preset, millions), kilobytes) in PRESETS.iter().zip(millions).zip(kilobytes) {
            let config = preset.config();
            let weights = config.matmul_weights() as f64 / 1e6;
            assert!((weights / millions - 1.0).abs() < 0.005, "{}: {weights} M", preset.name);
            assert_eq!(config.kv_bytes() as f64 / 1e3, kilobytes, "{}", preset.name);
        }
    }

    /// All parameters, as published: 134,515,008 of SmolLM2, 494,032,768 of Qwen2.5 and so on.
    #[test]
    fn parameters_are_exactly_the_published_ones() {
        let published = [134_515_008, 494_032_768, 1_235_814_400, 8_030_261_248, 70_553_706_496];
        for (preset, published) in PRESETS.iter().zip(published) {
            let config = preset.config();
            let all: u64 = config.tensors().map(|tensor| config.weights(tensor)).sum();
            assert_eq!(all, published, "{}", preset.name);
        }
    }

    #[test]
    fn layers_have_the_shapes_of_their_specs() {
        let shape = |model: &str, layer: &str| {
            let (_, tensor) = LAYERS.iter().find(|(name, _)| *name == layer).unwrap();
            config(model).shape(*tensor)
        };
        assert_eq!(shape("smollm2-135m", "lm-head"), (49_152, 576));
        assert_eq!(shape("smollm2-135m", "attn-k"), (192, 576));
        assert_eq!(shape("llama-3-8b", "ffn-up"), (14_336, 4096));
        assert_eq!(shape("llama-3-8b", "ffn-down"), (4096, 14_336));
        assert_eq!(shape("qwen2.5-0.5b", "attn-v"), (128, 896));
        assert_eq!(shape("llama-3-70b", "attn-o"), (8192, 8192));
    }

    /// High-frequency pairs of Llama 3.2 are not scaled, low-frequency ones by 32, and the transition is monotonic.
    #[test]
    fn llama_3_2_scales_low_frequencies() {
        let factors = config("llama-3.2-1b").rope.factors.unwrap();
        assert_eq!(factors.len(), 32);
        assert_eq!((factors[0], factors[31]), (1.0, 32.0));
        // 8192 tokens hold 4.19 wavelengths of pair 14, the last that is not scaled, and 0.81 of pair 18, the first that is scaled fully.
        assert_eq!(factors.iter().filter(|f| **f == 1.0).count(), 15);
        assert_eq!(factors.iter().filter(|f| **f == 32.0).count(), 14);
        assert!(factors.is_sorted());
    }
}
