//! Power that nobody measured, as an interval from idle to the most that is possible. Utilisation does not narrow
//! it: that some kernel ran says nothing of its watts.

use super::{EnergyError, EnergySource, Reading, Scope, SourceInfo};
use crate::device::Device;
use crate::units::Watts;

/// Watts a thread of a server at idle and at full load: the lowest and the highest of the three clouds that Cloud
/// Carbon Footprint publishes (AWS 0.74 to 3.50, GCP 0.71 to 4.26, Azure 0.78 to 3.76).
const WATTS_PER_THREAD: (f64, f64) = (0.71, 4.26);

/// An interval of power.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    low: Watts,
    high: Watts,
    scope: Scope,
    basis: String,
}

impl Model {
    /// The interval that a user gave.
    pub fn between(low: Watts, high: Watts, scope: Scope) -> Model {
        Model {
            low,
            high,
            scope,
            basis: format!("{low} idle to {high} at most, typed by the user"),
        }
    }

    /// The interval of the device's class, if one is published.
    ///
    /// # Errors
    /// If none is; says what to do.
    pub fn of_class(device: &Device) -> Result<Model, EnergyError> {
        if !device.class.runs_on_cpu() {
            return Err(EnergyError(format!(
                "no power interval is known for {}; give --power declared:WATTS or model:idle=WATTS,max=WATTS",
                device.name
            )));
        }
        let threads = sysinfo::System::new()
            .map(|mut system| {
                system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
                system.cpus().len()
            })
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| EnergyError("the number of processor threads is unknown".into()))?;
        let (idle, full) = WATTS_PER_THREAD;
        Ok(Model {
            low: Watts(idle * threads as f64),
            high: Watts(full * threads as f64),
            scope: Scope::Machine,
            basis: format!(
                "{idle} to {full} W for each of {threads} threads of a server (Cloud Carbon Footprint, three clouds)"
            ),
        })
    }
}

impl EnergySource for Model {
    fn describe(&self) -> SourceInfo {
        SourceInfo { kind: "model", scope: self.scope, basis: self.basis.clone() }
    }

    fn read(&mut self) -> Result<Reading, EnergyError> {
        Ok(Reading::Bounds { low: self.low, high: self.high })
    }
}
