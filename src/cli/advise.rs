//! `rigbench advise`: what the next kilowatt-hour should do, and where that flips.

use super::documents::truthful;
use super::{Exit, args};
use crate::economics::market::EMBEDDED;
use crate::economics::{Market, advise_on, wire};
use crate::report;
use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench advise results/local/*.json\n  rigbench advise --print-market > market.toml    then put your own prices in, and\n  rigbench advise result.json --market market.toml"
)]
pub(super) struct Args {
    /// Result files, of one machine or several
    #[arg(required_unless_present = "print_market", value_name = "FILE")]
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
    let documents: Vec<_> = args.files.iter().map(|path| truthful(path)).collect::<Result<_>>()?;
    let advice = advise_on(&documents, &market, jiff::Zoned::now().date());
    if args.json {
        let advice = wire::Advice::from(&advice);
        super::print(&(serde_json::to_string_pretty(&advice)? + "\n"))?;
    } else {
        let (width, styled) = args::terminal();
        super::print(&report::advice_to_terminal(&advice, width, styled))?;
    }
    Ok(Exit::Done)
}

/// A market file of the user's.
fn market(path: &Path) -> Result<Market> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read {}; give the path of a market file", path.display())
    })?;
    Market::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}
