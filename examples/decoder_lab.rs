//! Tokens a second of a GGUF model on a device, without the protocol, and what it writes: to try a change of an engine.
//! `decoder_lab FILE.gguf cpu|gpu [BATCH [PROMPT [ANSWER]]]`

use rigbench::gpu::{self, Gpu};
use rigbench::model::Gguf;
use rigbench::workload::decoder::Engine;
use rigbench::workload::decoder::cpu::CpuEngine;
use rigbench::workload::decoder::gpu::{GpuEngine, KERNEL_SETS, Stage};
use std::time::Instant;

/// What of a decoding step in the middle of an answer is no product: the median of some, and its range. Norms, rotation, gate and what
/// goes into the cache ride along with products and count as such; the gaps between dispatches do not count.
fn shares(engine: &mut GpuEngine, prompts: &[Vec<u32>], steps: usize) {
    engine.submit_prefill(prompts).unwrap();
    for _ in 0..steps / 2 {
        engine.wait().unwrap();
        engine.submit(None).unwrap();
    }
    engine.wait().unwrap();
    let is_product = |stage| {
        use Stage::{AttentionOutput, Down, GateUp, LmHead, Qkv};
        matches!(stage, Qkv | AttentionOutput | GateUp | Down | LmHead)
    };
    let mut shares = Vec::new();
    for _ in 0..9 {
        let stages = engine.stages().unwrap().unwrap_or_default();
        let sum = |products: bool| -> f64 {
            let of_kind = stages.iter().filter(|(stage, _)| is_product(*stage) == products);
            of_kind.map(|(_, seconds)| seconds.0).sum()
        };
        shares.push(100.0 * sum(false) / (sum(false) + sum(true)));
    }
    shares.sort_by(f64::total_cmp);
    println!("no product: {:.1} % of a step ({:.1} to {:.1})", shares[4], shares[0], shares[8]);
}

/// What the model writes after a few words.
fn demonstrate(engine: &mut dyn Engine, model: &Gguf, batch: usize) {
    let tokenizer = model.tokenizer().unwrap();
    let words = "A kilowatt-hour is";
    engine.rewind(0).unwrap();
    engine.submit_prefill(&vec![tokenizer.tokens(words).unwrap(); batch]).unwrap();
    let mut tokens = Vec::new();
    for _ in 0..32 {
        tokens.push(engine.wait().unwrap().unwrap().tokens[0]);
        engine.submit(None).unwrap();
    }
    engine.wait().unwrap();
    println!("{words}{}", tokenizer.text(&tokens).unwrap());
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize, default| arguments.get(i).map_or(default, |a| a.parse().unwrap());
    let (batch, length, steps) = (number(3, 1), number(4, 128), number(5, 64));
    let model = Gguf::open(std::path::Path::new(&arguments[1])).unwrap();
    let context = length + steps + 1;
    let prompts: Vec<Vec<u32>> = (0..batch)
        .map(|s| (0..length).map(|i| ((s * 31 + i * 97) % 40_000) as u32).collect())
        .collect();
    let mut engine: Box<dyn Engine> = match arguments[2].as_str() {
        "cpu" => Box::new(CpuEngine::new(&model, batch, context).unwrap()),
        _ => {
            let gpu = Gpu::open(&gpu::enumerate()[0]).unwrap();
            let mut engine = GpuEngine::new(&gpu, &model, &KERNEL_SETS[0], batch, context).unwrap();
            shares(&mut engine, &prompts, steps);
            Box::new(engine)
        }
    };
    for _ in 0..4 {
        engine.rewind(0).unwrap();
        let began = Instant::now();
        engine.submit_prefill(&prompts).unwrap();
        engine.wait().unwrap();
        let prefill = began.elapsed().as_secs_f64();
        let began = Instant::now();
        for step in 0..steps {
            engine.submit(None).unwrap();
            if step >= 2 {
                engine.wait().unwrap();
            }
        }
        while engine.wait().unwrap().is_some() {}
        println!(
            "prefill {:.1} t/s, decode {:.1} t/s",
            (batch * length) as f64 / prefill,
            (batch * steps) as f64 / began.elapsed().as_secs_f64()
        );
    }
    demonstrate(&mut *engine, &model, batch);
}
