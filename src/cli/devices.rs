//! `rigbench devices`: what can be measured here.

use super::{Exit, args};
use crate::report;
use crate::results::wire;
use anyhow::Result;

#[derive(clap::Args)]
#[command(after_help = "Example: rigbench devices --json | jq '.[].class'")]
pub(super) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let devices: Vec<wire::Device> = args::found().iter().map(wire::Device::from).collect();
    if args.json {
        super::print(&(serde_json::to_string_pretty(&devices)? + "\n"))?;
    } else {
        let (width, styled) = args::terminal();
        super::print(&report::devices(&devices).to_terminal(width, styled))?;
    }
    Ok(Exit::Done)
}
