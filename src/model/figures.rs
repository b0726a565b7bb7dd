//! Reads a model's hyperparameters from the metadata of a GGUF file and checks them against its tensors.

use super::format::{self, Format};
use super::header::{Entry, Outcome, Source, Value, truncated, wrong};
use super::kind::quoted;
use super::{Config, Pairs, Part, Rope, Tensor, features};
use std::collections::BTreeMap;
use std::fs::File;

/// Maximum of every hyperparameter.
const MOST: i128 = 1 << 24;
/// Maximum elements of a head; real models have 64 to 256.
const LARGEST_HEAD: usize = 1 << 12;

/// A tensor's type and shape, and its offset and length in the file in bytes.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    pub(super) format: Format,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) at: u64,
    pub(super) bytes: u64,
}

/// A tensor's name in GGUF.
pub(super) fn name(tensor: Tensor) -> String {
    let (layer, part) = match tensor {
        Tensor::Embedding => return "token_embd.weight".into(),
        Tensor::Norm => return "output_norm.weight".into(),
        Tensor::Head => return "output.weight".into(),
        Tensor::Layer(layer, part) => (layer, part),
    };
    let part = match part {
        Part::AttentionNorm => "attn_norm.weight",
        Part::Query => "attn_q.weight",
        Part::Key => "attn_k.weight",
        Part::Value => "attn_v.weight",
        Part::QueryBias => "attn_q.bias",
        Part::KeyBias => "attn_k.bias",
        Part::ValueBias => "attn_v.bias",
        Part::Output => "attn_output.weight",
        Part::FfnNorm => "ffn_norm.weight",
        Part::Gate => "ffn_gate.weight",
        Part::Up => "ffn_up.weight",
        Part::Down => "ffn_down.weight",
    };
    format!("blk.{layer}.{part}")
}

/// RoPE frequency divisors, as in Llama 3.1 and 3.2.
const FACTORS: &str = "rope_freqs.weight";

/// The metadata and tensors of a file while they are checked.
pub(super) struct Found<'a> {
    file: &'a File,
    values: &'a BTreeMap<String, Value>,
    /// Tensors that are not taken yet.
    tensors: BTreeMap<String, Entry>,
    start: u64,
    alignment: u64,
    length: u64,
    /// Offset and length in bytes of every taken tensor.
    used: Vec<(u64, u64)>,
    /// The sliding window in tokens, if it is shorter than the model's context.
    pub(super) window: Option<usize>,
}

