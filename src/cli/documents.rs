//! Result files that a command believes.

use crate::results::wire::{Document, Verdict};
use crate::results::{self, Depth, read};
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;

/// One line on a document in which no row was finished, so that there is nothing to compare or to advise on.
pub(super) fn incomplete(path: &Path, document: &Document) -> Option<String> {
    (document.run.verdict == Verdict::Incomplete)
        .then(|| format!("{}: {}", path.display(), results::NO_ROW))
}

/// The document of a file as it may be shown, if it is truthful.
pub(super) fn truthful(path: &Path) -> Result<Document> {
    let given = read::open(path, read::read).with_context(|| {
        format!("cannot read {}; give the path of a result file", path.display())
    })?;
    let given = given.map_err(|why| anyhow!("{}: {why}", path.display()))?;
    match &results::validate(&given, Depth::Quick).faults[..] {
        [] => Ok(given.shown()),
        [first, ..] => {
            bail!("{} is not truthful: {first}; rigbench validate says more", path.display())
        }
    }
}
