//! The hidden command that the tuner and `rigbench check` run as a child process. It prints a line of JSON before and after each variant
//! that it verifies, so that the parent knows which one crashed the driver.

use super::{Exit, args};
use crate::tune::{Line, verify};
use crate::workload::Target;
use anyhow::Result;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
    /// Names of the variants
    variants: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let say = |line: &Line| super::print(&format!("{}\n", serde_json::to_string(line)?));
    for workload in args.workloads.parse(&[])? {
        for device in args.devices.select()? {
            let mut target = Target::open(&device)?;
            let all = workload.variants(&target);
            for variant in all.iter().filter(|v| args.variants.iter().any(|name| name == v.id())) {
                say(&Line::Begin(variant.id().to_string()))?;
                say(&Line::End(verify(workload.as_ref(), &mut target, variant)?))?;
            }
        }
    }
    Ok(Exit::Done)
}
