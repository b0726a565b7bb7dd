//! The energy sources of a run: meters, and declared or modelled power.

use crate::device::Device;
use crate::energy::{self, EnergyError, PowerSpec, Sampling, Stated};
use crate::results::{Origin, Source};
use crate::units::Seconds;
use crate::workload::{Id, Workload};
use anyhow::Result;

/// The energy sources of a run.
pub(super) struct Power {
    specs: Vec<PowerSpec>,
    pub(super) sampling: Sampling,
}

impl Power {
    /// Opens the sources that the user named, else the best ones found. Each is read at most once per `poll`.
    pub(super) fn open(specs: Vec<PowerSpec>, devices: &[Device], poll: Seconds) -> Result<Power> {
        let bindings =
            if specs.is_empty() { energy::find(devices).0 } else { energy::open(&specs, devices)? };
        Ok(Power { specs, sampling: Sampling::start(bindings, poll) })
    }

    /// Declared or modelled power of a workload on a device, each with whether it was declared for that workload alone; or why there is
    /// none.
    fn stated(&self, device: &Device, workload: Id) -> Vec<Result<(Stated, bool), EnergyError>> {
        match &self.specs[..] {
            [] if self.sampling.reads(&device.id) => vec![],
            [] => vec![Stated::model(device).map(|stated| (stated, false))],
            specs => specs.iter().filter_map(|s| s.stated(device, workload.into_str())).collect(),
        }
    }

    /// Why a workload has no energy source on a device; `None` if it has one.
    pub(super) fn absence(&self, device: &Device, workload: Id) -> Option<String> {
        let stated = self.stated(device, workload);
        if self.sampling.reads(&device.id) || stated.iter().any(Result::is_ok) {
            return None;
        }
        if stated.is_empty() {
            return Some(format!("no --power covers {}", device.id));
        }
        let reasons = stated.into_iter().filter_map(Result::err).map(|error| error.to_string());
        Some(reasons.collect::<Vec<_>>().join("; "))
    }

    /// The sources for the manifest: meters in the order in which they are read, then declared and modelled power.
    pub(super) fn sources(
        &self,
        devices: &[Device],
        workloads: &[Box<dyn Workload>],
    ) -> Vec<Source> {
        let mut sources: Vec<Source> = (self.sampling.sources())
            .map(|(info, covered)| Source {
                devices: covered.to_vec(),
                workload: None,
                origin: Origin::Meter(info.clone()),
            })
            .collect();
        for device in devices {
            for workload in workloads.iter().map(|workload| workload.id()) {
                for (stated, specific) in self.stated(device, workload).into_iter().flatten() {
                    let (workload, origin) = (specific.then_some(workload), Origin::Stated(stated));
                    let same = |s: &&mut Source| (s.workload, &s.origin) == (workload, &origin);
                    match sources.iter_mut().find(same) {
                        Some(known) if known.devices.contains(&device.id) => {}
                        Some(known) => known.devices.push(device.id.clone()),
                        None => {
                            let devices = vec![device.id.clone()];
                            sources.push(Source { devices, workload, origin });
                        }
                    }
                }
            }
        }
        sources
    }
}
