//! Arguments that several commands share.

use super::say;
use crate::device::{Class, Device, DeviceId};
use crate::gpu;
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
        select(found(), &ids.collect::<Result<Vec<_>>>()?).map_err(|known| {
            let hidden = gpu::hidden();
            if hidden.is_empty() { known } else { anyhow!("{known}; {}", hidden.join("; ")) }
        })
    }
}

/// The requested devices, each once; without a request all, but software adapters only if there is no real GPU. An error lists the known
/// ids.
fn select(found: Vec<Device>, wanted: &[DeviceId]) -> Result<Vec<Device>> {
    let mut chosen: Vec<Device> = Vec::new();
    for id in wanted {
        let Some(device) = found.iter().find(|device| device.is(id)) else {
            let known: Vec<_> = found.iter().map(|d| format!("{} ({})", d.id, d.name)).collect();
            bail!("there is no device {id} here; known: {}", known.join(", "));
        };
        if !chosen.contains(device) {
            chosen.push(device.clone());
        }
    }
    if wanted.is_empty() {
        let real_gpu = found.iter().any(|device| !device.class.runs_on_cpu());
        chosen = found;
        chosen.retain(|device| !(real_gpu && device.class == Class::SoftwareGpu));
    }
    Ok(chosen)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Gpu;

    fn gpu(number: u32, class: Class, pci: Option<&str>) -> Device {
        let (id, name) = (DeviceId::Gpu(number), format!("card {number}"));
        let gpu = Some(Gpu { pci: pci.map(str::to_string), ..Gpu::default() });
        Device { id, name, class, gpu, ..Device::cpu() }
    }

    fn ids(devices: &[Device]) -> Vec<String> {
        devices.iter().map(|d| d.id.to_string()).collect()
    }

    #[test]
    fn software_is_left_out_only_beside_a_real_gpu() {
        let (software, card) =
            (gpu(0, Class::SoftwareGpu, None), gpu(1, Class::DiscreteGpu, Some("0000:01:00.0")));
        let both = select(vec![software.clone(), card.clone(), Device::cpu()], &[]).unwrap();
        assert_eq!(ids(&both), ["gpu:1", "cpu"]);
        let alone = select(vec![software.clone(), Device::cpu()], &[]).unwrap();
        assert_eq!(ids(&alone), ["gpu:0", "cpu"]);
        let named = select(vec![software, card], &[DeviceId::Gpu(0)]).unwrap();
        assert_eq!(ids(&named), ["gpu:0"]);
    }

    #[test]
    fn duplicate_ids_are_merged_and_an_unknown_id_lists_the_known() {
        let card = gpu(0, Class::DiscreteGpu, Some("0000:01:00.0"));
        let twice = ["gpu:0", "gpu:pci-0000:01:00.0"].map(|t| t.parse().unwrap());
        assert_eq!(ids(&select(vec![card.clone()], &twice).unwrap()), ["gpu:0"]);
        let error = select(vec![card, Device::cpu()], &[DeviceId::Gpu(7)]).unwrap_err().to_string();
        assert!(error.contains("gpu:7") && error.contains("gpu:0 (card 0)"), "{error}");
        assert!(error.contains("cpu ("), "{error}");
    }
}
