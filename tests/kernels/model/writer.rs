//! Writes small GGUF files after the format's description, without a line of the reader's.

#![allow(dead_code)] // No test uses all of it.

use rigbench::model::{Gguf, Weights};

/// A metadata value: its type's number and its bytes.
pub type Value = (u32, Vec<u8>);

pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

pub fn string(value: &str) -> Value {
    (8, text(value))
}

pub fn number(value: u32) -> Value {
    (4, value.to_le_bytes().to_vec())
}

pub fn float(value: f32) -> Value {
    (6, value.to_le_bytes().to_vec())
}

pub fn flag(value: bool) -> Value {
    (7, vec![value.into()])
}

/// A list that claims `count` elements of a type.
pub fn list(kind: u32, count: u64, elements: Vec<u8>) -> Value {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend(count.to_le_bytes());
    bytes.extend(elements);
    (9, bytes)
}

pub fn strings(texts: &[&str]) -> Value {
    list(8, texts.len() as u64, texts.iter().flat_map(|t| text(t)).collect())
}

#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    pub sides: Vec<u64>,
    pub kind: u32,
    pub data: Vec<u8>,
}

#[derive(Clone)]
pub struct Writer {
    pub version: u32,
    pub values: Vec<(String, Value)>,
    pub tensors: Vec<Tensor>,
    pub alignment: usize,
}

/// Bytes of a file, where its weights begin, and where each tensor's offset stands in the header.
pub struct Written {
    pub bytes: Vec<u8>,
    pub data: usize,
    pub offsets: Vec<usize>,
}

impl Writer {
    pub fn set(&mut self, key: &str, value: Value) -> &mut Writer {
        self.values.retain(|(other, _)| other != key);
        self.values.push((key.into(), value));
        self
    }

    /// A tokenizer of 40 tokens.
    pub fn set_tokenizer(&mut self) -> &mut Writer {
        self.set("tokenizer.ggml.model", string("gpt2"))
            .set("tokenizer.ggml.pre", string("smollm"))
            .set("tokenizer.ggml.tokens", strings(&["a"; 40]))
            .set("tokenizer.ggml.token_type", list(5, 40, [1, 0, 0, 0].repeat(40)))
            .set("tokenizer.ggml.merges", strings(&["a a"]))
    }

    pub fn remove(&mut self, key: &str) -> &mut Writer {
        self.values.retain(|(other, _)| other != key);
        self
    }

    pub fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).expect("a tensor of this name")
    }

    pub fn write(&self) -> Written {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.values.len() as u64).to_le_bytes());
        for (key, (kind, value)) in &self.values {
            bytes.extend(text(key));
            bytes.extend(kind.to_le_bytes());
            bytes.extend(value);
        }
        let (mut data, mut offsets) = (Vec::new(), Vec::new());
        for tensor in &self.tensors {
            bytes.extend(text(&tensor.name));
            bytes.extend((tensor.sides.len() as u32).to_le_bytes());
            for side in &tensor.sides {
                bytes.extend(side.to_le_bytes());
            }
            bytes.extend(tensor.kind.to_le_bytes());
            offsets.push(bytes.len());
            bytes.extend((data.len() as u64).to_le_bytes());
            data.extend(&tensor.data);
            data.resize(data.len().next_multiple_of(self.alignment), 0);
        }
        bytes.resize(bytes.len().next_multiple_of(self.alignment), 0);
        let start = bytes.len();
        bytes.extend(data);
        Written { bytes, data: start, offsets }
    }
}

pub const F32: u32 = 0;
pub const F16: u32 = 1;
pub const Q4_0: u32 = 2;
pub const Q4_1: u32 = 3;
pub const Q8_0: u32 = 8;

/// A whole number that scatters over 0..256, for the i-th weight of a tensor.
pub fn scattered(tensor: &str, i: usize) -> u32 {
    let start = tensor.bytes().fold(17, |hash: u32, b| hash.wrapping_mul(31) ^ u32::from(b));
    (start ^ i as u32).wrapping_mul(0x9e37_79b1).rotate_left(13).wrapping_mul(0x85eb_ca6b) >> 24
}

