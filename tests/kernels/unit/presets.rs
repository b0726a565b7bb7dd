//! The model presets, against the models' published sizes.

use rigbench::model::{Config, LAYERS, PRESETS};

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
