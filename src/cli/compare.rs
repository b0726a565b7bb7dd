//! `rigbench compare`: changes between two runs, and whether they are statistically significant.

use super::Exit;
use super::documents::{complete, consistent};
use crate::report;
use crate::results::{self, Comparison};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Example: rigbench compare before.json after.json --gate 5\nwith --gate: exit 1 if a row is worse: its 95 % interval does not contain zero change, and its 99 % interval reaches past PERCENT; exit 2 if a row of BASE cannot be judged."
)]
pub(super) struct Args {
    /// Baseline result file
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// Result file to judge
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Exit 1 on a significant regression past PERCENT in throughput or joules
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    gate: Option<f64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let read = |path: &Path| complete(path, consistent(path)?).context("nothing can be compared");
    let (base, new) = (read(&args.base)?, read(&args.new)?);
    let comparison = results::compare(&base, &new, args.gate);
    if comparison.pairs.is_empty() {
        bail!("nothing can be compared: {}", why_nothing(&comparison));
    }
    if args.json {
        super::print_json(&comparison)?;
    } else {
        super::print_tables(&report::comparison(&comparison))?;
    }
    if comparison.past_gate == Some(true) {
        return Ok(Exit::No);
    }
    match &comparison.not_judged[..] {
        [] => Ok(Exit::Done),
        [only] => bail!("the gate cannot judge {only}; measure it again"),
        [first, rest @ ..] => {
            bail!("the gate cannot judge {first}; nor {} more; measure again", rest.len())
        }
    }
}

/// Why no rows could be paired, in one line.
fn why_nothing(comparison: &Comparison) -> String {
    match &comparison.refused[..] {
        [] => "the files have no workload in common; run the same workloads for both".into(),
        [first, ..] => format!("{}: {}", first.base, first.reason),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim().parse::<f64>() {
        Ok(percent) if (0.0..100.0).contains(&percent) => Ok(percent),
        _ => Err("a percentage from 0 to below 100, as in --gate 5".into()),
    }
}