/// What the i-th weight of a tensor must be read as: all formats hold these values exactly.
pub fn weight(tensor: &str, kind: u32, i: usize) -> f32 {
    let n = scattered(tensor, i) as f32;
    // Scale and offset of each group of 32.
    let scale = (1 + i / 32 % 3) as f32 / 256.0;
    let offset = -((i / 32 % 5) as f32) / 64.0;
    match kind {
        F32 | F16 => (n - 127.0) / 1024.0,
        Q8_0 => (n - 128.0) * scale / 8.0,
        Q4_0 => ((n / 16.0).floor() - 8.0) * scale,
        Q4_1 => (n / 16.0).floor() * scale + offset,
        other => panic!("no format {other}"),
    }
}

/// A tensor with these weights; `sides` is columns, then rows.
pub fn tensor(name: &str, kind: u32, sides: &[u64]) -> Tensor {
    let count = sides.iter().product::<u64>() as usize;
    let half = |value: f32| half::f16::from_f32(value).to_le_bytes();
    let n = |i| scattered(name, i);
    let mut data = Vec::new();
    match kind {
        F32 => data.extend((0..count).flat_map(|i| weight(name, kind, i).to_le_bytes())),
        F16 => data.extend((0..count).flat_map(|i| half(weight(name, kind, i)))),
        _ => {
            for group in (0..count).step_by(32) {
                let scale = (1 + group / 32 % 3) as f32 / 256.0;
                let offset = -((group / 32 % 5) as f32) / 64.0;
                if kind == Q8_0 {
                    data.extend(half(scale / 8.0));
                    data.extend((group..group + 32).map(|i| (n(i) as i32 - 128) as i8 as u8));
                    continue;
                }
                data.extend(half(scale));
                if kind == Q4_1 {
                    data.extend(half(offset));
                }
                let nibble = |i| (n(i) / 16) as u8;
                data.extend((group..group + 16).map(|i| nibble(i) + 16 * nibble(i + 16)));
            }
        }
    }
    Tensor { name: name.into(), sides: sides.to_vec(), kind, data }
}

/// A whole small model in Llama's architecture with a head of its own: width 64, inner 96, 2 layers, 4 heads of 16
/// elements, 2 of them of keys and values, 40 tokens.
pub fn llama() -> Writer {
    let mut tensors = vec![tensor("token_embd.weight", Q8_0, &[64, 40])];
    for layer in 0..2 {
        for (part, kind, sides) in [
            ("attn_norm.weight", F32, &[64][..]),
            ("attn_q.weight", Q4_0, &[64, 64]),
            ("attn_k.weight", Q4_1, &[64, 32]),
            ("attn_v.weight", F16, &[64, 32]),
            ("attn_output.weight", F32, &[64, 64]),
            ("ffn_norm.weight", F16, &[64]),
            ("ffn_gate.weight", Q8_0, &[64, 96]),
            ("ffn_up.weight", Q4_0, &[64, 96]),
            ("ffn_down.weight", Q4_1, &[96, 64]),
        ] {
            tensors.push(tensor(&format!("blk.{layer}.{part}"), kind, sides));
        }
    }
    tensors.push(tensor("output_norm.weight", F32, &[64]));
    tensors.push(tensor("output.weight", Q4_0, &[64, 40]));
    let values = [
        ("general.architecture", string("llama")),
        ("general.name", string("a small one")),
        ("llama.block_count", number(2)),
        ("llama.context_length", number(128)),
        ("llama.embedding_length", number(64)),
        ("llama.feed_forward_length", number(96)),
        ("llama.attention.head_count", number(4)),
        ("llama.attention.head_count_kv", number(2)),
        ("llama.attention.layer_norm_rms_epsilon", float(1e-5)),
        ("llama.rope.freq_base", float(5000.0)),
        ("llama.rope.dimension_count", number(16)),
        ("general.tags", strings(&["a", "list"])),
        ("tokenizer.chat_template", string(&"long ".repeat(200))),
        ("tokenizer.ggml.add_bos_token", flag(false)),
    ];
    let values = values.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    Writer { version: 3, values, tensors, alignment: 32 }
}

/// Opens these bytes as a file and reads all that there is.
pub fn read(bytes: &[u8]) -> Result<Gguf, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let model = Gguf::open(file.path()).map_err(|error| error.to_string())?;
    for tensor in model.config().tensors() {
        if tensor.is_matrix() {
            model.matrix(tensor).map_err(|error| error.to_string())?;
        } else {
            model.vector(tensor).map_err(|error| error.to_string())?;
        }
    }
    let _ = model.tokenizer();
    Ok(model)
}

pub fn open(writer: &Writer) -> Gguf {
    read(&writer.write().bytes).unwrap_or_else(|error| panic!("{error}"))
}
