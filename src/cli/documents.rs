//! Result files that a command believes.

use crate::results::{self, Depth, Document, Findings, RunReason, Verdict, read};
use anyhow::{Context, Result, anyhow, bail};
use std::path::{Path, PathBuf};

/// One line on a document in which no row was finished, so that there is nothing to compare or to advise on.
pub(super) fn incomplete(path: &Path, document: &Document) -> Option<String> {
    (document.derived.run.verdict == Verdict::Incomplete)
        .then(|| format!("{}: {}", path.display(), RunReason::NoRow))
}

/// The files that are meant, in order: those that are named, and of a folder those that end in `.json`.
pub(super) fn files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for input in inputs {
        let about =
            || format!("cannot read {}; give result files or a folder of them", input.display());
        if !std::fs::metadata(input).with_context(about)?.is_dir() {
            all.push(input.clone());
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(input).with_context(about)? {
            let path = entry.with_context(about)?.path();
            if path.extension().is_some_and(|e| e == "json") && path.is_file() {
                found.push(path);
            }
        }
        found.sort();
        all.extend(found);
    }
    if all.is_empty() {
        let names: Vec<String> = inputs.iter().map(|input| input.display().to_string()).collect();
        bail!("there is no .json file in {}; rigbench run writes one", names.join(", "));
    }
    Ok(all)
}

/// The document of a file as it may be shown, with today's figures, if it is consistent.
pub(super) fn consistent(path: &Path) -> Result<Document> {
    let given = read::open(path, read::read).with_context(|| {
        format!("cannot read {}; give the path of a result file", path.display())
    })?;
    let given = given.map_err(|why| anyhow!("{}: {why}", path.display()))?;
    let Findings { faults, changed, .. } = results::validate(&given, Depth::Quick);
    for line in changed {
        super::say(&format!("note: {}: {line}", path.display()));
    }
    match &faults[..] {
        [] => Ok(given.shown()),
        [first, ..] => {
            bail!("{} is not consistent: {first}; rigbench validate says more", path.display())
        }
    }
}