impl<'a> Found<'a> {
    pub(super) fn new(
        file: &'a File,
        values: &'a BTreeMap<String, Value>,
        tensors: BTreeMap<String, Entry>,
        start: u64,
        alignment: u64,
    ) -> Outcome<Found<'a>> {
        let length = Source::new(file, 0)?.length();
        Ok(Found {
            file,
            values,
            tensors,
            start,
            alignment,
            length,
            used: Vec::new(),
            window: None,
        })
    }

    /// The model's hyperparameters. The tensors' shapes are not checked yet.
    pub(super) fn config(&mut self) -> Outcome<Config> {
        let Some(Value::Text(architecture)) = self.values.get("general.architecture") else {
            return wrong(
                "the GGUF does not say its architecture: name a file that holds a language model",
            );
        };
        let pairs = match architecture.as_str() {
            "llama" => Pairs::Neighbours,
            "qwen2" => Pairs::Halves,
            other => {
                let other = quoted(other);
                return wrong(format!(
                    "the GGUF's architecture is {other}, which rigbench does not run: take a model of the architecture llama or qwen2"
                ));
            }
        };
        let key = |name: &str| format!("{architecture}.{name}");
        if let parts @ 2.. = self.count("split.count")? {
            return wrong(format!(
                "the GGUF is one of {parts} parts of a model: merge them with llama-gguf-split --merge"
            ));
        }
        // Converters write 0 or 1 experts for a dense model.
        let experts = self.count(&key("expert_count"))?.max(self.count(&key("expert_used_count"))?);
        if experts > 1 || self.tensors.keys().any(|name| name.contains("_exps.")) {
            return wrong(
                "the GGUF holds a mixture of experts, which rigbench does not run: take a dense model",
            );
        }
        let (layers, width) =
            (self.figure(&key("block_count"))?, self.figure(&key("embedding_length"))?);
        let Some(heads) = self.per_layer(&key("attention.head_count"), layers)? else {
            return wrong(lacking(&key("attention.head_count")));
        };
        let kv_heads = self.per_layer(&key("attention.head_count_kv"), layers)?.unwrap_or(heads);
        let head_size = match self.whole(&key("attention.key_length"))? {
            Some(size) => size,
            None => width / heads,
        };
        let turned = self.whole(&key("rope.dimension_count"))?.unwrap_or(head_size);
        let values = self.whole(&key("attention.value_length"))?.unwrap_or(head_size);
        let whole_pairs = (2..=LARGEST_HEAD).contains(&head_size) && head_size.is_multiple_of(2);
        if !whole_pairs || !heads.is_multiple_of(kv_heads) || [turned, values] != [head_size; 2] {
            return wrong(format!(
                "the GGUF has {heads} heads of {head_size} elements, {turned} of them turned, {kv_heads} of keys and of \
                 values with {values}, which do not fit each other as in a Llama: take another model"
            ));
        }
        let Some(embedding) = self.tensors.get(&name(Tensor::Embedding)) else {
            return wrong(missing(&name(Tensor::Embedding)));
        };
        let vocabulary = embedding.sides[1];
        if !(1..=MOST).contains(&vocabulary.into()) {
            return wrong(format!(
                "the GGUF has {vocabulary} tokens, as no model has: it is damaged, download it again"
            ));
        }
        features::check(self.values, architecture, head_size)?;
        let Some(inner) = self.per_layer(&key("feed_forward_length"), layers)? else {
            return wrong(lacking(&key("feed_forward_length")));
        };
        // A text that fits into the sliding window is not affected by it, so the window limits the context.
        let longest = self.figure(&key("context_length"))?;
        self.window = Some(self.count(&key("attention.sliding_window"))?)
            .filter(|window| (1..longest).contains(window));
        let context = self.window.unwrap_or(longest);
        Ok(Config {
            layers,
            hidden_size: width,
            intermediate_size: inner,
            heads,
            kv_heads,
            head_dim: head_size,
            vocab_size: vocabulary as usize,
            context,
            rope: self.rope(architecture, pairs, head_size)?,
            rms_norm_eps: self.positive(&key("attention.layer_norm_rms_epsilon"), None)?,
            tie_word_embeddings: !self.tensors.contains_key(&name(Tensor::Head)),
            qkv_bias: self.tensors.contains_key(&name(Tensor::Layer(0, Part::QueryBias))),
        })
    }

    fn rope(&mut self, architecture: &str, pairs: Pairs, head_size: usize) -> Outcome<Rope> {
        let key = |name: &str| format!("{architecture}.rope.{name}");
        let base = self.positive(&key("freq_base"), Some(10_000.0))?;
        // As in llama.cpp: no type means linear, the old key is used if the new one is missing, and a factor of 0 means none.
        let factor = match self.values.get(&key("scaling.factor")) {
            Some(_) => key("scaling.factor"),
            None => key("scale_linear"),
        };
        let stretch = match self.values.get(&key("scaling.type")) {
            Some(Value::Text(kind)) if kind == "none" => 1.0,
            Some(Value::Text(kind)) if kind != "linear" => {
                return wrong(unknown_scaling(&quoted(kind)));
            }
            Some(Value::Text(_)) | None => match self.values.get(&factor) {
                Some(Value::Whole(0) | Value::Real(0.0)) => 1.0,
                _ => self.positive(&factor, Some(1.0))?,
            },
            Some(_) => return wrong(unknown_scaling("an unknown method")),
        };
        let mut factors = (stretch != 1.0).then(|| vec![stretch; head_size / 2]);
        if self.tensors.contains_key(FACTORS) {
            let stored = self.take(FACTORS, (head_size / 2, 1), false)?;
            let mut source = Source::new(self.file, stored.at)?;
            let mut read = Vec::new();
            if stored.format != Format::F32 {
                return wrong(format!("the GGUF's {FACTORS} is not F32: convert the model again"));
            }
            source.pieces(stored.bytes, |bytes| {
                read.extend(
                    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four) * stretch),
                );
            })?;
            if !read.iter().all(|factor| factor.is_normal() && *factor > 0.0) {
                return wrong(format!(
                    "the GGUF's {FACTORS} has a factor that is no positive number: it is damaged, download it again"
                ));
            }
            factors = Some(read);
        }
        Ok(Rope { base, pairs, factors })
    }

    /// Checks a tensor of (outputs, inputs) and removes it, so that nothing else can use it.
    pub(super) fn take(
        &mut self,
        name: &str,
        (rows, columns): (usize, usize),
        matrix: bool,
    ) -> Outcome<Stored> {
        let Some(entry) = self.tensors.remove(name) else { return wrong(missing(name)) };
        let expected = if matrix { [columns, rows, 1, 1] } else { [rows, 1, 1, 1] };
        if entry.sides != expected.map(|side| side as u64) {
            return wrong(format!(
                "the GGUF's tensor {name} has the shape {:?}, by its metadata it must be {expected:?}: it is damaged or of another architecture, convert the model again",
                entry.sides
            ));
        }
        let format =
            Format::of(entry.kind).filter(|f| matrix || matches!(f, Format::F32 | Format::F16));
        let Some(format) = format else {
            let stored = format::name(entry.kind);
            let (read, advice) = match matrix {
                true => ("F32, F16, Q8_0, Q4_0 and Q4_1", format::QUANTIZE),
                // Quantizing again leaves vectors as they are.
                false => ("F32 and F16", "convert the model again with a current llama.cpp"),
            };
            return wrong(format!(
                "the GGUF's tensor {name} is {stored}, rigbench reads {read} there: {advice}"
            ));
        };
        let (block, weights) = format.block();
        if matrix && !(columns as u64).is_multiple_of(weights) {
            return wrong(format!(
                "the GGUF's tensor {name} has rows of {columns} weights, not of whole blocks of {weights}: it is damaged, download it again"
            ));
        }
        // No overflow: sides are below 2^24 each, a block is below 2^6 bytes.
        let bytes = rows as u64 * columns as u64 / weights * block;
        let at = entry
            .offset
            .checked_add(self.start)
            .filter(|at| at.checked_add(bytes).is_some_and(|end| end <= self.length));
        let Some(at) = at else { return Err(truncated(self.length)) };
        if !entry.offset.is_multiple_of(self.alignment) {
            return wrong(format!(
                "the GGUF's tensor {name} does not begin at a multiple of {} bytes: it is damaged, download it again",
                self.alignment
            ));
        }
        self.used.push((at, bytes));
        Ok(Stored { format, rows, columns, at, bytes })
    }

    /// Checks that no tensor is unused and that no two share bytes.
    pub(super) fn finish(mut self) -> Outcome<()> {
        if let Some(name) = self.tensors.keys().next() {
            let name = quoted(name);
            return wrong(format!(
                "the GGUF has a tensor {name} that a Llama or Qwen2 decoder does not use, so its results would be wrong: take another model"
            ));
        }
        self.used.sort_unstable();
        let overlap = |pair: &[(u64, u64)]| pair[0].0 + pair[0].1 > pair[1].0;
        if self.used.windows(2).any(overlap) {
            return wrong(
                "the GGUF has tensors that share bytes: it is damaged, download it again",
            );
        }
        Ok(())
    }

    /// A whole number from 1 to `MOST`; `None` if the key is missing.
    fn whole(&self, key: &str) -> Outcome<Option<usize>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Whole(number @ 1..=MOST)) => Ok(Some(*number as usize)),
            Some(_) => wrong(format!(
                "the GGUF's {key} is not a whole number from 1 to {MOST}: it is damaged, download it again"
            )),
        }
    }

    /// The same for a key that may be 0; 0 if it is missing.
    fn count(&self, key: &str) -> Outcome<usize> {
        match self.values.get(key) {
            None | Some(Value::Whole(0)) => Ok(0),
            Some(Value::Whole(number @ 1..=MOST)) => Ok(*number as usize),
            Some(_) => wrong(format!(
                "the GGUF's {key} is not a whole number from 0 to {MOST}: it is damaged, download it again"
            )),
        }
    }

    /// The same for a key that may also be a list of one number per layer, if all are equal.
    fn per_layer(&self, key: &str, layers: usize) -> Outcome<Option<usize>> {
        let Some(Value::List(list)) = self.values.get(key) else { return self.whole(key) };
        let numbers = match list.integers(self.file, layers)? {
            Some(numbers) => numbers,
            None => {
                return wrong(format!(
                    "the GGUF's {key} is not a list of {layers} whole numbers, one for each layer: it is damaged, download it again"
                ));
            }
        };
        let first = numbers[0];
        if let Some(layer) = numbers.iter().position(|number| *number != first) {
            return wrong(format!(
                "the GGUF's {key} differs from layer to layer ({first} in layer 0, {} in layer {layer}), which rigbench does not run: \
                 take a model whose layers all have one shape",
                numbers[layer]
            ));
        }
        match first {
            1..=MOST => Ok(Some(first as usize)),
            _ => wrong(format!(
                "the GGUF's {key} has a number that is not from 1 to {MOST}: it is damaged, download it again"
            )),
        }
    }

    fn figure(&self, key: &str) -> Outcome<usize> {
        match self.whole(key)? {
            Some(number) => Ok(number),
            None => wrong(lacking(key)),
        }
    }

    /// A positive number of any type.
    fn positive(&self, key: &str, default: Option<f32>) -> Outcome<f32> {
        let number = match self.values.get(key) {
            Some(Value::Real(number)) => *number as f32,
            Some(Value::Whole(number)) => *number as f32,
            Some(_) => f32::NAN,
            None => match default {
                Some(default) => return Ok(default),
                None => return wrong(lacking(key)),
            },
        };
        match number.is_normal() && number > 0.0 {
            true => Ok(number),
            false => wrong(format!(
                "the GGUF's {key} is not a positive number: it is damaged, download it again"
            )),
        }
    }
}

fn unknown_scaling(method: &str) -> String {
    format!(
        "the GGUF scales positions by {method}, which rigbench does not compute: take a model with linear RoPE scaling or none"
    )
}

fn missing(name: &str) -> String {
    format!(
        "the GGUF lacks the tensor {name}: it is truncated or of another architecture, download or convert it again"
    )
}

fn lacking(key: &str) -> String {
    format!(
        "the GGUF lacks the metadata key {key}: convert the model again with a current llama.cpp"
    )
}
