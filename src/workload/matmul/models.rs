//! Layers of real models by name. Shapes follow from the figures in the models' own configuration files on their
//! publishers' pages (`config.json`), whose names the fields keep.

/// A decoder model's figures.
pub(super) struct Model {
    pub(super) name: &'static str,
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: usize,
    vocab_size: usize,
}

/// Every model that a spec may name.
pub(super) const MODELS: &[Model] = &[
    Model {
        name: "smollm2-135m",
        hidden_size: 576,
        intermediate_size: 1536,
        num_attention_heads: 9,
        num_key_value_heads: 3,
        head_dim: 64,
        vocab_size: 49152,
    },
    Model {
        name: "qwen2.5-0.5b",
        hidden_size: 896,
        intermediate_size: 4864,
        num_attention_heads: 14,
        num_key_value_heads: 2,
        head_dim: 64,
        vocab_size: 151936,
    },
    Model {
        name: "llama-3.2-1b",
        hidden_size: 2048,
        intermediate_size: 8192,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        head_dim: 64,
        vocab_size: 128256,
    },
    Model {
        name: "llama-3-8b",
        hidden_size: 4096,
        intermediate_size: 14336,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        head_dim: 128,
        vocab_size: 128256,
    },
    Model {
        name: "llama-3-70b",
        hidden_size: 8192,
        intermediate_size: 28672,
        num_attention_heads: 64,
        num_key_value_heads: 8,
        head_dim: 128,
        vocab_size: 128256,
    },
];

/// The linear layers of a decoder block, and the head that turns the last activations into tokens.
pub(super) const LAYERS: &[&str] =
    &["attn-q", "attn-k", "attn-v", "attn-o", "ffn-gate", "ffn-up", "ffn-down", "lm-head"];

impl Model {
    /// Outputs and inputs of a layer of [`LAYERS`].
    pub(super) fn layer(&self, layer: &str) -> Option<(usize, usize)> {
        let hidden = self.hidden_size;
        let queries = self.num_attention_heads * self.head_dim;
        let keys = self.num_key_value_heads * self.head_dim;
        Some(match layer {
            "attn-q" => (queries, hidden),
            "attn-k" | "attn-v" => (keys, hidden),
            "attn-o" => (hidden, queries),
            "ffn-gate" | "ffn-up" => (self.intermediate_size, hidden),
            "ffn-down" => (hidden, self.intermediate_size),
            "lm-head" => (self.vocab_size, hidden),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weights of all layers with the head, against the sizes that the models are known by.
    #[test]
    fn layers_add_up_to_the_models_known_sizes() {
        let blocks = [30, 24, 16, 32, 80];
        let millions = [134.5, 494.0, 1236.0, 7505.0, 69_500.0];
        for ((model, blocks), known) in MODELS.iter().zip(blocks).zip(millions) {
            let weights = |layer: &str| {
                let (n, k) = model.layer(layer).unwrap();
                (n * k) as f64
            };
            let block: f64 = LAYERS.iter().filter(|l| **l != "lm-head").map(|l| weights(l)).sum();
            let all = (blocks as f64 * block + weights("lm-head")) / 1e6;
            assert!((all / known - 1.0).abs() < 0.005, "{}: {all} M, known {known} M", model.name);
        }
    }
}
