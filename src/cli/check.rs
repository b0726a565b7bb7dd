//! `rigbench check`: compares every kernel, except the decoder's, with its oracle on every device.

use super::{Exit, args, stream};
use crate::oracle::Verdict;
use crate::workload::{Target, data::Seed};
use anyhow::Result;

#[derive(clap::Args)]
#[command(after_help = "Example: rigbench check --device gpu:0")]
pub(super) struct Args {
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
}

/// Every workload in every data type, with shapes that are not multiples of the tile sizes.
const EVERYTHING: &[&str] = &[
    "sha256d",
    "gemm:193x201x227:f32",
    "gemm:193x201x227:f16",
    "gemm:193x201x227:int8",
    "gemm:193x201x227:int4",
    "gemm:193x201x227:int8:activations=int8",
    "gemm:193x201x227:int4:activations=int8",
    "gemm:193x201x227:f32:transpose=a",
    "gemm:193x201x227:f32:transpose=b",
    "gemv:1001x1003:f32",
    "gemv:1001x1003:f16",
    "gemv:1001x1003:int8",
    "gemv:1001x1003:int4",
    "gemv:1001x1003:int8:activations=int8",
    "gemv:1001x1003:int4:activations=int8",
    "peak:f32",
    "peak:f16",
    "peak:dot4",
    "peak:matrix",
    "stream",
];

pub(super) fn run(args: &Args) -> Result<Exit> {
    let workloads = args.workloads.parse(EVERYTHING)?;
    let devices = args.devices.select()?;
    args::note_hidden(&devices);
    let mut exit = Exit::Done;
    for device in devices {
        let line =
            |state: &str, what: &str| super::print_line(&format!("{state:11} {}{what}", device.id));
        let mut target = match Target::open(&device) {
            Ok(target) => target,
            Err(error) => {
                line("failed", &format!(": {error}"))?;
                exit = Exit::No;
                continue;
            }
        };
        'workloads: for workload in &workloads {
            let spec = workload.spec();
            if let Some(reason) = workload.unsupported(&target) {
                line("unsupported", &format!(" {spec}: {reason}"))?;
                continue;
            }
            for variant in workload.variants(&target) {
                if stream::stdout_closed() {
                    return Ok(exit);
                }
                let prepared = workload.prepare(&target, &variant, Seed([0; 32]));
                let (state, what) = match prepared.and_then(|mut job| job.verify()) {
                    Ok(Verdict::Agrees { checked, worst }) => {
                        let worst = match worst {
                            0.0 => String::new(),
                            worst => format!(", worst at {worst:.2e} of the bound"),
                        };
                        ("right", format!("{checked} outputs compared{worst}"))
                    }
                    Ok(Verdict::Disagrees(what)) => ("wrong", what),
                    Err(error) if error.is_unsupported() => ("unsupported", error.to_string()),
                    Err(error) => ("failed", error.to_string()),
                };
                if matches!(state, "wrong" | "failed") {
                    exit = Exit::No;
                }
                line(state, &format!(" {spec} {}: {what}", variant.id()))?;
                if let Err(error) = target.reopen_if_lost() {
                    line("failed", &format!(": {error}"))?;
                    exit = Exit::No;
                    break 'workloads;
                }
            }
        }
    }
    Ok(exit)
}
