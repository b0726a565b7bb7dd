//! `rigbench tune`: chooses a kernel for every workload on every device and caches the choice for later runs.

use super::progress::RowProgress;
use super::{Exit, args, interrupt};
use crate::device::Device;
use crate::measure::Event;
use crate::report;
use crate::tune::{Choice, Effort, Tuner};
use crate::workload::{Target, Workload};
use anyhow::{Result, bail};

#[derive(clap::Args)]
#[command(
    after_help = "Example: rigbench tune --device gpu:0 --retune\nruns choose by themselves where nothing is kept; --quick runs try four variants only."
)]
pub(super) struct Args {
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
    /// Try again even where a choice is kept
    #[arg(long)]
    retune: bool,
    #[command(flatten)]
    skip: args::Skip,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    interrupt::listen()?;
    let workloads = args.workloads.parse(args::DEFAULT)?;
    let devices = args.devices.select()?;
    args::note_hidden(&devices);
    args.skip.ensure_known()?;
    let tuner = args.skip.tuner(Effort::Full, args.retune);
    let total = devices.len() * workloads.len();
    let rows = devices.iter().flat_map(|device| workloads.iter().map(move |w| (device, &**w)));
    let mut exit = Exit::Done;
    for (i, (device, workload)) in rows.enumerate() {
        let chosen =
            choose(&tuner, device, workload, &RowProgress::new(i + 1, total, device, workload));
        if interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
        let name = format!("{} {}", device.id, workload.spec());
        match chosen {
            Ok(choice) => {
                super::print_tables(&[report::tuning(&name, workload.unit(), &choice.record)])?;
            }
            Err(reason) => {
                exit = Exit::No;
                super::print_line(&format!("{name}: {reason}"))?;
                super::print("\n")?;
            }
        }
    }
    Ok(exit)
}

fn choose(
    tuner: &Tuner,
    device: &Device,
    workload: &dyn Workload,
    progress: &RowProgress,
) -> Result<Choice> {
    let mut target = Target::open(device)?;
    if let Some(reason) = workload.unsupported(&target) {
        bail!(reason);
    }
    let on_event = &mut |share| progress.show(Event::Tuning(share));
    Ok(tuner.choose(workload, &mut target, on_event)?)
}
