//! Finds and reads the result files that a command is given.

use crate::results::read::{self, ParsedDocument, ReadError};
use crate::results::{self, Depth, Document, Findings, RunReason, Verdict};
use anyhow::{Context, Result, anyhow, bail};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The document, unless it has no finished row, so that it gives nothing to compare or advise on.
pub(super) fn complete(path: &Path, document: Document) -> Result<Document> {
    match document.derived.run.verdict {
        Verdict::Incomplete => bail!("{}: {}; run it again", path.display(), RunReason::NoRow),
        Verdict::Valid | Verdict::Invalid => Ok(document),
    }
}

/// The files of a command's arguments, in order: a file is itself, a folder is the `.json` files in it and in its folders, sorted by name.
pub(super) fn files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for input in inputs {
        let cannot_read =
            || format!("cannot read {}; give result files or a folder of them", input.display());
        if !std::fs::metadata(input).with_context(cannot_read)?.is_dir() {
            all.push(input.clone());
            continue;
        }
        for entry in WalkDir::new(input).follow_links(true).sort_by_file_name() {
            // A link to a folder around it leads to files that are there already.
            let entry = match entry {
                Err(error) if error.loop_ancestor().is_some() => continue,
                entry => entry.map_err(|error| {
                    let path = error.path().unwrap_or(input).display().to_string();
                    let why = error.into_io_error().map(|error| error.to_string());
                    anyhow!("cannot read {path}: {}", why.unwrap_or_default())
                })?,
            };
            let path = entry.into_path();
            if path.extension().is_some_and(|e| e == "json") && path.is_file() {
                all.push(path);
            }
        }
    }
    if all.is_empty() {
        let names: Vec<String> = inputs.iter().map(|input| input.display().to_string()).collect();
        bail!("there is no .json file in {}; rigbench run writes one", names.join(", "));
    }
    Ok(all)
}

/// Reads a result file; the inner error is that it is not one.
pub(super) fn parsed(path: &Path) -> Result<Result<ParsedDocument, ReadError>> {
    read::open(path, read::read)
        .with_context(|| format!("cannot read {}; give the path of a result file", path.display()))
}

/// Reads a result file, derives its figures again by today's rules and makes its strings safe to print; an error if it is not
/// consistent.
pub(super) fn consistent(path: &Path) -> Result<Document> {
    let parsed = parsed(path)?.map_err(|why| anyhow!("{}: {why}", path.display()))?;
    let Findings { faults, changed, .. } = results::validate(&parsed, Depth::Quick);
    for line in changed {
        super::say(&format!("note: {}: {line}", path.display()));
    }
    if let Some(first) = faults.first() {
        bail!("{} is not consistent: {first}; rigbench validate says more", path.display());
    }
    Ok(parsed.shown())
}
