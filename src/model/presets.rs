//! Models by name, with the hyperparameters and field names of their publishers' `config.json`.

use super::{Config, Pairs, Part, Rope, Tensor};

/// A model with a name.
pub struct Preset {
    /// Name in specs.
    pub name: &'static str,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    rope_theta: f32,
    rope_scaling: Option<Scaling>,
    rms_norm_eps: f32,
    tie_word_embeddings: bool,
    family: Family,
}

#[derive(PartialEq)]
enum Family {
    Llama,
    Qwen2,
}

/// RoPE scaling that extends the original context (`rope_type` "llama3").
struct Scaling {
    factor: f64,
    low_freq_factor: f64,
    high_freq_factor: f64,
    original_max_position_embeddings: f64,
}

/// Every model that a spec may name.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "smollm2-135m",
        hidden_size: 576,
        intermediate_size: 1536,
        num_hidden_layers: 30,
        num_attention_heads: 9,
        num_key_value_heads: 3,
        head_dim: 64,
        vocab_size: 49152,
        max_position_embeddings: 8192,
        rope_theta: 100_000.0,
        rope_scaling: None,
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        family: Family::Llama,
    },
    Preset {
        name: "qwen2.5-0.5b",
        hidden_size: 896,
        intermediate_size: 4864,
        num_hidden_layers: 24,
        num_attention_heads: 14,
        num_key_value_heads: 2,
        head_dim: 64,
        vocab_size: 151_936,
        max_position_embeddings: 32_768,
        rope_theta: 1_000_000.0,
        rope_scaling: None,
        rms_norm_eps: 1e-6,
        tie_word_embeddings: true,
        family: Family::Qwen2,
    },
    Preset {
        name: "llama-3.2-1b",
        hidden_size: 2048,
        intermediate_size: 8192,
        num_hidden_layers: 16,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        head_dim: 64,
        vocab_size: 128_256,
        max_position_embeddings: 131_072,
        rope_theta: 500_000.0,
        rope_scaling: Some(Scaling {
            factor: 32.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 8192.0,
        }),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        family: Family::Llama,
    },
    Preset {
        name: "llama-3-8b",
        hidden_size: 4096,
        intermediate_size: 14_336,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        head_dim: 128,
        vocab_size: 128_256,
        max_position_embeddings: 8192,
        rope_theta: 500_000.0,
        rope_scaling: None,
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        family: Family::Llama,
    },
    Preset {
        name: "llama-3-70b",
        hidden_size: 8192,
        intermediate_size: 28_672,
        num_hidden_layers: 80,
        num_attention_heads: 64,
        num_key_value_heads: 8,
        head_dim: 128,
        vocab_size: 128_256,
        max_position_embeddings: 8192,
        rope_theta: 500_000.0,
        rope_scaling: None,
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        family: Family::Llama,
    },
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
    /// Its hyperparameters under the names of [`Config`].
    pub fn config(&self) -> Config {
        let pairs = match self.family {
            Family::Llama => Pairs::Neighbours,
            Family::Qwen2 => Pairs::Halves,
        };
        let factors = |scaling: &Scaling| scaling.factors(self.head_dim, self.rope_theta);
        let factors = self.rope_scaling.as_ref().map(factors);
        Config {
            layers: self.num_hidden_layers,
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            heads: self.num_attention_heads,
            kv_heads: self.num_key_value_heads,
            head_dim: self.head_dim,
            vocab_size: self.vocab_size,
            context: self.max_position_embeddings,
            rope: Rope { base: self.rope_theta, pairs, factors },
            rms_norm_eps: self.rms_norm_eps,
            tie_word_embeddings: self.tie_word_embeddings,
            qkv_bias: self.family == Family::Qwen2,
        }
    }
}

impl Scaling {
    /// Divisors of the RoPE frequencies: 1 for short wavelengths, `factor` if the original context holds fewer than `low_freq_factor`
    /// wavelengths, and a smooth transition in between.
    fn factors(&self, head_size: usize, base: f32) -> Vec<f32> {
        let factor = |pair: usize| {
            let exponent = 2.0 * pair as f64 / head_size as f64;
            let frequency = f64::from(base).powf(-exponent);
            let wavelengths =
                self.original_max_position_embeddings * frequency / std::f64::consts::TAU;
            let smooth = (wavelengths - self.low_freq_factor)
                / (self.high_freq_factor - self.low_freq_factor);
            let smooth = smooth.clamp(0.0, 1.0);
            (1.0 / (smooth + (1.0 - smooth) / self.factor)) as f32
        };
        (0..head_size / 2).map(factor).collect()
    }
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
