//! Splits a spec into model and options. A path may contain colons, as Windows paths do, so a colon alone does not end it.

use crate::model::{PRESETS, Preset, Type};
use std::path::Path;

/// Options that may follow a model.
const OPTIONS: [&str; 3] = ["batch=", "prompt=", "context="];

/// A model by name or path.
pub(super) enum Named {
    Preset(&'static Preset),
    File(String),
    /// Neither a preset nor a path.
    Unknown(String),
}

/// Splits the parts of a spec into the model and its options. The model is a preset's name, else the longest existing path, else
/// everything up to `.gguf`, else everything that is not a type or an option.
pub(super) fn split<'a>(parts: &'a [&'a str]) -> (Named, &'a [&'a str]) {
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
pub(super) fn preset<'a>(parts: &'a [&'a str]) -> Option<(Named, &'a [&'a str])> {
    let preset = PRESETS.iter().find(|preset| preset.name == parts[0])?;
    Some((Named::Preset(preset), &parts[1..]))
}

/// The types and options at the end.
pub(super) fn options<'a>(parts: &'a [&'a str]) -> &'a [&'a str] {
    let is_type = |part: &str| Type::ALL.iter().any(|kind| kind.name() == part);
    let is_option =
        |part: &&&str| is_type(part) || OPTIONS.iter().any(|option| part.starts_with(option));
    &parts[parts.len() - parts.iter().rev().take_while(is_option).count()..]
}

/// A file's name in results: without its folder, colons, equals signs and unprintable characters.
pub(super) fn label(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let name = name.rsplit('\\').find(|part| !part.is_empty()).unwrap_or("model");
    name.chars().map(|c| if matches!(c, ':' | '=') || !is_printable(c) { '_' } else { c }).collect()
}

/// A path in messages.
pub(super) fn shown(path: &str) -> String {
    path.chars().map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect()
}

/// Whether a character neither controls the terminal nor reorders or hides text.
fn is_printable(c: char) -> bool {
    let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !hides
}
