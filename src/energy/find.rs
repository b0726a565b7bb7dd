//! Finds the energy sources: those that the user names, or the best ones of the machine itself.

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
    /// Built-in sources of the machine that cover it.
    pub sources: Vec<SourceInfo>,
    /// Reason for a missing source; null if there is a source.
    pub no_source_reason: Option<String>,
}

/// A source bound to the devices that it covers.
pub struct SourceBinding {
    /// The source.
    pub source: Box<dyn EnergySource>,
    /// Devices whose energy it includes.
    pub devices: Vec<DeviceId>,
}

/// Root of sysfs; `RIGBENCH_SYSFS` replaces it in tests.
fn sysfs() -> PathBuf {
    std::env::var_os("RIGBENCH_SYSFS").map_or_else(|| PathBuf::from("/sys"), PathBuf::from)
}

/// Opens the sources that the specs name, each once. Specs that only state a power open nothing.
///
/// # Errors
/// If a source cannot be read, covers no chosen device, or is ambiguous; the message says in one line what to do.
pub fn open(specs: &[PowerSpec], devices: &[Device]) -> Result<Vec<SourceBinding>, EnergyError> {
    let all_devices = || devices.iter().map(|device| device.id.clone()).collect::<Vec<_>>();
    let mut placed = Vec::new();
    for spec in specs {
        let (sources, devices) = match spec {
            PowerSpec::Nvml | PowerSpec::Hwmon | PowerSpec::Rapl => {
                let found = sources_of_kind(spec, devices)?;
                placed.extend(found);
                continue;
            }
            PowerSpec::Shelly(url) => (shelly::find(url)?, all_devices()),
            PowerSpec::Tasmota(url) => (tasmota::find(url)?, all_devices()),
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
        placed.extend(
            sources.into_iter().map(|source| SourceBinding { source, devices: devices.clone() }),
        );
    }
    Ok(placed)
}

/// The machine's built-in sources for these devices, and why a device has none.
pub fn find(devices: &[Device]) -> (Vec<SourceBinding>, Vec<(DeviceId, EnergyError)>) {
    let (mut placed, mut absent) = (Vec::new(), Vec::new());
    for device in devices.iter().filter(|device| !device.class.runs_on_cpu()) {
        match card_sources(device) {
            Ok(found) => placed.extend(found),
            Err(error) => absent.push((device.id.clone(), error)),
        }
    }
    let on_cpu = on_cpu(devices);
    if !on_cpu.is_empty() {
        match rapl::find(&sysfs()) {
            Ok(found) => placed.extend(bind(found, &on_cpu)),
            Err(error) => absent.extend(on_cpu.into_iter().map(|id| (id, error.clone()))),
        }
    }
    (placed, absent)
}

/// The sensors of a device's board (clocks, temperature, throttling), through NVML or hwmon.
pub fn board(device: &Device) -> Option<Box<dyn Board>> {
    let pci = device.gpu.as_ref()?.pci.as_deref()?;
    match nvml::find(pci, None) {
        Ok(found) => Some(found.board),
        Err(_) => hwmon::find(&sysfs(), pci).map(|found| found.board).ok(),
    }
}

/// A card's own sensors, through NVML or else hwmon.
fn card_sources(device: &Device) -> Result<Vec<SourceBinding>, EnergyError> {
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

/// The sources of a card; an error if it has none.
fn sensors(found: Found, device: &Device) -> Result<Vec<SourceBinding>, EnergyError> {
    if found.sources.is_empty() {
        return Err(found.absence.unwrap_or_else(|| {
            EnergyError(format!(
                "{} has no sensor of power or energy; a plug with a meter has",
                device.name
            ))
        }));
    }
    Ok(bind(found.sources, std::slice::from_ref(&device.id)))
}

/// NVIDIA's PCI vendor ID.
const NVIDIA: u32 = 0x10de;

fn address(device: &Device) -> Result<&str, EnergyError> {
    device.gpu.as_ref().and_then(|gpu| gpu.pci.as_deref()).ok_or_else(|| {
        EnergyError(format!(
            "the driver does not tell the PCI address of {}, by which its sensors are found",
            device.id
        ))
    })
}

/// The sources of the kind that a user named, for all devices that have it.
fn sources_of_kind(
    spec: &PowerSpec,
    devices: &[Device],
) -> Result<Vec<SourceBinding>, EnergyError> {
    if *spec == PowerSpec::Rapl {
        let on_cpu = on_cpu(devices);
        if on_cpu.is_empty() {
            return Err(EnergyError(
                "rapl counts the processor's joules, and no chosen device is one".into(),
            ));
        }
        return Ok(bind(rapl::find(&sysfs())?, &on_cpu));
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

fn bind(sources: Vec<Box<dyn EnergySource>>, devices: &[DeviceId]) -> Vec<SourceBinding> {
    sources.into_iter().map(|source| SourceBinding { source, devices: devices.to_vec() }).collect()
}
