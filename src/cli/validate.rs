//! `rigbench validate`: checks result files for consistency, recomputes proofs, and with `--issued` and `--received` prints lower bounds on
//! hash rates.

use super::{Exit, documents};
use crate::model::Gguf;
use crate::results::{self, Depth, Document, Findings, Model};
use crate::units::Rate;
use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench validate results/published\n  rigbench validate --deep --model SmolLM2-135M-Instruct.Q4_1.gguf result.json"
)]
pub(super) struct Args {
    /// Result files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    inputs: Vec<PathBuf>,
    /// Also recompute slow proofs: matrix products and tokens
    #[arg(long)]
    deep: bool,
    /// GGUF file of a model that tokens were computed with, for --deep; may repeat
    #[arg(long = "model", value_name = "FILE", requires = "deep")]
    models: Vec<PathBuf>,
    /// When the challenge was sent, RFC 3339; with --received, prints a lower bound on the hash rate
    #[arg(long, value_name = "TIME", requires = "received")]
    issued: Option<Timestamp>,
    /// When the file came back
    #[arg(long, value_name = "TIME", requires = "issued")]
    received: Option<Timestamp>,
}

/// What proofs of work cannot show.
const LIMITS: &str = "Proofs show that somebody computed this work for this manifest and seed. They do not show when, where, how fast or at\n\
    how many joules: for these, the file is only as reliable as its publisher.";

pub(super) fn run(args: &Args) -> Result<Exit> {
    let model = |path: &PathBuf| {
        let sha256 = Gguf::open(path).and_then(|file| file.sha256());
        let sha256 = sha256.with_context(|| path.display().to_string())?;
        Ok(Model { path: path.clone(), sha256 })
    };
    let models = args.models.iter().map(model).collect::<Result<Vec<_>>>()?;
    let depth = if args.deep { Depth::Deep { models: &models } } else { Depth::Quick };
    let times = args.issued.zip(args.received);
    if times.is_some_and(|(issued, received)| received <= issued) {
        bail!("--received is not after --issued; write both as in 2026-12-01T10:00:00Z");
    }
    let (mut consistent, mut verified) = (true, false);
    for path in &documents::files(&args.inputs)? {
        let (findings, bounds) = match documents::parsed(path)? {
            Ok(parsed) => {
                let mut findings = results::validate(&parsed, depth);
                let started_at = parsed.evidence.run.started_at;
                let future = format!("it is from the future by this machine's clock: {started_at}");
                findings.notes.extend((started_at > Timestamp::now()).then_some(future));
                let bounds = times.map(|times| bounds(&parsed.shown(), times));
                (findings, bounds.unwrap_or_default())
            }
            Err(fault) => {
                let faults = vec![fault.to_string()];
                (Findings { faults, ..Findings::default() }, Vec::new())
            }
        };
        let ok = findings.faults.is_empty() && !findings.unknown;
        verified |= ok && findings.verified;
        let verdict = match (ok, findings.unknown) {
            (true, _) => "consistent",
            (false, true) => "no row of it can be judged: get a newer rigbench",
            (false, false) => "not consistent",
        };
        super::print_line(&format!("{}: {verdict}", path.display()))?;
        for fault in &findings.faults {
            super::print_line(&format!("  wrong: {fault}"))?;
        }
        let notes = findings.notes.iter().chain(&findings.changed);
        for note in notes.chain(bounds.iter().filter(|_| ok)) {
            super::print_line(&format!("  {note}"))?;
        }
        consistent &= ok;
    }
    if verified {
        super::print(&format!("{LIMITS}\n"))?;
    }
    Ok(if consistent { Exit::Done } else { Exit::No })
}

/// Lower bounds on the hash rates of rows with proven shares: proven work over the time from issuing the challenge to receiving the file. They
/// assume that the challenge was unknown before it was issued.
fn bounds(document: &Document, (issued, received): (Timestamp, Timestamp)) -> Vec<String> {
    let run = &document.evidence.run;
    if document.evidence.challenge.is_none() {
        return vec!["no bound on the rate: it was made without --challenge".into()];
    }
    if run.finished_at.is_some_and(|finished| finished < issued) {
        let why = "by its own clock it ended before the challenge was issued";
        return vec![format!("no bound on the rate: {why}")];
    }
    let seconds = received.duration_since(issued).as_secs_f64();
    let bound = |(row, figures): (&results::Row, &results::RowFigures)| {
        let hashes = figures.proven.as_ref()?.least_hashes;
        let rate = Rate { per_second: hashes / seconds, unit: row.workload.unit };
        Some(format!(
            "{}: at least {rate}, if the challenge was new {seconds:.0} s before it came back",
            row.label()
        ))
    };
    document.rows().filter_map(bound).collect()
}
