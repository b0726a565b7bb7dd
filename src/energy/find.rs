//! Which sources there are: those that a user names, or the best that the machine has.

use super::source::{Found, command::Command, hwmon, nvml, rapl, shelly, tasmota};
use super::{Board, EnergyError, EnergySource, Metered, PowerSpec, SourceInfo};
use crate::device::{Device, DeviceId};
use serde::Serialize;
use std::path::PathBuf;

/// A device as `rigbench devices` lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listing {
    /// The device.
    #[serde(flatten)]
    pub device: Device,
    /// What the machine can read of its joules by itself.
    pub sources: Vec<SourceInfo>,
    /// Why there is none; null if there is one.
    pub no_source_reason: Option<String>,
}

/// A source and the devices whose work it covers.
pub struct Placed {
    /// What to read.
    pub source: Box<dyn EnergySource>,
    /// Whose work it covers.
    pub devices: Vec<DeviceId>,
}

/// Where the kernel shows its sensors; `RIGBENCH_SYSFS` puts another tree in its place, for tests.
fn sysfs() -> PathBuf {
    std::env::var_os("RIGBENCH_SYSFS").map_or_else(|| PathBuf::from("/sys"), PathBuf::from)
}

/// Opens what the specs name, each read once. Specs that only state a figure open nothing.
///
/// # Errors
/// If one of them cannot be read, or is of no chosen device or of several; says in one line what to do.
pub fn open(specs: &[PowerSpec], devices: &[Device]) -> Result<Vec<Placed>, EnergyError> {
    let everywhere = || devices.iter().map(|device| device.id.clone()).collect::<Vec<_>>();
    let mut placed = Vec::new();
    for spec in specs {
        let (sources, devices) = match spec {
            PowerSpec::Nvml | PowerSpec::Hwmon | PowerSpec::Rapl => {
                let found = of_kind(spec, devices)?;
                placed.extend(found);
                continue;
            }
            PowerSpec::Shelly(url) => (shelly::find(url)?, everywhere()),
            PowerSpec::Tasmota(url) => (tasmota::find(url)?, everywhere()),
            PowerSpec::Command { line, metered } => {
                let spell = |metered: &Metered| format!("command@{metered}:CMD");
                let covered = metered.devices(devices, &spell)?;
                let command = Command::start(line, metered.scope)?;
                (vec![Box::new(command) as Box<dyn EnergySource>], covered)
            }
            PowerSpec::Declared { metered, .. } => {
                metered.devices(devices, &|metered| format!("declared:WATTS@{metered}"))?;
                continue;
            }
            PowerSpec::Model(_) | PowerSpec::None => continue,
        };
        placed
            .extend(sources.into_iter().map(|source| Placed { source, devices: devices.clone() }));
    }
    Ok(placed)
}

/// What the machine itself can read of these devices, and for each device that it cannot, why.
pub fn find(devices: &[Device]) -> (Vec<Placed>, Vec<(DeviceId, EnergyError)>) {
    let (mut placed, mut absent) = (Vec::new(), Vec::new());
    for device in devices.iter().filter(|device| !device.class.runs_on_cpu()) {
        match of_card(device) {
            Ok(found) => placed.extend(found),
            Err(error) => absent.push((device.id.clone(), error)),
        }
    }
    let on_cpu = on_cpu(devices);
    if !on_cpu.is_empty() {
        match rapl::find(&sysfs()) {
            Ok(found) => placed.extend(place(found, &on_cpu)),
            Err(error) => absent.extend(on_cpu.into_iter().map(|id| (id, error.clone()))),
        }
    }
    (placed, absent)
}

/// The state of the board that a device is, where something tells it.
pub fn board(device: &Device) -> Option<Box<dyn Board>> {
    let pci = device.gpu.as_ref()?.pci.as_deref()?;
    match nvml::find(pci, None) {
        Ok(found) => Some(found.board),
        Err(_) => hwmon::find(&sysfs(), pci).map(|found| found.board).ok(),
    }
}

/// A card's own sensors: NVIDIA's driver, else the kernel's.
fn of_card(device: &Device) -> Result<Vec<Placed>, EnergyError> {
    let pci = address(device)?;
    let found = match nvml::find(pci, None) {
        Ok(found) => found,
        Err(no_nvml) => hwmon::find(&sysfs(), pci).map_err(|no_hwmon| {
            let nvidia = device.gpu.as_ref().is_some_and(|gpu| gpu.vendor == NVIDIA);
            if nvidia { no_nvml } else { no_hwmon }
        })?,
    };
    sensors(found, device)
}

/// What was found of a card, which is something.
fn sensors(found: Found, device: &Device) -> Result<Vec<Placed>, EnergyError> {
    if found.sources.is_empty() {
        return Err(found.absence.unwrap_or_else(|| {
            EnergyError(format!(
                "{} has no sensor of power or energy; a plug with a meter has",
                device.name
            ))
        }));
    }
    Ok(place(found.sources, std::slice::from_ref(&device.id)))
}

/// NVIDIA's PCI vendor number.
const NVIDIA: u32 = 0x10de;

fn address(device: &Device) -> Result<&str, EnergyError> {
    device.gpu.as_ref().and_then(|gpu| gpu.pci.as_deref()).ok_or_else(|| {
        EnergyError(format!(
            "the driver does not tell the PCI address of {}, by which its sensors are found",
            device.id
        ))
    })
}

/// The sources of a kind that a user named, for all devices that have it.
fn of_kind(spec: &PowerSpec, devices: &[Device]) -> Result<Vec<Placed>, EnergyError> {
    if *spec == PowerSpec::Rapl {
        let on_cpu = on_cpu(devices);
        if on_cpu.is_empty() {
            return Err(EnergyError(
                "rapl counts the processor's joules, and no chosen device is one".into(),
            ));
        }
        return Ok(place(rapl::find(&sysfs())?, &on_cpu));
    }
    let (mut placed, mut absence) = (Vec::new(), None);
    for device in devices.iter().filter(|device| !device.class.runs_on_cpu()) {
        let pci = address(device)?;
        let found = match spec {
            PowerSpec::Nvml => nvml::find(pci, None)?,
            _ => hwmon::find(&sysfs(), pci)?,
        };
        match sensors(found, device) {
            Ok(found) => placed.extend(found),
            Err(why) => _ = absence.get_or_insert(why),
        }
    }
    match placed.is_empty() {
        true => Err(absence.unwrap_or_else(|| {
            EnergyError("no chosen device is a graphics card with sensors of its own".into())
        })),
        false => Ok(placed),
    }
}

fn on_cpu(devices: &[Device]) -> Vec<DeviceId> {
    devices.iter().filter(|d| d.class.runs_on_cpu()).map(|d| d.id.clone()).collect()
}

fn place(sources: Vec<Box<dyn EnergySource>>, devices: &[DeviceId]) -> Vec<Placed> {
    sources.into_iter().map(|source| Placed { source, devices: devices.to_vec() }).collect()
}
