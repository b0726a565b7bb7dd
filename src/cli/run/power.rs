//! The energy sources of a run: meters, and declared or modelled power.

use crate::device::Device;
use crate::energy::{self, PowerSpec, Sampling, Stated};
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
        let placed = match specs.is_empty() {
            true => energy::find(devices).0,
            false => energy::open(&specs, devices)?,
        };
        Ok(Power { specs, sampling: Sampling::with_min_poll_interval(placed, poll) })
    }

    /// Declared or modelled power of a workload on a device, each with whether it was declared for that workload alone. If the
    /// workload has no source at all, the string says why.
    fn stated(&self, device: &Device, workload: Id) -> (Vec<(Stated, bool)>, String) {
        let said = match &self.specs[..] {
            [] if self.sampling.reads(&device.id) => vec![],
            [] => vec![Stated::model(device).map(|stated| (stated, false))],
            specs => specs.iter().filter_map(|s| s.stated(device, workload.name())).collect(),
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

    /// Why a workload has no energy source on a device; `None` if it has one.
    pub(super) fn absence(&self, device: &Device, workload: Id) -> Option<String> {
        let (stated, absence) = self.stated(device, workload);
        (stated.is_empty() && !self.sampling.reads(&device.id)).then_some(absence)
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
                for (stated, specific) in self.stated(device, workload).0 {
                    let workload = specific.then_some(workload);
                    let origin = Origin::Stated(stated);
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
