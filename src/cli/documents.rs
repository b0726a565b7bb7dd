//! Result files that a command believes.

use crate::results::wire::Document;
use crate::results::{self, Depth, read};
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;

/// The document of a file, if it is truthful.
pub(super) fn truthful(path: &Path) -> Result<Document> {
    let given = read::open(path, read::read).with_context(|| {
        format!("cannot read {}; give the path of a result file", path.display())
    })?;
    let given = given.map_err(|why| anyhow!("{}: {why}", path.display()))?;
    match &results::validate(&given, Depth::Quick).faults[..] {
        [] => Ok(given.document),
        [first, ..] => {
            bail!("{} is not truthful: {first}; rigbench validate says more", path.display())
        }
    }
}
