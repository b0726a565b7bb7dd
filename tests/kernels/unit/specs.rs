//! Specs of workloads: what they mean, and what a mistake is answered with.

use proptest::prelude::*;
use rigbench::workload::parse;

fn error(spec: &str) -> String {
    match parse(spec) {
        Ok(workload) => panic!("{spec} was read as {}", workload.spec()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn specs_round_trip_and_ids_alone_have_a_default_shape() {
    for (spec, whole) in [
        ("sha256d", "sha256d"),
        ("gemm", "gemm:1024x1024x1024:f32"),
        ("gemm:3x5x7", "gemm:3x5x7:f32"),
        ("gemm:3x5x7:f32", "gemm:3x5x7:f32"),
        ("gemm:3x5x7:f32:transpose=b", "gemm:3x5x7:f32:transpose=b"),
        ("gemm:3x5x7:int8:activations=int8", "gemm:3x5x7:int8:activations=int8"),
        ("gemm:3x5x7:f16:activations=f16", "gemm:3x5x7:f16"),
        ("gemm:llama-3-8b/ffn-up:f16:m=512", "gemm:512x14336x4096:f16"),
        ("gemm:llama-3-8b/ffn-down", "gemm:512x4096x14336:f32"),
        ("gemv", "gemv:4096x4096:int4"),
        ("gemv:smollm2-135m/lm-head:int8", "gemv:49152x576:int8"),
        ("prefill", "prefill:smollm2-135m:int4:batch=1:prompt=128"),
        ("decode", "decode:smollm2-135m:int4:batch=1:prompt=128:context=256"),
        (
            "decode:smollm2-135m:int4:batch=8",
            "decode:smollm2-135m:int4:batch=8:prompt=128:context=256",
        ),
        (
            "decode:llama-3-8b:f16:prompt=512",
            "decode:llama-3-8b:f16:batch=1:prompt=512:context=640",
        ),
    ] {
        let workload = parse(spec).unwrap();
        assert_eq!(workload.spec(), whole);
        assert_eq!(parse(whole).unwrap().spec(), whole);
        assert_eq!(workload.shape().layer.is_some(), spec.contains('/'), "{spec}");
    }
}

#[test]
fn mistakes_get_one_line_with_what_to_write() {
    for (spec, hint) in [
        ("gem", "did you mean 'gemm'?"),
        ("gem", "gemm:1024x1024x1024:f32"),
        ("", "sha256d"),
        ("sha256d:4", "takes no"),
        ("gemm:0x4x4", "MxNxK"),
        ("gemm:4x4", "MxNxK"),
        ("gemm:4x4x4x4", "MxNxK"),
        ("gemm:-1x4x4", "MxNxK"),
        ("gemm:axbxc", "MxNxK"),
        ("gemm:", "MxNxK"),
        ("gemv:4x4x4", "NxK"),
        ("gemm:4x4x4:f64", "known: f32, f16, int8, int4"),
        ("gemm:4x4x4:int3", "did you mean 'int"),
        ("gemm:4x4x4:f32:x", "gemm:1024x1024x1024:f32"),
        ("gemm:4x4x4:f32:tranpose=b", "did you mean 'transpose'?"),
        ("gemm:4x4x4:f32:transpose=c", "transpose=a"),
        ("gemm:4x4x4:int8:transpose=a", "transpose goes with gemm in f32"),
        ("gemm:4x4x4:f32:activations=f16", "do not go with"),
        ("gemm:4x4x4:f16:activations=int8", "do not go with"),
        ("gemm:4x4x4:m=3", "first number"),
        ("gemm:llama-3-8b/ffn-up:m=0", "m=512"),
        ("gemv:llama-3-8b/ffn-up:m=2", "gemm:llama-3-8b/ffn-up:m=2"),
        ("gemm:llama-3-8b/ffn-op", "did you mean 'ffn-up'?"),
        ("gemm:llama-8b/ffn-up", "did you mean 'llama-3-8b'?"),
        ("gemm:llama-3-8b", "llama-3-8b/ffn-down"),
        ("decode:smollm-135m", "did you mean 'smollm2-135m'?"),
        ("decode:smollm2-135m:int5", "did you mean 'int"),
        ("decode:smollm2-135m:batch=65", "from 1 to 64"),
        ("decode:smollm2-135m:prompt=0", "prompt=0 is no number"),
        ("decode:smollm2-135m:batsch=2", "did you mean 'batch'?"),
        ("decode:smollm2-135m:context=128", "leaves no room"),
        ("decode:smollm2-135m:context=10000", "up to 8192 tokens"),
        ("prefill:smollm2-135m:context=256", "known: batch, prompt"),
        ("decode:smollm2-135m:int4:int8", "one part too many"),
        ("decode:smollm2-135m:batch=1:batch=2", "option 'batch' is given twice"),
        ("gemm:8x8x8:f32:transpose=a:transpose=b", "option 'transpose' is given twice"),
        ("decode:nowhere.gguf", "nowhere.gguf"),
        ("decode:nowhere.gguf:int4", "has its own types"),
        ("gemm:4000000000x4000000000x4000000000", "too large"),
    ] {
        let line = error(spec);
        assert!(line.contains(hint) && !line.contains('\n'), "{spec}: {line}");
    }
}

proptest! {
    /// No input causes a panic or more than one line of output.
    #[test]
    fn any_input_is_parsed_or_rejected_in_one_line(spec in "(gemm|gemv|sha256d|prefill|decode|x)?(:[a-z0-9/=.x-]{0,12}){0,4}") {
        if let Err(error) = parse(&spec) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
