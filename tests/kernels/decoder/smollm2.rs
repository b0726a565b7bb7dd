//! SmolLM2-135M from its real file, told llama.cpp's own greedy tokens one by one: each lies near the largest logit.

use crate::support;
use crate::support::smollm2::{Prompt, golden, smollm};
use rigbench::model::Weights;
use rigbench::workload::decoder::cpu::CpuEngine;
use rigbench::workload::decoder::gpu::{GpuEngine, KERNEL_SETS};
use rigbench::workload::decoder::{Engine, EngineError};

/// As for the reference in f64 (tests/kernels/model): llama.cpp rounds activations to 8 bits, which may take a recorded token so far
/// below the first place.
const GAP: f32 = 0.5;

fn goes_along(name: &str, engine: &mut dyn Engine, prompts: &[Prompt]) {
    let (mut first, mut all, mut largest) = (0, 0, 0.0f32);
    for Prompt { prompt, continuation, .. } in prompts {
        engine.rewind(0).unwrap();
        engine.submit_prefill(std::slice::from_ref(prompt)).unwrap();
        let mut done = engine.wait().unwrap().unwrap();
        for &token in continuation {
            let logits = &engine.logits().unwrap()[0];
            let gap = logits[done.tokens[0] as usize] - logits[token as usize];
            assert!(gap <= GAP, "{name}: token {token} is {gap} below the first");
            largest = largest.max(gap);
            first += usize::from(done.tokens[0] == token);
            all += 1;
            engine.submit(Some(&[token])).unwrap();
            done = engine.wait().unwrap().unwrap();
        }
    }
    println!("{name}: {first} of {all} first, largest gap {largest:.4}");
    assert!(all >= 64 && first * 100 >= all * 95, "{name}: only {first} of {all} come first");
}

#[test]
fn the_processor_goes_llama_cpps_way() {
    let Some(model) = smollm("the_processor_goes_llama_cpps_way") else { return };
    let mut engine = CpuEngine::new(&model, 1, model.config().context.min(256)).unwrap();
    goes_along("cpu", &mut engine, &golden().prompts);
}

#[test]
fn the_adapter_goes_llama_cpps_way() {
    let Some(model) = smollm("the_adapter_goes_llama_cpps_way") else { return };
    let Some(gpu) = support::gpu("the_adapter_goes_llama_cpps_way") else { return };
    let engine = |set| GpuEngine::new(&gpu, &model, set, 1, 256);
    let prompts = golden().prompts;
    goes_along(KERNEL_SETS[0].id, &mut engine(&KERNEL_SETS[0]).unwrap(), &prompts);
    // Prompts on matrix units too, where it has them.
    for set in KERNEL_SETS.iter().filter(|set| set.id.starts_with("decoder/matrices")) {
        match engine(set) {
            Ok(mut engine) => goes_along(set.id, &mut engine, &prompts[..1]),
            Err(error) => assert!(matches!(error, EngineError::Unsupported(_)), "{error}"),
        }
    }
}
