//! Decoders on the processor and on the first adapter, whatever it is, against a forward pass in f64.

use crate::decoder::tiny::{Stored, Tiny, tiny};
use crate::support;
use rigbench::device::Class;
use rigbench::gpu::Gpu;
use rigbench::model::{Config, Pairs, Rope};
use rigbench::oracle::decoder::forward;
use rigbench::workload::decoder::cpu::CpuEngine;
use rigbench::workload::decoder::gpu::{GpuEngine, KERNEL_SETS, KernelSet};
use rigbench::workload::decoder::{Engine, EngineError, argmax};

/// A logit's distance from the reference, as a share of the logits' spread: f32 sums and an f16 cache.
const BOUND: f64 = 4e-3;
/// The same where activations and weights are f16 too.
const BOUND_F16: f64 = 1.2e-2;

/// What runs a decoder.
enum On {
    Cpu,
    Gpu(Gpu, &'static KernelSet),
}

impl On {
    fn engine(
        &self,
        model: &Tiny,
        batch: usize,
        context: usize,
    ) -> Result<Box<dyn Engine>, EngineError> {
        Ok(match self {
            On::Cpu => Box::new(CpuEngine::new(model, batch, context)?),
            On::Gpu(gpu, set) => Box::new(GpuEngine::new(gpu, model, set, batch, context)?),
        })
    }

    /// Whether it is made for the software adapter, or the processor.
    fn is_at_home(&self) -> bool {
        matches!(self, On::Cpu | On::Gpu(_, KernelSet { workgroup: 8, .. }))
    }

    fn bound(&self) -> f64 {
        if self.name().starts_with("decoder/matrices") { BOUND_F16 } else { BOUND }
    }

    fn name(&self) -> &'static str {
        match self {
            On::Cpu => "cpu",
            On::Gpu(_, set) => set.id,
        }
    }
}

/// The processor, and the first kernel set on the adapter if there is one.
fn all(test: &str) -> Vec<On> {
    let gpu = support::gpu(test).map(|gpu| On::Gpu(gpu, &KERNEL_SETS[0]));
    [On::Cpu].into_iter().chain(gpu).collect()
}

/// Texts of a batch: all unlike each other.
fn texts(batch: usize, length: usize, vocabulary: usize) -> Vec<Vec<u32>> {
    let token = |s: usize, i: usize| ((s * 31 + i * i * 7 + i * 3 + 11) % vocabulary) as u32;
    (0..batch).map(|s| (0..length).map(|i| token(s, i)).collect()).collect()
}

/// The worst distance of logits from the reference at the last of `tokens`.
fn distance(model: &Tiny, tokens: &[u32], logits: &[f32]) -> f64 {
    let reference = forward(model, tokens).unwrap();
    let row = reference.logits.row(tokens.len() - 1);
    let spread = (row.iter().map(|x| x * x).sum::<f64>() / row.len() as f64).sqrt();
    assert_eq!(row.len(), logits.len());
    let distances = row.iter().zip(logits).map(|(want, got)| (want - f64::from(*got)).abs());
    // A NaN is no distance and must not be lost.
    distances.fold(0.0, |worst: f64, d| if d <= worst { worst } else { d }) / spread
}

/// Prefills all but the last `forced` tokens of each text, is told those one by one, and compares after each.
fn compare(on: &On, model: &Tiny, batch: usize, length: usize, forced: usize) {
    let texts = texts(batch, length, model.config.vocab_size);
    let mut engine = on.engine(model, batch, length).unwrap();
    engine.poison().unwrap();
    let prompts: Vec<Vec<u32>> = texts.iter().map(|t| t[..length - forced].to_vec()).collect();
    engine.submit_prefill(&prompts).unwrap();
    let mut done = engine.wait().unwrap().unwrap();
    for given in length - forced..=length {
        let logits = engine.logits().unwrap();
        // Not every sequence every time: the reference is slow.
        for s in (0..batch).step_by(batch.div_ceil(3)).chain([batch - 1]) {
            let far = distance(model, &texts[s][..given], &logits[s]);
            assert!(
                far < on.bound(),
                "{} {:?} batch {batch}, sequence {s} after {given} tokens: {far:.1e}",
                on.name(),
                model.stored
            );
            assert_eq!(done.tokens[s], argmax(&logits[s]), "{}", on.name());
        }
        if given < length {
            let tokens: Vec<u32> = texts.iter().map(|text| text[given]).collect();
            engine.submit(Some(&tokens)).unwrap();
            done = engine.wait().unwrap().unwrap();
        }
    }
    assert_eq!(engine.position(), length);
}

