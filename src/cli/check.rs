//! `rigbench check`: compares every kernel, except the decoder's, with its oracle on every device.

use super::{Exit, args, stream};
use crate::tune::{Finding, State, verify, verify_isolated};
use crate::workload::{Target, Variant, Workload};
use anyhow::Result;
use std::cell::Cell;
use std::ops::ControlFlow;

#[derive(clap::Args)]
#[command(after_help = "Example: rigbench check --device gpu:0")]
pub(super) struct Args {
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
    #[command(flatten)]
    skip: args::Skip,
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
    args.skip.ensure_known()?;
    let (mut exit, mut noted) = (Exit::Done, false);
    for device in devices {
        let mut line = |state: State, what: &str| {
            if matches!(state, State::Wrong | State::Failed | State::Crashed) {
                exit = Exit::No;
            }
            super::print_line(&format!("{:11} {}{what}", state.into_str(), device.id))
        };
        let mut target = match Target::open(&device) {
            Ok(target) => target,
            Err(error) => {
                line(State::Failed, &format!(": {error}"))?;
                continue;
            }
        };
        for workload in &workloads {
            let spec = workload.spec();
            if let Some(reason) = workload.unsupported(&target) {
                line(State::Unsupported, &format!(" {spec}: {reason}"))?;
                continue;
            }
            let mut variants = workload.variants(&target);
            variants.retain(|variant| !args.skip.kernels.iter().any(|name| name == variant.id()));
            let (mut written, done) = (Ok(()), Cell::new(0));
            let mut on_finding = |variant: &str, Finding { state, what }| {
                done.set(done.get() + 1);
                written = line(state, &format!(" {spec} {variant}: {what}"));
                match written.is_err() || stream::stdout_closed() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            if let (Some(_), Ok(program)) = (&device.gpu, std::env::current_exe()) {
                let names: Vec<_> = variants.iter().map(Variant::id).collect();
                let spec = workload.command_spec();
                let verified =
                    verify_isolated(&program, &device.id, &spec, &names, &mut on_finding);
                if let (Err(why), false) = (verified, noted) {
                    super::say(&format!(
                        "note: kernels are verified in this process, which a crash of the driver ends: {why}"
                    ));
                    noted = true;
                }
            }
            let left = if stream::stdout_closed() { &[] } else { &variants[done.get()..] };
            let verified = verify_all(workload.as_ref(), &mut target, left, &mut on_finding);
            written?;
            if stream::stdout_closed() {
                return Ok(exit);
            }
            if let Err(why) = verified {
                line(State::Failed, &format!(" {spec}: {why}"))?;
            }
        }
    }
    Ok(exit)
}

/// Verifies variants in this process.
fn verify_all(
    workload: &dyn Workload,
    target: &mut Target,
    variants: &[Variant],
    on_finding: &mut dyn FnMut(&'static str, Finding) -> ControlFlow<()>,
) -> Result<(), String> {
    for variant in variants {
        let finding = verify(workload, target, variant).map_err(|error| error.to_string())?;
        if on_finding(variant.id(), finding).is_break() {
            break;
        }
    }
    Ok(())
}
