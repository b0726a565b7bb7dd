//! Parses the specs of decoders: `prefill` and `decode`, then a model's name and a type, or a GGUF file, then options. A path
//! may contain colons, as Windows paths do, so a colon alone does not end it.

use super::{Decoder, Model, Source};
use crate::model::{Gguf, PRESETS, Preset, Type, Weights};
use crate::workload::spec::{ensure_once, example};
use crate::workload::{Id, Workload, nearest, unknown};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::path::Path;
use std::rc::Rc;
use strum::VariantNames;

/// Defaults of the ids alone.
const MODEL: &str = "smollm2-135m";
const TYPE: Type = Type::Int4;
const PROMPT: usize = 128;
const ANSWER: usize = 128;
/// Maximum batch size.
const MAX_BATCH: usize = 64;
/// Options that may follow a model.
const OPTIONS: [&str; 3] = ["batch", "prompt", "context"];

/// Parses the parts of a spec after `prefill` or `decode`.
pub(in crate::workload) fn parse(id: Id, parts: &[&str]) -> Result<Box<dyn Workload>> {
    let (model, options) = split(if parts.is_empty() { &[MODEL] } else { parts });
    Ok(Box::new(decoder(id, model, options)?))
}

/// Parses a result's whole spec; `file` replaces the file that it names. No other file is opened.
pub(super) fn whole(spec: &str, file: Option<&Path>) -> Result<Decoder> {
    let (id, parts) = spec.split_once(':').unwrap_or((spec, MODEL));
    let known = [Id::Prefill, Id::Decode].into_iter().find(|known| known.into_str() == id);
    let id = known.with_context(|| format!("'{id}' has no tokens"))?;
    let parts: Vec<&str> = parts.split(':').collect();
    let (model, options) = match file {
        Some(file) => (Named::File(file.to_string_lossy().into()), options(&parts)),
        None => preset(&parts).with_context(|| {
            format!("the weights are in {}: name that file with --model", shown(parts[0]))
        })?,
    };
    decoder(id, model, options)
}

fn decoder(id: Id, model: Named, parts: &[&str]) -> Result<Decoder> {
    read(id, model, parts).map_err(|error| anyhow!("{id}: {error}"))
}

fn read(id: Id, model: Named, parts: &[&str]) -> Result<Decoder> {
    let known = if id == Id::Prefill { &OPTIONS[..2] } else { &OPTIONS };
    ensure_once(parts)?;
    let (mut kind, mut batch, mut prompt, mut context) = (None, 1, PROMPT, None);
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            let example = example(id);
            ensure!(kind.is_none(), "'{part}' is one part too many; write for example {example}");
            let parsed = part.parse::<Type>();
            kind = Some(parsed.with_context(|| unknown("type", part, Type::VARIANTS))?);
            continue;
        };
        ensure!(known.contains(&key), unknown("option", key, known));
        let most = if key == "batch" { MAX_BATCH } else { 1 << 20 };
        let number = value.parse().ok().filter(|number| (1..=most).contains(number));
        let number =
            number.with_context(|| format!("{key}={value} is no number from 1 to {most}"))?;
        match key {
            "batch" => batch = number,
            "prompt" => prompt = number,
            _ => context = Some(number),
        }
    }
    let context = if id == Id::Prefill { prompt } else { context.unwrap_or(prompt + ANSWER) };
    ensure!(
        id == Id::Prefill || context > prompt,
        "a context of {context} leaves no room for an answer after a prompt of {prompt}; write context={}",
        prompt + ANSWER
    );
    let model = open(id, model, kind)?;
    let (name, longest) = (&model.name, model.config.context);
    if context > longest {
        if let Source::File { file, .. } = &model.source
            && let Some(window) = file.sliding_window()
        {
            bail!(
                "{name} has a sliding window of {window} tokens, which rigbench does not compute for longer texts; write a context up to {window}"
            );
        }
        bail!(
            "{name} was made for texts of up to {longest} tokens, not {context}; write a shorter prompt or context"
        );
    }
    Ok(Decoder { id, model, batch, prompt, context })
}

fn open(id: Id, model: Named, kind: Option<Type>) -> Result<Model> {
    let path = match model {
        Named::Preset(preset) => {
            let source = Source::Seed(kind.unwrap_or(TYPE));
            return Ok(Model { name: preset.name.into(), config: preset.config(), source });
        }
        Named::File(path) => path,
        Named::Unknown(name) => bail!(
            "there is no model '{}'; {}, or the path of a GGUF file",
            shown(&name),
            nearest(&name, &PRESETS.map(|preset| preset.name))
        ),
    };
    let shown = shown(&path);
    ensure!(kind.is_none(), "a file has its own types; write {id}:{shown} without one");
    let opened = Gguf::open(Path::new(&path)).and_then(|file| Ok((file.sha256()?, file)));
    let (sha256, file) = opened.map_err(|error| anyhow!("{shown}: {error}"))?;
    let (name, config) = (label(&path), file.config().clone());
    let source = Source::File { path, sha256, file: Rc::new(file) };
    Ok(Model { name, config, source })
}

/// A model by name or path.
enum Named {
    Preset(&'static Preset),
    File(String),
    /// Neither a preset nor a path.
    Unknown(String),
}

/// Splits the parts of a spec into the model and its options. The model is a preset's name, else the longest existing path, else
/// everything up to `.gguf`, else everything that is not a type or an option.
fn split<'a>(parts: &'a [&'a str]) -> (Named, &'a [&'a str]) {
    if let Some(preset) = preset(parts) {
        return preset;
    }
    // A folder is no model, so that `decode:smollm2` next to a folder of that name is still a misspelt preset.
    let is_there = |path: &str| std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir());
    let ends_as_gguf = |path: &str| path.to_ascii_lowercase().ends_with(".gguf");
    let longest = |is_model: &dyn Fn(&str) -> bool| {
        (1..=parts.len()).rev().find(|&end| is_model(&parts[..end].join(":")))
    };
    if let Some(end) = longest(&is_there).or_else(|| longest(&ends_as_gguf)) {
        return (Named::File(parts[..end].join(":")), &parts[end..]);
    }
    let options = options(parts);
    let path = parts[..parts.len() - options.len()].join(":");
    match path.contains(['/', '\\']) {
        true => (Named::File(path), options),
        false => (Named::Unknown(parts[0].to_string()), &parts[1..]),
    }
}

/// A preset's name, and the parts after it.
fn preset<'a>(parts: &'a [&'a str]) -> Option<(Named, &'a [&'a str])> {
    let preset = PRESETS.iter().find(|preset| preset.name == parts[0])?;
    Some((Named::Preset(preset), &parts[1..]))
}

/// The types and options at the end.
fn options<'a>(parts: &'a [&'a str]) -> &'a [&'a str] {
    let is_option = |part: &&&str| {
        part.parse::<Type>().is_ok()
            || part.split_once('=').is_some_and(|(key, _)| OPTIONS.contains(&key))
    };
    &parts[parts.len() - parts.iter().rev().take_while(is_option).count()..]
}

/// A file's name in results: without its folder, colons, equals signs and unprintable characters.
fn label(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let name = name.rsplit('\\').find(|part| !part.is_empty()).unwrap_or("model");
    name.chars().map(|c| if matches!(c, ':' | '=') || !is_printable(c) { '_' } else { c }).collect()
}

/// A path in messages.
fn shown(path: &str) -> String {
    path.chars().map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect()
}

/// Whether a character neither controls the terminal nor reorders or hides text.
fn is_printable(c: char) -> bool {
    let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !hides
}
