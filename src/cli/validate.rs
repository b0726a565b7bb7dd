//! `rigbench validate`: is a result file truthful?

use super::Exit;
use crate::model::Gguf;
use crate::results::{self, Depth, Findings, Model, read};
use anyhow::{Context, Result};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench validate results/published/*.json\n  rigbench validate --deep --model SmolLM2-135M-Instruct.Q4_1.gguf result.json"
)]
pub(super) struct Args {
    /// Result files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Compute again what takes long, too
    #[arg(long)]
    deep: bool,
    /// GGUF file of a model that tokens were computed with, for --deep; may repeat
    #[arg(long = "model", value_name = "FILE", requires = "deep")]
    models: Vec<PathBuf>,
}

/// What no proof of work can show.
const LIMITS: &str = "Proofs show that the work was computed for this very manifest and seed, by whoever, whenever. They do not show\n\
    when, where, how fast or at what joules: those figures are the publisher's word.";

pub(super) fn run(args: &Args) -> Result<Exit> {
    let models = args.models.iter().map(|path| {
        let sha256 = Gguf::open(path).and_then(|file| file.sha256());
        let sha256 = sha256.with_context(|| path.display().to_string())?;
        Ok(Model { path: path.clone(), sha256 })
    });
    let models = models.collect::<Result<Vec<_>>>()?;
    let depth = if args.deep { Depth::Deep { models: &models } } else { Depth::Quick };
    let mut truthful = true;
    for path in &args.files {
        let given = read::open(path, read::read).with_context(|| {
            format!("cannot read {}; give the path of a result file", path.display())
        })?;
        let findings = match given {
            Ok(given) => results::validate(&given, depth),
            Err(fault) => Findings { faults: vec![fault.to_string()], notes: Vec::new() },
        };
        let verdict = if findings.faults.is_empty() { "truthful" } else { "not truthful" };
        super::print_line(&format!("{}: {verdict}", path.display()))?;
        for fault in &findings.faults {
            super::print_line(&format!("  wrong: {fault}"))?;
        }
        for note in &findings.notes {
            super::print_line(&format!("  {note}"))?;
        }
        truthful &= findings.faults.is_empty();
    }
    super::print(&format!("{LIMITS}\n"))?;
    Ok(if truthful { Exit::Done } else { Exit::No })
}
