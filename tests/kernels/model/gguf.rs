//! GGUF files are read as they were written: figures, every format of weights, rotation, the file's digest.

use crate::model::writer::{self as gguf, float, llama, open, string};
use rigbench::model::{Gguf, Pairs, Part, Tensor, Values, Weights};

#[test]
fn every_format_is_read_as_it_was_written() {
    let model = open(&llama());
    let config = model.config().clone();
    for (tensor, name, kind) in [
        (Tensor::Embedding, "token_embd.weight", gguf::Q8_0),
        (Tensor::Head, "output.weight", gguf::Q4_0),
        (Tensor::Layer(0, Part::Query), "blk.0.attn_q.weight", gguf::Q4_0),
        (Tensor::Layer(1, Part::Key), "blk.1.attn_k.weight", gguf::Q4_1),
        (Tensor::Layer(1, Part::Value), "blk.1.attn_v.weight", gguf::F16),
        (Tensor::Layer(0, Part::Output), "blk.0.attn_output.weight", gguf::F32),
        (Tensor::Layer(0, Part::Gate), "blk.0.ffn_gate.weight", gguf::Q8_0),
        (Tensor::Layer(1, Part::Up), "blk.1.ffn_up.weight", gguf::Q4_0),
        (Tensor::Layer(1, Part::Down), "blk.1.ffn_down.weight", gguf::Q4_1),
    ] {
        let matrix = model.matrix(tensor).unwrap();
        assert_eq!((matrix.rows, matrix.columns), config.shape(tensor));
        for row in 0..matrix.rows {
            for (column, got) in matrix.dequantized_row(row).into_iter().enumerate() {
                let want = gguf::weight(name, kind, row * matrix.columns + column);
                assert_eq!(got, want, "{name}, row {row}, column {column}");
            }
        }
    }
    for (tensor, name, kind) in [
        (Tensor::Norm, "output_norm.weight", gguf::F32),
        (Tensor::Layer(1, Part::FfnNorm), "blk.1.ffn_norm.weight", gguf::F16),
    ] {
        let want: Vec<f32> = (0..64).map(|i| gguf::weight(name, kind, i)).collect();
        assert_eq!(model.vector(tensor).unwrap(), want, "{name}");
    }
}

#[test]
fn four_bits_keep_their_order_and_offsets() {
    let model = open(&llama());
    let key = model.matrix(Tensor::Layer(0, Part::Key)).unwrap();
    let Values::Int4 { values, scales, offsets } = key.values else { panic!("Q4_1 has four bits") };
    let nibble = |i| (gguf::scattered("blk.0.attn_k.weight", i) / 16) as u8;
    for (i, byte) in values.iter().enumerate() {
        assert_eq!(*byte, nibble(2 * i) | nibble(2 * i + 1) << 4, "byte {i}");
    }
    assert_eq!((scales.len(), offsets.unwrap().len(), values.len()), (64, 64, 1024));
}

/// A tensor longer than what is read at a time, with blocks of each size.
#[test]
fn long_tensors_are_read_whole() {
    for kind in [gguf::F32, gguf::F16, gguf::Q4_0, gguf::Q4_1, gguf::Q8_0] {
        let mut writer = llama();
        *writer.tensor("token_embd.weight") =
            gguf::tensor("token_embd.weight", kind, &[64, 20_011]);
        *writer.tensor("output.weight") = gguf::tensor("output.weight", kind, &[64, 20_011]);
        let embedding = open(&writer).matrix(Tensor::Embedding).unwrap();
        let last: Vec<f32> =
            (0..64).map(|i| gguf::weight("token_embd.weight", kind, 20_010 * 64 + i)).collect();
        assert_eq!(embedding.dequantized_row(20_010), last);
    }
}

#[test]
fn figures_are_those_of_the_file() {
    let model = open(&llama());
    let config = model.config();
    assert_eq!(
        (config.layers, config.hidden_size, config.intermediate_size, config.context),
        (2, 64, 96, 128)
    );
    assert_eq!((config.heads, config.kv_heads, config.head_dim, config.vocab_size), (4, 2, 16, 40));
    assert_eq!(
        (config.rope.base, config.rope.pairs, &config.rope.factors),
        (5000.0, Pairs::Neighbours, &None)
    );
    assert_eq!(
        (config.rms_norm_eps, config.tie_word_embeddings, config.qkv_bias),
        (1e-5, false, false)
    );
    let weights = 2 * (64 * 64 * 2 + 64 * 32 * 2 + 64 * 96 * 3) + 64 * 40;
    assert_eq!(config.matmul_weights(), weights);
    assert_eq!(config.kv_bytes(), 2 * 2 * 32 * 2);
    let tensors: usize = llama().tensors.iter().map(|tensor| tensor.data.len()).sum();
    assert_eq!(model.bytes(), tensors as u64);
}

#[test]
fn a_file_without_a_head_is_tied() {
    let mut writer = llama();
    writer.tensors.retain(|tensor| tensor.name != "output.weight");
    let model = open(&writer);
    assert!(model.config().tie_word_embeddings);
    assert_eq!(model.matrix(Tensor::Head), model.matrix(Tensor::Embedding));
}

#[test]
fn qwen_turns_halves_and_has_biases() {
    let mut writer = llama();
    for (key, _) in &mut writer.values {
        *key = key.replace("llama.", "qwen2.");
    }
    writer.set("general.architecture", string("qwen2"));
    for layer in 0..2 {
        for (part, length) in [("attn_q.bias", 64), ("attn_k.bias", 32), ("attn_v.bias", 32)] {
            let name = format!("blk.{layer}.{part}");
            writer.tensors.push(gguf::tensor(&name, gguf::F32, &[length]));
        }
    }
    let model = open(&writer);
    assert!(model.config().qkv_bias && model.config().rope.pairs == Pairs::Halves);
    let bias = model.vector(Tensor::Layer(1, Part::KeyBias)).unwrap();
    assert_eq!(bias[31], gguf::weight("blk.1.attn_k.bias", gguf::F32, 31));
}

#[test]
fn positions_stretch_as_the_file_says() {
    let mut writer = llama();
    let stretched =
        [("llama.rope.scaling.type", string("linear")), ("llama.rope.scaling.factor", float(4.0))];
    for (key, value) in stretched {
        writer.set(key, value);
    }
    assert_eq!(open(&writer).config().rope.factors, Some(vec![4.0; 8]));
    let mut writer = llama();
    let data = (1..=8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let factors = gguf::Tensor { name: "rope_freqs.weight".into(), sides: vec![8], kind: 0, data };
    writer.tensors.push(factors);
    let want = Some((1..=8).map(|i| i as f32).collect());
    assert_eq!(open(&writer).config().rope.factors, want);
}

#[test]
fn a_file_is_known_by_its_digest() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes = llama().write().bytes;
    std::fs::write(file.path(), &bytes).unwrap();
    let digest: String =
        <sha2::Sha256 as sha2::Digest>::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(Gguf::open(file.path()).unwrap().sha256().unwrap(), digest);
}