#[test]
fn every_choice_and_type_agrees_with_the_reference() {
    let gpu = support::gpu("every_choice_and_type_agrees_with_the_reference");
    let sets = KERNEL_SETS.iter().filter_map(|set| Some(On::Gpu(gpu.clone()?, set)));
    for on in [On::Cpu].into_iter().chain(sets) {
        use Stored::{F16, F32, Int4, Int8, Mixed, Offsets};
        let model = Tiny { config: tiny(), stored: F16 };
        if let Err(EngineError::Unsupported(lack)) = on.engine(&model, 1, 21) {
            let is_of_units = lack.contains("no matrix-") || lack.contains("subgroups of");
            assert!(on.bound() == BOUND_F16 && is_of_units, "{}: {lack}", on.name());
            continue;
        }
        // What is made for other devices is slow here: each type in one batch, and many rows in steps too.
        let batches: &[usize] = if on.is_at_home() { &[1, 3] } else { &[1, 3, 12] };
        for (i, stored) in [F32, F16, Int8, Int4, Offsets, Mixed].into_iter().enumerate() {
            for (j, &batch) in batches.iter().enumerate() {
                if on.is_at_home() || i % batches.len() == j {
                    compare(&on, &Tiny { config: tiny(), stored }, batch, 21, 3);
                }
            }
        }
    }
}

#[test]
fn any_shape_of_a_model_agrees_with_the_reference() {
    let halves = Rope { base: 1e6, pairs: Pairs::Halves, factors: None };
    let qwen = Config { rope: halves, qkv_bias: true, ..tiny() };
    let factors: Vec<f32> = (0..8).map(|i| 1.0 + i as f32).collect();
    let separate = Config {
        tie_word_embeddings: false,
        rope: Rope { factors: Some(factors), ..tiny().rope },
        ..tiny()
    };
    // Heads wider than lanes have dimensions, one head of keys, heads as many as those of keys.
    let wide = Config { hidden_size: 256, heads: 2, kv_heads: 1, head_dim: 128, ..tiny() };
    let odd = Config { hidden_size: 320, heads: 4, kv_heads: 4, head_dim: 80, ..tiny() };
    for on in all("any_shape_of_a_model_agrees_with_the_reference") {
        for config in [&qwen, &separate, &wide, &odd] {
            for stored in [Stored::F16, Stored::Offsets] {
                compare(&on, &Tiny { config: config.clone(), stored }, 1, 19, 2);
            }
            compare(&on, &Tiny { config: config.clone(), stored: Stored::Int8 }, 2, 12, 2);
        }
    }
}

#[test]
fn large_batches_and_prompts_in_pieces_agree_with_the_reference() {
    for on in all("large_batches_and_prompts_in_pieces_agree_with_the_reference") {
        let model = Tiny { config: tiny(), stored: Stored::Offsets };
        // A prompt goes in by a few tokens of each sequence at a time.
        compare(&on, &model, 64, 9, 3);
        // One that is no multiple of what goes in at a time, up to the last place of the context.
        let longer = Tiny { config: Config { context: 300, ..tiny() }, stored: Stored::Int4 };
        compare(&on, &longer, 1, 291, 2);
        compare(&on, &longer, 5, 67, 2);
    }
}

