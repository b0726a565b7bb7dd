//! A decoder's arithmetic intensity, and its functions of rows on the CPU.

use rigbench::device::Device;
use rigbench::workload::decoder::cpu::{exp, softmax};
use rigbench::workload::{Intensity, parse};

/// By hand: weights of all products at 2 FLOP and 2 bytes each, and attention to 192.5 positions in the mean, each with a KV cache of
/// 131,072 bytes; norms are negligible. Llama-3-8B has an untied embedding, SmolLM2-135M a tied one.
#[test]
fn intensity_follows_from_weights_and_kv_cache() {
    for (model, weights, attends, cached) in [
        ("llama-3-8b", 7505e6, 32.0 * 4096.0, 131_072.0),
        ("smollm2-135m", 134.5e6, 30.0 * 576.0, 23_040.0),
    ] {
        let decode = parse(&format!("decode:{model}:f16")).unwrap();
        let Intensity { operations_per_unit, bytes_per_unit, .. } =
            decode.intensity(&Device::cpu()).unwrap();
        let close = |got: f64, want: f64| (got / want - 1.0).abs() < 1e-3;
        assert!(close(operations_per_unit, 2.0 * weights + 4.0 * attends * 192.5), "{model}");
        assert!(close(bytes_per_unit, 2.0 * weights + cached * 192.5), "{model}");
    }
}

#[test]
fn powers_of_e_are_right_to_six_digits() {
    for i in -8600..8700 {
        let x = i as f32 / 100.0 + 0.003;
        let error = f64::from(exp(x)) / f64::from(x).exp() - 1.0;
        assert!(error.abs() < 4e-7, "e^{x} is off by {error:.1e}");
    }
    assert!(exp(-1e9) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37 && exp(1e9) > 1e38);
    assert!(exp(f32::NAN).is_nan());
}

#[test]
fn softmax_sums_to_one_and_propagates_nan() {
    let mut scores: Vec<f32> = (0..37).map(|i| (i * 7 % 37) as f32 - 20.0).collect();
    let exact: f64 = scores.iter().map(|s| f64::from(*s).exp()).sum();
    let first = f64::from(scores[5]).exp() / exact;
    softmax(&mut scores);
    assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    assert!((f64::from(scores[5]) / first - 1.0).abs() < 1e-5);
    let mut broken = [0.0, f32::NAN, 1.0];
    softmax(&mut broken);
    assert!(broken.iter().all(|x| x.is_nan()));
}
