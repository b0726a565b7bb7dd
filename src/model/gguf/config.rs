//! Reads a model's hyperparameters from the metadata of a GGUF file.

use super::features;
use super::header::{Header, MAX_INTEGER, Value};
use super::kind::quoted;
use super::tensor::{Stored, missing, name};
use crate::model::{Config, Pairs, Part, Rope, Storage, Tensor};
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;

/// Maximum elements of a head; real models have 64 to 256.
const MAX_HEAD: usize = 1 << 12;

/// RoPE frequency divisors, as in Llama 3.1 and 3.2.
pub(super) const FACTORS: &str = "rope_freqs.weight";

/// The model's hyperparameters, and its sliding window in tokens if it is shorter than the context. The tensors' shapes are not checked.
pub(super) fn read(header: &Header, file: &File) -> Result<(Config, Option<usize>)> {
    let architecture = header.text("general.architecture").context(
        "the GGUF does not say its architecture: name a file that holds a language model",
    )?;
    let pairs = match architecture {
        "llama" => Pairs::Neighbours,
        "qwen2" => Pairs::Halves,
        other => bail!(
            "the GGUF's architecture is {}, which rigbench does not run: take a model of the architecture llama or qwen2",
            quoted(other)
        ),
    };
    let key = |name: &str| format!("{architecture}.{name}");
    let count = |key: &str| header.integer(key, 0).map(Option::unwrap_or_default);
    let parts = count("split.count")?;
    ensure!(
        parts < 2,
        "the GGUF is one of {parts} parts of a model: merge them with llama-gguf-split --merge"
    );
    // Converters write 0 or 1 experts for a dense model.
    let experts = count(&key("expert_count"))?.max(count(&key("expert_used_count"))?);
    ensure!(
        experts < 2 && !header.tensors.keys().any(|name| name.contains("_exps.")),
        "the GGUF holds a mixture of experts, which rigbench does not run: take a dense model"
    );
    let optional = |name: &str| header.integer(&key(name), 1);
    let required = |name: &str| optional(name)?.with_context(|| lacking(&key(name)));
    let (layers, hidden_size) = (required("block_count")?, required("embedding_length")?);
    let per_layer = |name: &str| equal_in_all_layers(header, file, &key(name), layers);
    let heads = per_layer("attention.head_count")?;
    let heads = heads.with_context(|| lacking(&key("attention.head_count")))?;
    let kv_heads = per_layer("attention.head_count_kv")?.unwrap_or(heads);
    let head_dim = optional("attention.key_length")?.unwrap_or(hidden_size / heads);
    let rotated = optional("rope.dimension_count")?.unwrap_or(head_dim);
    let values = optional("attention.value_length")?.unwrap_or(head_dim);
    let whole_pairs = (2..=MAX_HEAD).contains(&head_dim) && head_dim.is_multiple_of(2);
    ensure!(
        whole_pairs && heads.is_multiple_of(kv_heads) && [rotated, values] == [head_dim; 2],
        "the GGUF has {heads} heads of {head_dim} elements, {rotated} of them turned, {kv_heads} of keys and of \
         values with {values}, which do not fit each other as in a Llama: take another model"
    );
    let embedding = name(Tensor::Embedding);
    let embedding = header.tensors.get(&embedding).with_context(|| missing(&embedding))?;
    let vocabulary = embedding.sides[1];
    ensure!(
        (1..=MAX_INTEGER).contains(&vocabulary.into()),
        "the GGUF has {vocabulary} tokens, as no model has: it is damaged, download it again"
    );
    features::check(header, architecture, head_dim)?;
    let intermediate_size = per_layer("feed_forward_length")?;
    // A text that fits into the sliding window is not affected by it, so the window limits the context.
    let longest = required("context_length")?;
    let window = count(&key("attention.sliding_window"))?;
    let window = Some(window).filter(|window| (1..longest).contains(window));
    let epsilon = key("attention.layer_norm_rms_epsilon");
    let config = Config {
        layers,
        hidden_size,
        intermediate_size: intermediate_size
            .with_context(|| lacking(&key("feed_forward_length")))?,
        heads,
        kv_heads,
        head_dim,
        vocab_size: vocabulary as usize,
        context: window.unwrap_or(longest),
        rope: Rope {
            base: header.positive(&key("rope.freq_base"))?.unwrap_or(10_000.0),
            pairs,
            factors: factors(header, file, architecture, head_dim)?,
        },
        rms_norm_eps: header.positive(&epsilon)?.with_context(|| lacking(&epsilon))?,
        tie_word_embeddings: !header.tensors.contains_key(&name(Tensor::Head)),
        qkv_bias: header.tensors.contains_key(&name(Tensor::Layer(0, Part::QueryBias))),
    };
    Ok((config, window))
}

