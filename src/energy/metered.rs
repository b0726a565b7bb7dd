//! What a user's meter is attached to: a scope and a device. A card's power never counts as the processor's, or the reverse.

use super::{EnergyError, Scope};
use crate::device::{Class, Device, DeviceId};
use std::fmt;

/// `SCOPE[@DEVICE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Scope of the readings.
    pub scope: Scope,
    /// Device that they cover; `None` for every chosen device that has the scope.
    pub device: Option<DeviceId>,
}

impl Metered {
    /// A meter at the wall plug, for every device.
    pub const WALL: Metered = Metered { scope: Scope::Wall, device: None };

    /// Whether a device is covered. Call [`Metered::devices`] first: without a device name, several cards may match.
    pub fn covers(&self, device: &Device) -> bool {
        has(device, self.scope) && self.device.as_ref().is_none_or(|id| device.is(id))
    }

    /// The chosen devices that are covered.
    ///
    /// # Errors
    /// If there are none, or if the scope is one card's and several are chosen. `spell` writes a corrected spec for the message.
    pub fn devices(
        &self,
        chosen: &[Device],
        spell: &dyn Fn(&Metered) -> String,
    ) -> Result<Vec<DeviceId>, EnergyError> {
        let covered: Vec<&Device> = chosen.iter().filter(|device| self.covers(device)).collect();
        let list = |devices: &mut dyn Iterator<Item = &Device>| {
            devices.map(|device| device.id.to_string()).collect::<Vec<_>>().join(", ")
        };
        match covered[..] {
            [] => Err(EnergyError(format!(
                "no chosen device has the energy of {self}: chosen are {}; name another scope or choose the device by --device",
                list(&mut chosen.iter())
            ))),
            [first, _, ..] if self.scope == Scope::GpuBoard && self.device.is_none() => {
                let named = Metered { device: Some(first.id.clone()), ..self.clone() };
                Err(EnergyError(format!(
                    "gpu-board is one card, and {} are chosen: name the card, as in {}",
                    list(&mut covered.iter().copied()),
                    spell(&named)
                )))
            }
            _ => Ok(covered.iter().map(|device| device.id.clone()).collect()),
        }
    }
}

/// Whether a device uses energy within a scope. An integrated GPU is part of the processor package and uses main memory; a software
/// adapter runs on the processor.
fn has(device: &Device, scope: Scope) -> bool {
    match scope {
        Scope::GpuBoard => !device.class.runs_on_cpu(),
        Scope::CpuPackage | Scope::Dram => {
            device.class.runs_on_cpu() || device.class == Class::IntegratedGpu
        }
        Scope::Machine | Scope::Wall => true,
    }
}

impl fmt::Display for Metered {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.scope.name())?;
        self.device.iter().try_for_each(|device| write!(f, "@{device}"))
    }
}
