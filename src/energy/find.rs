//! Finds the energy sources: those that the user names, or the best ones of the machine itself.

use super::source::{CardSensors, command::Command, hwmon, nvml, rapl, shelly, tasmota};
use super::spec::PowerSpec;
use super::{Board, EnergyError, EnergySource, MeterKind, SourceInfo};
use crate::device::{Device, DeviceId};
use serde::Serialize;
use std::path::PathBuf;

/// NVIDIA's PCI vendor ID.
const NVIDIA: u32 = 0x10de;

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

/// Opens the sources that the specs name, each once. Specs that only state a power open nothing.
///
/// # Errors
/// If a source cannot be read, covers no chosen device, or is ambiguous; the message says in one line what to do.
pub fn open(specs: &[PowerSpec], devices: &[Device]) -> Result<Vec<SourceBinding>, EnergyError> {
    let mut bindings = Vec::new();
    for spec in specs {
        bindings.extend(match spec {
            PowerSpec::BuiltIn(MeterKind::Rapl) => match on_cpu(devices)[..] {
                [] => Err("rapl counts the processor's joules, and no chosen device is one")?,
                ref on_cpu => bind(rapl::find(&sysfs())?, on_cpu),
            },
            PowerSpec::BuiltIn(kind) => cards_of_kind(*kind, devices)?,
            PowerSpec::Plug(kind, url) => {
                let find = if *kind == MeterKind::Shelly { shelly::find } else { tasmota::find };
                let all: Vec<DeviceId> = devices.iter().map(|device| device.id.clone()).collect();
                bind(find(url)?, &all)
            }
            PowerSpec::Command { line, metered } => {
                let covered = metered.devices(devices, ["command@", ":CMD"])?;
                bind(vec![Box::new(Command::start(line, metered.scope)?)], &covered)
            }
            PowerSpec::Declared { metered, .. } => {
                metered.devices(devices, ["declared:WATTS@", ""])?;
                vec![]
            }
            PowerSpec::Model(_) | PowerSpec::None => vec![],
        });
    }
    Ok(bindings)
}

/// The machine's built-in sources for these devices, and why a device has none.
pub fn find(devices: &[Device]) -> (Vec<SourceBinding>, Vec<(DeviceId, EnergyError)>) {
    let (mut bindings, mut absent) = (Vec::new(), Vec::new());
    for device in cards(devices) {
        let found = pci_address(device).and_then(|pci| {
            nvml::find(pci, None).or_else(|no_nvml| {
                let nvidia = device.gpu.as_ref().is_some_and(|gpu| gpu.vendor == NVIDIA);
                let why = |no_hwmon| if nvidia { no_nvml } else { no_hwmon };
                hwmon::find(&sysfs(), pci).map_err(why)
            })
        });
        match found.and_then(|found| sensors(found, device)) {
            Ok(found) => bindings.extend(found),
            Err(error) => absent.push((device.id.clone(), error)),
        }
    }
    let on_cpu = on_cpu(devices);
    if !on_cpu.is_empty() {
        match rapl::find(&sysfs()) {
            Ok(found) => bindings.extend(bind(found, &on_cpu)),
            Err(error) => absent.extend(on_cpu.into_iter().map(|id| (id, error.clone()))),
        }
    }
    (bindings, absent)
}

/// The sensors of a device's board (clocks, temperature, throttling), through NVML or hwmon.
pub fn board(device: &Device) -> Option<Box<dyn Board>> {
    let pci = pci_address(device).ok()?;
    let found = nvml::find(pci, None).or_else(|_| hwmon::find(&sysfs(), pci));
    found.ok().map(|found| found.board)
}

/// Root of sysfs; `RIGBENCH_SYSFS` replaces it in tests.
fn sysfs() -> PathBuf {
    std::env::var_os("RIGBENCH_SYSFS").map_or_else(|| PathBuf::from("/sys"), PathBuf::from)
}

/// The sources of a card; an error if it has none.
fn sensors(found: CardSensors, device: &Device) -> Result<Vec<SourceBinding>, EnergyError> {
    if found.sources.is_empty() {
        return Err(found.absence.unwrap_or_else(|| {
            let name = &device.name;
            format!("{name} has no sensor of power or energy; a plug with a meter has").into()
        }));
    }
    Ok(bind(found.sources, std::slice::from_ref(&device.id)))
}

fn pci_address(device: &Device) -> Result<&str, EnergyError> {
    device.gpu.as_ref().and_then(|gpu| gpu.pci.as_deref()).ok_or_else(|| {
        let id = &device.id;
        format!("the driver does not tell the PCI address of {id}, by which its sensors are found")
            .into()
    })
}

/// The sources of all cards that have this kind.
fn cards_of_kind(kind: MeterKind, devices: &[Device]) -> Result<Vec<SourceBinding>, EnergyError> {
    let (mut bindings, mut absence) = (Vec::new(), None);
    for device in cards(devices) {
        let pci = pci_address(device)?;
        let found = match kind {
            MeterKind::Nvml => nvml::find(pci, None)?,
            _ => hwmon::find(&sysfs(), pci)?,
        };
        match sensors(found, device) {
            Ok(found) => bindings.extend(found),
            Err(why) => _ = absence.get_or_insert(why),
        }
    }
    let none = || "no chosen device is a graphics card with sensors of its own".into();
    if bindings.is_empty() { Err(absence.unwrap_or_else(none)) } else { Ok(bindings) }
}

fn cards(devices: &[Device]) -> impl Iterator<Item = &Device> {
    devices.iter().filter(|device| !device.class.runs_on_cpu())
}

fn on_cpu(devices: &[Device]) -> Vec<DeviceId> {
    devices.iter().filter(|d| d.class.runs_on_cpu()).map(|d| d.id.clone()).collect()
}

fn bind(sources: Vec<Box<dyn EnergySource>>, devices: &[DeviceId]) -> Vec<SourceBinding> {
    sources.into_iter().map(|source| SourceBinding { source, devices: devices.to_vec() }).collect()
}
