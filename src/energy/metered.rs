//! What a meter that a user names is attached to: a scope, and the device that has it. A card's watts never count as the
//! processor's, nor the other way round.

use super::{EnergyError, Scope};
use crate::device::{Class, Device, DeviceId};
use std::fmt;

/// `SCOPE[@DEVICE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// What the meter's figures cover.
    pub scope: Scope,
    /// The device whose work they cover; `None` for every chosen device that has the scope.
    pub device: Option<DeviceId>,
}

impl Metered {
    /// All that hangs on a plug, for every device.
    pub const WALL: Metered = Metered { scope: Scope::Wall, device: None };

    /// Whether a device's work is covered. Call [`Metered::devices`] first: without a device's name it cannot tell which
    /// of several cards is meant.
    pub fn covers(&self, device: &Device) -> bool {
        has(device, self.scope) && self.device.as_ref().is_none_or(|id| device.is(id))
    }

    /// The chosen devices whose work is covered.
    ///
    /// # Errors
    /// If there is none, or the scope is one card's and several are chosen. `spell` writes the spec for an answer that the
    /// user can copy.
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

/// Whether the energy of a scope is spent on a device's work. An integrated GPU is part of the processor's package and
/// uses main memory; a software adapter is a program on the processor.
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
