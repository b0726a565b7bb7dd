//! Arguments that several commands share.

use super::say;
use crate::device::{self, Device};
use crate::gpu;
use crate::kernels;
use crate::tune::{Effort, Tuner};
use crate::workload::decoder::gpu::KERNEL_SETS;
use crate::workload::{self, Workload};
use anyhow::{Error, Result, anyhow, bail};
use std::io::IsTerminal;

/// Which devices.
#[derive(clap::Args)]
pub(super) struct Devices {
    /// Device to use: cpu, gpu:0, gpu:pci-0000:01:00.0; may repeat [default: all, software adapters only where there is no other GPU]
    #[arg(long = "device", value_name = "ID")]
    ids: Vec<String>,
}

impl Devices {
    /// The requested devices.
    pub(super) fn select(&self) -> Result<Vec<Device>> {
        let ids = self.ids.iter().map(|id| id.parse().map_err(Error::msg));
        device::select(found(), &ids.collect::<Result<Vec<_>>>()?)
            .map_err(|known| anyhow!([vec![known], gpu::hidden()].concat().join("; ")))
    }
}

/// Notes on stderr which GPUs are left out, if no real GPU is used.
pub(super) fn note_hidden(used: &[Device]) {
    if used.iter().all(|device| device.class.runs_on_cpu()) {
        gpu::hidden().iter().for_each(|line| say(&format!("note: {line}")));
    }
}

/// Which workloads.
#[derive(clap::Args)]
pub(super) struct Workloads {
    /// Workload, as in sha256d, gemm:1024x1024x1024:f32, gemv:llama-3-8b/ffn-up:int4, decode:smollm2-135m:int4:batch=8, peak:f16 or stream; may repeat
    #[arg(long = "workload", value_name = "SPEC")]
    specs: Vec<String>,
}

/// Workloads of a run without `--workload`: mining, GEMM, decoding, and the roofline ceilings (peak compute, memory bandwidth).
pub(super) const DEFAULT: &[&str] =
    &["sha256d", "gemm:1024x1024x1024:f32", "decode:smollm2-135m:int4", "peak:f32", "stream"];

impl Workloads {
    /// The requested workloads without duplicates; `default` if none is requested.
    pub(super) fn parse(&self, default: &[&str]) -> Result<Vec<Box<dyn Workload>>> {
        let requested = self.specs.iter().map(String::as_str);
        let default = default.iter().copied().filter(|_| self.specs.is_empty());
        let mut workloads: Vec<Box<dyn Workload>> = Vec::new();
        for spec in requested.chain(default) {
            let workload = workload::parse(spec)?;
            match workloads.iter().find(|other| other.spec() == workload.spec()) {
                None => workloads.push(workload),
                Some(other) if other.shape() == workload.shape() => {}
                Some(_) => bail!(
                    "two different model files give the workload {}: rename one of them, or measure them in two runs",
                    workload.spec()
                ),
            }
        }
        Ok(workloads)
    }
}

/// Which kernels are left out.
#[derive(clap::Args)]
pub(super) struct Skip {
    /// Leave out the kernel of this name, for example one in which the driver hangs; may repeat
    #[arg(long = "skip", value_name = "KERNEL")]
    pub(super) kernels: Vec<String>,
}

impl Skip {
    /// Rejects names that no kernel has.
    pub(super) fn ensure_known(&self) -> Result<()> {
        let of_gpus = kernels::TABLE.iter().map(|entry| entry.id);
        let known: Vec<&str> = of_gpus.chain(KERNEL_SETS.iter().map(|set| set.id)).collect();
        match self.kernels.iter().find(|kernel| !known.contains(&kernel.as_str())) {
            Some(unknown) => bail!(
                "--skip: there is no kernel {unknown}; rigbench check lists those of this machine"
            ),
            None => Ok(()),
        }
    }

    /// A tuner that leaves these out and verifies the others in a process of their own first.
    pub(super) fn tuner(&self, effort: Effort, retune: bool) -> Tuner {
        let (skipped, program) = (self.kernels.clone(), std::env::current_exe().ok());
        Tuner { skipped, program, ..Tuner::new(effort, retune) }
    }
}

/// Every device of this machine: GPUs, then the CPU.
pub(super) fn found() -> Vec<Device> {
    gpu::enumerate().into_iter().chain([Device::cpu()]).collect()
}

/// Width in columns of the terminal on stdout, or 100 if it is not a terminal, and whether text may be styled.
pub(super) fn terminal() -> (u16, bool) {
    let styled = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let width = comfy_table::Table::new().width().unwrap_or(100);
    (width.clamp(60, 120), styled)
}
