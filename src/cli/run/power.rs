//! Where a run's joules come from: what is read, and what is stated.

use crate::device::Device;
use crate::energy::{self, PowerSpec, Sampling, Stated};
use crate::results::wire;
use crate::units::Seconds;
use crate::workload::Workload;
use anyhow::Result;

/// Where joules come from.
pub(super) struct Power {
    specs: Vec<PowerSpec>,
    pub(super) sampling: Sampling,
}

impl Power {
    /// Opens what the user named, or the best that is found, and reads it no more often than every `poll`.
    pub(super) fn open(specs: Vec<PowerSpec>, devices: &[Device], poll: Seconds) -> Result<Power> {
        let placed = match specs.is_empty() {
            true => energy::find(devices).0,
            false => energy::open(&specs, devices)?,
        };
        Ok(Power { specs, sampling: Sampling::no_faster_than(placed, poll) })
    }

    /// What is stated of a workload on a device, and why nothing is known if nothing is.
    pub(super) fn stated(&self, device: &Device, workload: &dyn Workload) -> (Vec<Stated>, String) {
        let said = match &self.specs[..] {
            [] if self.sampling.reads(&device.id) => vec![],
            [] => vec![Stated::model(device)],
            specs => specs.iter().filter_map(|s| s.stated(device, workload.id())).collect(),
        };
        let (mut stated, mut absence) = (Vec::new(), Vec::new());
        for said in said {
            match said {
                Ok(said) => stated.push(said),
                Err(why) => absence.push(why.to_string()),
            }
        }
        if stated.is_empty() && absence.is_empty() && !self.sampling.reads(&device.id) {
            absence.push(format!("no --power covers {}", device.id));
        }
        (stated, absence.join("; "))
    }

    /// What there is for the manifest.
    pub(super) fn sources(
        &self,
        devices: &[Device],
        workloads: &[Box<dyn Workload>],
    ) -> Vec<wire::Source> {
        let mut sources = Vec::new();
        for (info, covered) in self.sampling.sources() {
            sources.extend(covered.iter().map(|device| wire::Source::read(device, info)));
        }
        // What is stated of a workload is stated once, however many rows it has; two meters may well say the same of
        // themselves.
        let mut said = Vec::new();
        for device in devices {
            for workload in workloads {
                for stated in self.stated(device, workload.as_ref()).0 {
                    said.push(wire::Source::stated(&device.id, workload.id(), &stated));
                }
            }
        }
        said.dedup();
        sources.extend(said);
        sources
    }
}
