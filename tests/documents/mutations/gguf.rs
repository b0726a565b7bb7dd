//! Mutated GGUF files, opened as `decode:FILE` does, and run for a few tokens if they are taken.

use crate::mutations::bytes;
use crate::mutations::random::Random;
use crate::mutations::soak::soak;
use crate::writer::{Writer, flag, float, list, llama, number, string};
use rigbench::model::{Gguf, Weights};
use rigbench::workload::data::Seed;
use rigbench::workload::decoder::{Answers, judge};

#[test]
fn mutated_gguf_files_do_no_harm() {
    soak("gguf", &model().write().bytes, mutate, |path| {
        let spec = format!("decode:{}:batch=1:prompt=2:context=4", path.display());
        let Err(why) = rigbench::workload::parse(&spec) else {
            let model = Gguf::open(path).unwrap();
            let _ = model.tokenizer();
            for tensor in model.config().tensors().filter(|tensor| !tensor.is_matrix()) {
                let _ = model.vector(tensor);
            }
            let answers = Answers { tokens: vec![vec![1, 2]] };
            let _ = judge(&spec, Seed([7; 32]), Some(path), &answers);
            return true;
        };
        let line = why.to_string();
        assert!(!line.chars().any(char::is_control) && line.len() < 1000, "{line:?}");
        false
    });
}

fn model() -> Writer {
    let mut writer = llama();
    writer
        .set_tokenizer()
        .set("llama.rope.scaling.type", string("linear"))
        .set("llama.rope.scaling.factor", float(2.0));
    writer
}

fn mutate(random: &mut Random) -> Vec<u8> {
    let mut writer = model();
    let changes = *random.pick(&[0, 1, 1, 2]);
    for _ in 0..changes {
        change(&mut writer, random);
    }
    let written = writer.write();
    let (mut head, weights) = (written.bytes, written.data);
    let weights = head.split_off(weights.min(head.len()));
    // Weights may be anything; the head is where a reader can go wrong.
    if changes == 0 {
        bytes::mutate(&mut head, random);
    }
    head.extend(weights);
    if random.below(8) == 0 {
        bytes::mutate(&mut head, random);
    }
    head
}

/// Changes a value, a key or a tensor.
fn change(writer: &mut Writer, random: &mut Random) {
    let at = random.below(writer.values.len());
    let tensor = random.below(writer.tensors.len());
    let huge = *random.pick(&[0, 1, 2, u64::MAX, 1 << 63, 1 << 40, 1 << 24, (1 << 24) + 1, 100]);
    match random.below(10) {
        0 => _ = writer.values.remove(at),
        1 => {
            writer.values[at].0 =
                random.pick(&["split.count", "general.type", "a", "llama.expert_count"]).to_string()
        }
        2 => {
            let pair = writer.values[at].clone();
            writer.values.push(pair);
        }
        3 | 4 => {
            let text = "x".repeat(random.below(300));
            let kind = random.below(20) as u32;
            writer.values[at].1 = random
                .pick(&[
                    number(huge as u32),
                    (10, huge.to_le_bytes().to_vec()),
                    (11, huge.to_le_bytes().to_vec()),
                    (12, f64::from_bits(huge).to_le_bytes().to_vec()),
                    float(f32::from_bits(huge as u32)),
                    flag(huge == 0),
                    string(&text),
                    list(4, huge, vec![1, 0, 0, 0, 2, 0, 0, 0]),
                    list(8, huge.min(1 << 20), vec![0; 1 << 10]),
                    (kind, vec![0; 16]),
                ])
                .clone();
        }
        5 => writer.tensors[tensor].kind = (random.next() % 42) as u32,
        6 => {
            let side = random.below(writer.tensors[tensor].sides.len());
            writer.tensors[tensor].sides[side] = huge;
        }
        7 => {
            writer.tensors[tensor].name =
                random.pick(&["output.weight", "a", "blk.0.attn_q.bias", ""]).to_string()
        }
        8 => _ = writer.tensors.remove(tensor),
        _ => writer.version = (random.next() % 5) as u32,
    }
    if writer.tensors.is_empty() || writer.values.is_empty() {
        *writer = model();
    }
}
