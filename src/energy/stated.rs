//! Power that was not measured: declared by the user, or an interval from idle to maximum power.
//! Utilisation does not narrow the interval: a running kernel says nothing about watts.

use super::{EnergyError, Scope};
use crate::device::Device;
use crate::device::hardware::Cards;
use crate::units::Watts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle and full-load watts per server thread: minimum and maximum of the three clouds in Cloud Carbon Footprint (AWS 0.74 to 3.50,
/// GCP 0.71 to 4.26, Azure 0.78 to 3.76).
const WATTS_PER_THREAD: (f64, f64) = (0.71, 4.26);

/// Power that is stated, not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Stated {
    /// Declared by the user.
    Declared {
        /// Declared power.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// Scope of the power.
        scope: Scope,
    },
    /// An interval between two bounds.
    Modelled {
        /// Lower bound.
        #[serde(rename = "low_watts")]
        low: Watts,
        /// Upper bound.
        #[serde(rename = "high_watts")]
        high: Watts,
        /// Scope of the bounds.
        scope: Scope,
        /// Origin of the bounds, in one sentence.
        basis: String,
    },
}

impl Stated {
    /// The interval that a user gave for a device.
    pub fn between(low: Watts, high: Watts, device: &Device) -> Stated {
        let scope = if device.class.runs_on_cpu() { Scope::Machine } else { Scope::GpuBoard };
        let basis = format!("{low} idle to {high} at most, typed by the user");
        Stated::Modelled { low, high, scope, basis }
    }

    /// The interval of a device, from published board power or from watts per processor thread.
    ///
    /// # Errors
    /// If none is published; the message says what to do.
    pub fn model(device: &Device) -> Result<Stated, EnergyError> {
        if let Some((high, source)) = Cards::published().board_power(&device.name) {
            return Ok(Stated::Modelled {
                low: Watts(0.0),
                high,
                scope: Scope::GpuBoard,
                basis: format!("anything up to its {high} ({source})"),
            });
        }
        if !device.class.runs_on_cpu() {
            return Err(EnergyError(format!(
                "no power interval is known for {}; give --power declared:WATTS or model:idle=WATTS,max=WATTS",
                device.name
            )));
        }
        let threads = sysinfo::System::new().map_or(0, |mut system| {
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            system.cpus().len()
        });
        if threads == 0 {
            return Err("the number of processor threads is unknown".into());
        }
        let (idle, full) = WATTS_PER_THREAD;
        Ok(Stated::Modelled {
            low: Watts(idle * threads as f64),
            high: Watts(full * threads as f64),
            scope: Scope::Machine,
            basis: format!(
                "{idle} to {full} W for each of {threads} threads of a server (Cloud Carbon Footprint, three clouds)"
            ),
        })
    }

    /// Lower and upper bound of the power, which are equal if it is declared.
    pub fn bounds(&self) -> (Watts, Watts) {
        match self {
            Stated::Declared { power, .. } => (*power, *power),
            Stated::Modelled { low, high, .. } => (*low, *high),
        }
    }

    /// Scope of the power.
    pub fn scope(&self) -> Scope {
        let (Stated::Declared { scope, .. } | Stated::Modelled { scope, .. }) = self;
        *scope
    }
}
