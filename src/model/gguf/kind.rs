//! Identifies what a GGUF file holds. Many hold no complete language model: adapters, vocabularies, projectors, importance matrices. Each
//! is rejected with a message of its own.

use super::header::{Header, Value};
use anyhow::{Result, bail};

/// Maximum characters of a name that are shown.
const MAX_SHOWN: usize = 60;

/// Values of `general.architecture` that are not language models, what such a file holds, and what to do.
const OTHERS: &[(&str, &str, &str)] = &[
    ("clip", PROJECTOR, LANGUAGE_MODEL),
    (
        "controlvector",
        "a control vector, which steers a model and has no weights of its own",
        "name the file of the model",
    ),
    (
        "bert eurobert gemma-embedding jina-bert-v2 jina-bert-v3 llama-embed modern-bert neo-bert nomic-bert nomic-bert-moe t5encoder",
        EMBEDDING,
        GENERATE,
    ),
    (
        "dflash eagle eagle3 medusa",
        "a draft model for speculative decoding, which needs the hidden states of its target model",
        "name the file of the target model",
    ),
    (
        "aura cosmos flux hidream hyvid ltxv lumina2 pig qwen_image sd1 sd15 sd3 sdxl wan",
        "a model that makes images or videos",
        GENERATE,
    ),
    ("wavtokenizer-dec whisper", "a model of speech", GENERATE),
];

const PROJECTOR: &str = "the projector (mmproj) of a multimodal model";
const LANGUAGE_MODEL: &str = "name the file of its language model";
const EMBEDDING: &str = "an embedding model, which generates no tokens";
const GENERATE: &str = "name the file of a language model that generates text";
const VOCABULARY: &str = "a vocabulary without weights";
const WEIGHTS: &str = "name the file that has the model's weights";

/// Rejects a file that is not a complete language model.
pub(super) fn check(header: &Header) -> Result<()> {
    let Header { values, tensors, .. } = header;
    let architecture = header.text("general.architecture").unwrap_or_default();
    let refuse =
        |what: &str, advice: &str| bail!("the GGUF holds {what}{}: {advice}", subject(header));
    // What the file says it is, else what its metadata and tensors show.
    let kind = match header.text("general.type").unwrap_or_default() {
        kind @ ("adapter" | "imatrix" | "mmproj" | "vocab") => kind,
        _ if values.contains_key("adapter.type") => "adapter",
        _ if tensors.keys().any(|name| name.ends_with(".lora_a")) => "adapter",
        _ if values.contains_key("imatrix.chunk_count") => "imatrix",
        _ => "model",
    };
    match kind {
        "adapter" => return refuse_adapter(header),
        "imatrix" => bail!(
            "the GGUF holds an importance matrix (imatrix){}, which guides quantization and has no weights: name the file of a model",
            subject(header)
        ),
        "mmproj" => return refuse(PROJECTOR, LANGUAGE_MODEL),
        "vocab" => return refuse(VOCABULARY, WEIGHTS),
        _ => {}
    }
    let other = OTHERS.iter().find(|(names, ..)| names.split(' ').any(|n| n == architecture));
    if let Some((_, what, advice)) = other {
        return refuse(what, advice);
    }
    if tensors.is_empty() {
        let vocabulary = values.contains_key("tokenizer.ggml.tokens");
        return refuse(if vocabulary { VOCABULARY } else { "no tensors" }, WEIGHTS);
    }
    let arch_key = |name: &str| values.get(&format!("{architecture}.{name}"));
    let pools = matches!(arch_key("pooling_type"), Some(Value::Whole(1..)));
    if pools || arch_key("attention.causal") == Some(&Value::Flag(false)) {
        return refuse(EMBEDDING, GENERATE);
    }
    Ok(())
}

fn refuse_adapter(header: &Header) -> Result<()> {
    let kind = match header.text("adapter.type") {
        None | Some("lora") => "a LoRA adapter".to_string(),
        Some(other) => format!("an adapter of the type {}", quoted(other)),
    };
    let base = header.text("general.base_model.0.name");
    let base = match (base, header.text("general.architecture")) {
        (Some(base), _) => format!(" of the model {}", quoted(base)),
        (None, Some(name)) => format!(" of a model of the architecture {}", quoted(name)),
        (None, None) => String::new(),
    };
    bail!(
        "the GGUF holds {kind}{base}, not a whole model: merge it into that model with llama-export-lora, or name the model's own file"
    )
}

/// The model that the file belongs to, as far as it says: ` (architecture "clip", "Gemma 3 4B")`.
fn subject(header: &Header) -> String {
    let architecture = header.text("general.architecture");
    let architecture = architecture.map(|name| format!("architecture {}", quoted(name)));
    let keys = ["general.base_model.0.name", "general.name", "general.basename"];
    let name = keys.into_iter().find_map(|key| header.text(key)).map(quoted);
    match architecture.into_iter().chain(name).collect::<Vec<_>>() {
        known if known.is_empty() => String::new(),
        known => format!(" ({})", known.join(", ")),
    }
}

/// A name from a file, safe to print: quoted, escaped and truncated.
pub(super) fn quoted(name: &str) -> String {
    match name.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}
