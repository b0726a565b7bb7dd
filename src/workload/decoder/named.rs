//! The model that a spec names, and where its name ends. A path may hold colons, as every Windows path does, so that a colon alone
//! does not tell a path from the options behind it.

use crate::model::{PRESETS, Preset, Type};
use std::path::Path;

/// Options that may follow a model.
const OPTIONS: [&str; 3] = ["batch=", "prompt=", "context="];

/// A model by its name or its path.
pub(super) enum Named {
    Preset(&'static Preset),
    File(String),
    /// Neither a preset nor a path.
    Unknown(String),
}

/// Splits the parts of a spec into the model and its options. The model is a preset's name, else the longest path that is there,
/// else what ends in `.gguf`, else all but what looks like a type or an option.
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

/// How many parts at the end are types or options.
pub(super) fn options(parts: &[&str]) -> usize {
    let is_type = |part: &str| Type::ALL.iter().any(|kind| kind.name() == part);
    let is_option =
        |part: &&&str| is_type(part) || OPTIONS.iter().any(|option| part.starts_with(option));
    parts.iter().rev().take_while(is_option).count()
}

/// Whether something other than a folder is there, so that `decode:smollm2` next to a folder of that name is still a misspelt preset.
fn is_there(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}

fn ends_as_gguf(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".gguf")
}

/// A file's name as results show it: without its folder, and without what would part a spec or upset a terminal.
pub(super) fn label(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let name = name.rsplit('\\').find(|part| !part.is_empty()).unwrap_or("model");
    name.chars().map(|c| if matches!(c, ':' | '=') || !is_printable(c) { '_' } else { c }).collect()
}

/// A path as messages show it.
pub(super) fn shown(path: &str) -> String {
    path.chars().map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect()
}

/// Neither a control character nor one that reorders or hides text.
fn is_printable(c: char) -> bool {
    let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !hides
}