/// A head of f32 that no binding of 128 MiB holds, so that its columns lie in several, and the embedding's rows too.
#[test]
fn a_head_beyond_a_binding_is_split() {
    let vocabulary = (128 << 20) / (4 * tiny().hidden_size) + 5_000;
    for on in all("a_head_beyond_a_binding_is_split") {
        let model =
            Tiny { config: Config { vocab_size: vocabulary, ..tiny() }, stored: Stored::F32 };
        compare(&on, &model, 1, 4, 1);
        // The last token of all is looked up, and what comes of it is right.
        let mut engine = on.engine(&model, 1, 4).unwrap();
        let text = [vocabulary as u32 - 1, 7, vocabulary as u32 - 3];
        engine.submit_prefill(&[text.to_vec()]).unwrap();
        engine.wait().unwrap();
        let far = distance(&model, &text, &engine.logits().unwrap()[0]);
        assert!(far < BOUND, "{}: {far:.1e}", on.name());
    }
}

#[test]
fn tokens_go_from_step_to_step_by_themselves() {
    for on in all("tokens_go_from_step_to_step_by_themselves") {
        let model = Tiny { config: tiny(), stored: Stored::Int8 };
        let prompts = texts(2, 7, model.config.vocab_size);
        let mut engine = on.engine(&model, 2, 24).unwrap();
        // Several steps in flight, and the same told one by one.
        engine.submit_prefill(&prompts).unwrap();
        let mut free = Vec::new();
        for step in 0..16 {
            engine.submit(None).unwrap();
            if step >= 2 {
                free.push(engine.wait().unwrap().unwrap().tokens);
            }
        }
        while let Some(done) = engine.wait().unwrap() {
            free.push(done.tokens);
        }
        assert_eq!(free.len(), 17);
        engine.poison().unwrap();
        engine.rewind(0).unwrap();
        engine.submit_prefill(&prompts).unwrap();
        let mut told = vec![engine.wait().unwrap().unwrap().tokens];
        for step in 0..16 {
            let tokens = told[step].clone();
            engine.submit(Some(&tokens)).unwrap();
            told.push(engine.wait().unwrap().unwrap().tokens);
        }
        assert_eq!(free, told);
        // It is the reference's choice, where that is not a matter of rounding.
        let mut text = prompts[1].clone();
        for tokens in &told {
            let reference = forward(&model, &text).unwrap();
            assert!(support::gap(&reference, text.len() - 1, tokens[1]) < 0.02, "{told:?}");
            text.push(tokens[1]);
        }
        // Back to where the answer began: the same answer.
        engine.rewind(7).unwrap();
        engine.submit(Some(&told[0])).unwrap();
        assert_eq!(engine.wait().unwrap().unwrap().tokens, told[1]);
    }
}

#[test]
fn what_was_poisoned_is_no_number() {
    for on in all("what_was_poisoned_is_no_number") {
        let model = Tiny { config: tiny(), stored: Stored::F16 };
        let mut engine = on.engine(&model, 1, 16).unwrap();
        engine.submit_prefill(&texts(1, 5, 203)).unwrap();
        engine.wait().unwrap();
        engine.poison().unwrap();
        assert!(engine.logits().unwrap()[0].iter().all(|x| x.is_nan()));
        // Without a prefill there is no token to look up and nothing to attend to.
        engine.submit(None).unwrap();
        engine.wait().unwrap();
        assert!(engine.logits().unwrap()[0].iter().all(|x| x.is_nan()));
    }
}

#[test]
fn what_cannot_be_held_is_an_error_of_one_line() {
    for on in all("what_cannot_be_held_is_an_error_of_one_line") {
        let error = |config: Config, batch, context| {
            let model = Tiny { config, stored: Stored::F16 };
            match on.engine(&model, batch, context) {
                Ok(_) => panic!("a model that no device holds"),
                Err(error) => error,
            }
        };
        if let On::Gpu(gpu, _) = &on {
            let odd = error(
                Config { head_dim: 12, hidden_size: 144, intermediate_size: 96, ..tiny() },
                1,
                8,
            );
            assert!(matches!(odd, EngineError::Unsupported(_)), "{odd}");
            let long = error(tiny(), 64, 1 << 26);
            assert!(matches!(long, EngineError::Unsupported(_)), "{long}");
            if gpu.description().class != Class::SoftwareGpu {
                continue;
            }
        }
        // Half a million layers.
        let large = error(Config { layers: 1 << 29, ..tiny() }, 1, 8);
        assert!(matches!(large, EngineError::TooLarge { .. }), "{large}");
        assert!(!large.to_string().contains('\n'));
    }
}
