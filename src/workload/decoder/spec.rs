//! Parses and writes the specs of decoders: `prefill` and `decode`, then a model's name and a type, or a GGUF file, then options.

use super::named::{self, Named};
use super::{Decoder, Phase, Source};
use crate::model::{Gguf, PRESETS, Type};
use crate::workload::{Id, SpecError, Workload, nearest};
use std::path::Path;
use std::rc::Rc;

/// Example specs for messages.
pub(in crate::workload) const PREFILL_EXAMPLE: &str = "prefill:smollm2-135m:int4:prompt=128";
pub(in crate::workload) const DECODE_EXAMPLE: &str = "decode:smollm2-135m:int4:batch=1";

/// Defaults of the ids alone.
const MODEL: &str = "smollm2-135m";
const TYPE: Type = Type::Int4;
const PROMPT: usize = 128;
const ANSWER: usize = 128;
/// Maximum batch size.
const LARGEST_BATCH: usize = 64;

type Read<T> = Result<T, SpecError>;

fn error<T>(what: String) -> Read<T> {
    Err(SpecError(what))
}

/// Parses the parts of a spec after `prefill`.
pub(in crate::workload) fn prefill(parts: &[&str]) -> Read<Box<dyn Workload>> {
    Ok(Box::new(read(Phase::Prefill, parts)?))
}

/// Parses the parts of a spec after `decode`.
pub(in crate::workload) fn decode(parts: &[&str]) -> Read<Box<dyn Workload>> {
    Ok(Box::new(read(Phase::Decode, parts)?))
}

/// Parses a result's whole spec; `file` replaces the file that it names. No other file is opened.
pub(super) fn whole(spec: &str, file: Option<&Path>) -> Read<Decoder> {
    let parts: Vec<&str> = spec.split(':').collect();
    let phase = match parts[0] {
        "prefill" => Phase::Prefill,
        "decode" => Phase::Decode,
        id => return error(format!("'{id}' has no tokens")),
    };
    let parts = &parts[1..];
    if let Some(file) = file {
        let options = &parts[parts.len() - named::options(parts)..];
        return decoder(phase, Named::File(file.to_string_lossy().into_owned()), options);
    }
    let model = parts.first().unwrap_or(&MODEL);
    match PRESETS.iter().find(|preset| preset.name == *model) {
        Some(preset) => decoder(phase, Named::Preset(preset), parts.get(1..).unwrap_or_default()),
        None => error(format!(
            "the weights are in {}: name that file with --model",
            named::shown(model)
        )),
    }
}

/// The parts after the model.
#[derive(Default)]
struct Options {
    kind: Option<Type>,
    batch: Option<usize>,
    prompt: Option<usize>,
    context: Option<usize>,
}

fn read(phase: Phase, parts: &[&str]) -> Read<Decoder> {
    let (model, options) = named::split(if parts.is_empty() { &[MODEL] } else { parts });
    decoder(phase, model, options)
}

fn decoder(phase: Phase, model: Named, parts: &[&str]) -> Read<Decoder> {
    let id = phase.id();
    let mut options = Options::default();
    for part in parts {
        match part.split_once('=') {
            Some((key, value)) => options.set(phase, key, value)?,
            None if options.kind.is_none() => options.kind = Some(kind(id, part)?),
            None => {
                return error(format!(
                    "{id}: '{part}' is one part too many; write for example {}",
                    phase.example()
                ));
            }
        }
    }
    let prompt = options.prompt.unwrap_or(PROMPT);
    let context = match (phase, options.context) {
        (Phase::Prefill, _) => prompt,
        (Phase::Decode, None) => prompt + ANSWER,
        (Phase::Decode, Some(context)) if context > prompt => context,
        (Phase::Decode, Some(context)) => {
            return error(format!(
                "{id}: a context of {context} leaves no room for an answer after a prompt of {prompt}; write context={}",
                prompt + ANSWER
            ));
        }
    };
    let source = source(id, model, options.kind)?;
    let longest = source.config().context;
    if context > longest {
        if let Source::File { name, file, .. } = &source
            && let Some(window) = file.sliding_window()
        {
            return error(format!(
                "{id}: {name} has a sliding window of {window} tokens, which rigbench does not compute for longer texts; write a context up to {window}"
            ));
        }
        return error(format!(
            "{id}: {} was made for texts of up to {longest} tokens, not {context}; write a shorter prompt or context",
            source.name()
        ));
    }
    Ok(Decoder { phase, source, batch: options.batch.unwrap_or(1), prompt, context })
}

fn source(id: Id, model: Named, kind: Option<Type>) -> Read<Source> {
    let path = match model {
        Named::Preset(preset) => {
            return Ok(Source::Preset(preset.name, preset.config(), kind.unwrap_or(TYPE)));
        }
        Named::File(path) => path,
        Named::Unknown(name) => {
            return error(format!(
                "{id}: there is no model '{}'; {}, or the path of a GGUF file",
                named::shown(&name),
                nearest(&name, PRESETS.iter().map(|preset| preset.name))
            ));
        }
    };
    let shown = named::shown(&path);
    if kind.is_some() {
        return error(format!("{id}: a file has its own types; write {id}:{shown} without one"));
    }
    let open = || {
        let file = Gguf::open(Path::new(&path))?;
        Ok(Source::File { name: named::label(&path), sha256: file.sha256()?, file: Rc::new(file) })
    };
    open().map_err(|why: crate::model::ModelError| SpecError(format!("{id}: {shown}: {why}")))
}

impl Options {
    fn set(&mut self, phase: Phase, key: &str, value: &str) -> Read<()> {
        let id = phase.id();
        let known: &[&str] = match phase {
            Phase::Prefill => &["batch", "prompt"],
            Phase::Decode => &["batch", "prompt", "context"],
        };
        let (place, most) = match key {
            "batch" => (&mut self.batch, LARGEST_BATCH),
            "prompt" => (&mut self.prompt, 1 << 20),
            "context" if phase == Phase::Decode => (&mut self.context, 1 << 20),
            _ => {
                return error(format!(
                    "{id}: option '{key}' is not known; {}",
                    nearest(key, known.iter().copied())
                ));
            }
        };
        match value.parse() {
            Ok(number) if (1..=most).contains(&number) => *place = Some(number),
            _ => return error(format!("{id}: {key}={value} is no number from 1 to {most}")),
        }
        Ok(())
    }
}

fn kind(id: Id, name: &str) -> Read<Type> {
    match Type::ALL.into_iter().find(|kind| kind.name() == name) {
        Some(kind) => Ok(kind),
        None => error(format!(
            "{id}: type '{name}' is not known; {}",
            nearest(name, Type::ALL.map(Type::name))
        )),
    }
}

/// Model, type and options that parse to this workload; for a file only its label.
pub(super) fn write(decoder: &Decoder) -> String {
    let Decoder { phase, source, batch, prompt, context } = decoder;
    let model = match source {
        Source::Preset(name, _, kind) => format!("{name}:{}", kind.name()),
        Source::File { name, .. } => name.clone(),
    };
    let context = match phase {
        Phase::Prefill => String::new(),
        Phase::Decode => format!(":context={context}"),
    };
    format!("{model}:batch={batch}:prompt={prompt}{context}")
}