/// RoPE frequency divisors: those of the file times a linear scaling of positions.
fn factors(
    header: &Header,
    file: &File,
    architecture: &str,
    head_dim: usize,
) -> Result<Option<Vec<f32>>> {
    let key = |name: &str| format!("{architecture}.rope.{name}");
    // As in llama.cpp: no type means linear, the old key is used if the new one is missing, and a factor of 0 means none.
    let factor = match header.values.get(&key("scaling.factor")) {
        Some(_) => key("scaling.factor"),
        None => key("scale_linear"),
    };
    let stretch = match header.values.get(&key("scaling.type")) {
        Some(Value::Text(kind)) if kind == "none" => 1.0,
        Some(Value::Text(kind)) if kind != "linear" => bail!(unknown_scaling(&quoted(kind))),
        Some(Value::Text(_)) | None => match header.values.get(&factor) {
            Some(Value::Whole(0) | Value::Real(0.0)) => 1.0,
            _ => header.positive(&factor)?.unwrap_or(1.0),
        },
        Some(_) => bail!(unknown_scaling("an unknown method")),
    };
    let Some(stored) = stored_factors(header, head_dim)? else {
        return Ok((stretch != 1.0).then(|| vec![stretch; head_dim / 2]));
    };
    ensure!(
        stored.storage == Storage::F32,
        "the GGUF's {FACTORS} is not F32: convert the model again"
    );
    let factors: Vec<f32> = stored.floats(file)?.iter().map(|factor| factor * stretch).collect();
    ensure!(
        factors.iter().all(|factor| factor.is_normal() && *factor > 0.0),
        "the GGUF's {FACTORS} has a factor that is no positive number: it is damaged, download it again"
    );
    Ok(Some(factors))
}

/// The tensor of RoPE frequency divisors, if the file has one.
pub(super) fn stored_factors(header: &Header, head_dim: usize) -> Result<Option<Stored>> {
    let has_factors = header.tensors.contains_key(FACTORS);
    has_factors.then(|| Stored::find(header, FACTORS, (head_dim / 2, 1), false)).transpose()
}

/// A whole number, or a list of one for each layer if all are equal; `None` if the key is missing.
fn equal_in_all_layers(
    header: &Header,
    file: &File,
    key: &str,
    layers: usize,
) -> Result<Option<usize>> {
    let Some(Value::List(list)) = header.values.get(key) else { return header.integer(key, 1) };
    let mut numbers = list.integers(file, layers)?.with_context(|| {
        format!(
            "the GGUF's {key} is not a list of {layers} whole numbers, one for each layer: it is damaged, download it again"
        )
    })?;
    let first = numbers.next().expect("a model has layers")?;
    for (layer, number) in (1..).zip(numbers) {
        let number = number?;
        ensure!(
            number == first,
            "the GGUF's {key} differs from layer to layer ({first} in layer 0, {number} in layer {layer}), which rigbench does not run: \
             take a model whose layers all have one shape"
        );
    }
    ensure!(
        (1..=MAX_INTEGER).contains(&first),
        "the GGUF's {key} has a number that is not from 1 to {MAX_INTEGER}: it is damaged, download it again"
    );
    Ok(Some(first as usize))
}

fn unknown_scaling(method: &str) -> String {
    format!(
        "the GGUF scales positions by {method}, which rigbench does not compute: take a model with linear RoPE scaling or none"
    )
}

fn lacking(key: &str) -> String {
    format!(
        "the GGUF lacks the metadata key {key}: convert the model again with a current llama.cpp"
    )
}
