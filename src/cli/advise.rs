//! `rigbench advise`: the best use of the next kilowatt-hour, and the break-even points between uses.

use super::documents::{self, complete, consistent};
use super::{Exit, args, say};
use crate::economics::market::EMBEDDED;
use crate::economics::{Market, MarketError, advise_on};
use crate::report;
use crate::results::Document;
use crate::text;
use anyhow::{Context, Result, anyhow, bail};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench advise results/local/*.json\n  rigbench advise --print-market > market.toml    then put your own prices in, and\n  rigbench advise result.json --market market.toml"
)]
pub(super) struct Args {
    /// Result files or folders of them, of one machine or several
    #[arg(required_unless_present = "print_market", value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// What hashes, tokens, rents and power cost [default: the file that comes with rigbench]
    #[arg(long, value_name = "FILE")]
    market: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Print the market file that comes with rigbench, to be edited
    #[arg(long, exclusive = true)]
    print_market: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    if args.print_market {
        super::print(EMBEDDED)?;
        return Ok(Exit::Done);
    }
    let market = args.market.as_deref().map_or_else(|| Ok(Market::embedded()), market)?;
    let mut paths: Vec<PathBuf> = Vec::new();
    let (mut documents, mut left_out) = (Vec::new(), Vec::new());
    for path in documents::files(&args.files)? {
        match consistent(&path).and_then(|document| complete(&path, document)) {
            Ok(document) => {
                let is_same_run =
                    |other: &Document| other.evidence.run.id == document.evidence.run.id;
                match documents.iter().position(is_same_run) {
                    Some(twin) if documents[twin].proof == document.proof => {}
                    Some(twin) => bail!(
                        "{} and {} are the same run with different contents: at least one of them was edited; \
                         give the one that you trust",
                        paths[twin].display(),
                        path.display()
                    ),
                    None => {
                        documents.push(document);
                        paths.push(path);
                    }
                }
            }
            Err(why) => left_out.push(why),
        }
    }
    if let (true, Some(first)) = (documents.is_empty(), left_out.first()) {
        bail!("nothing can be advised: {first:#}");
    }
    for why in left_out {
        say(&format!("note: a file is left out: {why:#}"));
    }
    let advice = advise_on(&documents, &market, jiff::Zoned::now().date());
    if args.json {
        super::print_json(&advice)?;
    } else {
        let (width, styled) = args::terminal();
        super::print(&report::advice_to_terminal(&advice, width, styled))?;
    }
    Ok(Exit::Done)
}

/// Maximum size of a market file.
const MAX_BYTES: u64 = 4 << 20;

/// Reads the user's market file. Each fault in it is printed on a line of its own.
fn market(path: &Path) -> Result<Market> {
    let shown = path.display();
    let bytes = text::read(path, MAX_BYTES)
        .with_context(|| format!("cannot read {shown}; give the path of a market file"))?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("{shown}: no market file is larger than {} MiB", MAX_BYTES >> 20);
    }
    let text = text::decode(&bytes).map_err(|why| anyhow!("{shown}: {why}"))?;
    Market::parse(&text).map_err(|MarketError { mut faults }| {
        let last = faults.pop().unwrap_or_default();
        for fault in faults {
            say(&format!("error: {shown}: {fault}"));
        }
        anyhow!("{shown}: {last}")
    })
}
