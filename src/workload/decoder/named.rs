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
    let preset = PRESETS.iter().find(|preset| parts.first() == Some(&preset.name));
    if let Some(preset) = preset {
        return (Named::Preset(preset), &parts[1..]);
    }
    let longest = |is_model: fn(&str) -> bool| {
        (1..=parts.len()).rev().find(|&end| is_model(&parts[..end].join(":")))
    };
    if let Some(end) = longest(is_there).or_else(|| longest(ends_as_gguf)) {
        return (Named::File(parts[..end].join(":")), &parts[end..]);
    }
    let (path, options) = parts.split_at(parts.len() - options(parts));
    let path = path.join(":");
    if path.contains(['/', '\\']) {
        return (Named::File(path), options);
    }
    match parts.split_first() {
        Some((name, options)) => (Named::Unknown(name.to_string()), options),
        None => (Named::Unknown(String::new()), &[]),
    }
}

/// Number of types or options at the end.
pub(super) fn options(parts: &[&str]) -> usize {
    let is_type = |part: &str| Type::ALL.iter().any(|kind| kind.name() == part);
    let is_option =
        |part: &&&str| is_type(part) || OPTIONS.iter().any(|option| part.starts_with(option));
    parts.iter().rev().take_while(is_option).count()
}

/// Whether the path exists and is not a folder, so that `decode:smollm2` next to a folder of that name is still a misspelt preset.
fn is_there(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}

fn ends_as_gguf(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".gguf")
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
