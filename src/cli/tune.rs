//! `rigbench tune`: chooses a kernel for every workload on every device and caches the choice for later runs.

use super::progress::RowProgress;
use super::{Exit, args, interrupt};
use crate::measure::Event;
use crate::report;
use crate::tune::{Effort, Tuner};
use crate::workload::Target;
use anyhow::Result;
use std::ops::ControlFlow;

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
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    interrupt::listen()?;
    let workloads = args.workloads.parse(args::DEFAULT)?;
    let devices = args.devices.select()?;
    args::note_hidden(&devices);
    let tuner = Tuner::new(Effort::Full, args.retune);
    let (width, styled) = args::terminal();
    let total = devices.len() * workloads.len();
    let mut failed = false;
    for (d, device) in devices.iter().enumerate() {
        for (w, workload) in workloads.iter().enumerate() {
            let name = format!("{} {}", device.id, workload.spec());
            let progress =
                RowProgress::new(d * workloads.len() + w + 1, total, &name, workload.unit());
            let target = Target::open(device);
            let unsupported = target.as_ref().ok().and_then(|t| workload.unsupported(t));
            let chosen =
                target.map_err(|e| e.to_string()).and_then(|mut target| match unsupported {
                    Some(reason) => Err(reason),
                    None => {
                        let on_event = &mut |share| {
                            progress.show(Event::Tuning(share));
                            match interrupt::asked() {
                                true => ControlFlow::Break(()),
                                false => ControlFlow::Continue(()),
                            }
                        };
                        tuner
                            .choose(workload.as_ref(), &mut target, on_event)
                            .map_err(|e| e.to_string())
                    }
                });
            drop(progress);
            if interrupt::asked() {
                return Ok(Exit::Interrupted);
            }
            match chosen {
                Ok(choice) => {
                    let table = report::tuning(&name, workload.unit(), &choice.record);
                    super::print(&(table.to_terminal(width, styled) + "\n"))?;
                }
                Err(reason) => {
                    failed = true;
                    super::print_line(&format!("{name}: {reason}"))?;
                    super::print("\n")?;
                }
            }
        }
    }
    Ok(if failed { Exit::No } else { Exit::Done })
}
