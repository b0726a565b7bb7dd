//! Identifies what a GGUF file holds. Many hold no complete language model: adapters, vocabularies, projectors, importance matrices. Each
//! is rejected with a message of its own.

use super::header::{Entry, Outcome, Value, wrong};
use std::collections::BTreeMap;

type Values = BTreeMap<String, Value>;

/// Maximum characters of a name that are shown.
const SHOWN: usize = 60;

/// Values of `general.architecture` that are not language models, what such a file holds, and what to do.
const OTHERS: &[(&[&str], &str, &str)] = &[
    (
        &["clip"],
        "the projector (mmproj) of a multimodal model",
        "name the file of its language model",
    ),
    (
        &["controlvector"],
        "a control vector, which steers a model and has no weights of its own",
        "name the file of the model",
    ),
    (
        &[
            "bert",
            "eurobert",
            "gemma-embedding",
            "jina-bert-v2",
            "jina-bert-v3",
            "llama-embed",
            "modern-bert",
            "neo-bert",
            "nomic-bert",
            "nomic-bert-moe",
            "t5encoder",
        ],
        EMBEDDING,
        GENERATE,
    ),
    (
        &["dflash", "eagle", "eagle3", "medusa"],
        "a draft model for speculative decoding, which needs the hidden states of its target model",
        "name the file of the target model",
    ),
    (
        &[
            "aura",
            "cosmos",
            "flux",
            "hidream",
            "hyvid",
            "ltxv",
            "lumina2",
            "pig",
            "qwen_image",
            "sd1",
            "sd15",
            "sd3",
            "sdxl",
            "wan",
        ],
        "a model that makes images or videos",
        GENERATE,
    ),
    (&["wavtokenizer-dec", "whisper"], "a model of speech", GENERATE),
];

const EMBEDDING: &str = "an embedding model, which generates no tokens";
const GENERATE: &str = "name the file of a language model that generates text";

/// Rejects a file that is not a complete language model.
pub(super) fn check(values: &Values, tensors: &BTreeMap<String, Entry>) -> Outcome<()> {
    let architecture = text(values, "general.architecture");
    let refuse = |what: &str, advice: &str| {
        let subject = subject(values);
        wrong(format!("the GGUF holds {what}{subject}: {advice}"))
    };
    match text(values, "general.type").unwrap_or_default() {
        "adapter" => return adapter(values),
        "imatrix" => return imatrix(values),
        "mmproj" => return refuse(OTHERS[0].1, OTHERS[0].2),
        "vocab" => return refuse(VOCABULARY, WEIGHTS),
        _ => {}
    }
    if values.contains_key("adapter.type") || tensors.keys().any(|name| name.ends_with(".lora_a")) {
        return adapter(values);
    }
    if values.contains_key("imatrix.chunk_count") {
        return imatrix(values);
    }
    let other = OTHERS.iter().find(|(names, ..)| architecture.is_some_and(|a| names.contains(&a)));
    if let Some((_, what, advice)) = other {
        return refuse(what, advice);
    }
    if tensors.is_empty() {
        return match values.contains_key("tokenizer.ggml.tokens") {
            true => refuse(VOCABULARY, WEIGHTS),
            false => refuse("no tensors", WEIGHTS),
        };
    }
    let arch_key = |name: &str| values.get(&format!("{}.{name}", architecture.unwrap_or_default()));
    let pools = matches!(arch_key("pooling_type"), Some(Value::Whole(1..)));
    if pools || arch_key("attention.causal") == Some(&Value::Flag(false)) {
        return refuse(EMBEDDING, GENERATE);
    }
    Ok(())
}

const VOCABULARY: &str = "a vocabulary without weights";
const WEIGHTS: &str = "name the file that has the model's weights";

fn adapter(values: &Values) -> Outcome<()> {
    let kind = match text(values, "adapter.type") {
        None | Some("lora") => "a LoRA adapter".to_string(),
        Some(other) => format!("an adapter of the type {}", quoted(other)),
    };
    let base = text(values, "general.base_model.0.name").map(quoted);
    let of = match (base, text(values, "general.architecture").map(quoted)) {
        (Some(base), _) => format!(" of the model {base}"),
        (None, Some(architecture)) => format!(" of a model of the architecture {architecture}"),
        (None, None) => String::new(),
    };
    wrong(format!(
        "the GGUF holds {kind}{of}, not a whole model: merge it into that model with llama-export-lora, or name the model's own file"
    ))
}

fn imatrix(values: &Values) -> Outcome<()> {
    let subject = subject(values);
    wrong(format!(
        "the GGUF holds an importance matrix (imatrix){subject}, which guides quantization and has no weights: name the file of a model"
    ))
}

/// The model that the file belongs to, as far as it says: ` (architecture "clip", "Gemma 3 4B")`.
fn subject(values: &Values) -> String {
    let architecture = text(values, "general.architecture").map(quoted);
    let name = ["general.base_model.0.name", "general.name", "general.basename"];
    let name = name.into_iter().find_map(|key| text(values, key)).map(quoted);
    match (architecture, name) {
        (None, None) => String::new(),
        (Some(architecture), None) => format!(" (architecture {architecture})"),
        (None, Some(name)) => format!(" ({name})"),
        (Some(architecture), Some(name)) => format!(" (architecture {architecture}, {name})"),
    }
}

fn text<'a>(values: &'a Values, key: &str) -> Option<&'a str> {
    match values.get(key) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A name from a file, safe to print: quoted, escaped and truncated.
pub(super) fn quoted(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}
