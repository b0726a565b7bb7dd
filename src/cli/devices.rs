//! `rigbench devices`: lists the devices that can be measured.

use super::{Exit, args};
use crate::device::Device;
use crate::energy::{self, Listing};
use crate::gpu;
use crate::report;
use anyhow::Result;

#[derive(clap::Args)]
#[command(after_help = "Example: rigbench devices --json | jq '.[].class'")]
pub(super) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let found = found(&args::found());
    if args.json {
        super::print_json(&found)?;
        gpu::hidden().iter().for_each(|line| super::say(&format!("note: {line}")));
    } else {
        let (width, styled) = args::terminal();
        let mut table = report::devices(&found);
        table.notes.extend(gpu::hidden());
        super::print(&table.to_terminal(width, styled))?;
    }
    Ok(Exit::Done)
}

/// Devices with their energy sources.
pub(super) fn found(devices: &[Device]) -> Vec<Listing> {
    let (bindings, absent) = energy::find(devices);
    let listing = |device: &Device| {
        let sources = bindings.iter().filter(|binding| binding.devices.contains(&device.id));
        let reason = absent.iter().find(|(id, _)| *id == device.id);
        Listing {
            device: device.clone(),
            sources: sources.map(|binding| binding.source.describe()).collect(),
            no_source_reason: reason.map(|(_, why)| why.to_string()),
        }
    };
    devices.iter().map(listing).collect()
}
