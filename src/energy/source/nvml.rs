//! NVIDIA cards, through NVML, the driver's management library.

use super::{ASSUMED_SHARE, Found, PciAddress, card_ceiling, joules, limit, poll, watts};
use crate::energy::{
    Accuracy, Basis, Board, BoardState, EnergyError, EnergySource, MeterKind, Quantity, Scope,
    SourceInfo, Throttle,
};
use crate::units::{Seconds, Watts};
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::{DeviceArchitecture, SampleValue};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::{
    NVML_FI_DEV_POWER_AVERAGE, NVML_FI_DEV_POWER_INSTANT, NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION,
};
use nvml_wrapper::{Device, Nvml};
use std::path::Path;
use std::sync::Arc;

/// Update period of the driver's readings.
const UPDATE: Seconds = Seconds(0.1);

/// The card at this PCI address. A test may name a library; the default is the system's.
///
/// # Errors
/// If there is no library or no such card, or if the driver does not answer.
pub fn find(pci: &str, library: Option<&Path>) -> Result<Found, EnergyError> {
    let PciAddress { domain, bus, device, function } = PciAddress::parse(pci)?;
    // Format of the library.
    let address = format!("{domain:08X}:{bus:02X}:{device:02X}.{function:X}");
    let card = Card { nvml: Arc::new(open(library).map_err(refused)?), address };
    let device = card.device().map_err(refused)?;
    let name = device.name().map_err(refused)?;
    let driver = card.nvml.sys_driver_version().ok().map(|version| format!("NVIDIA {version}"));
    // The larger limit counts: short peaks above a limit lowered by the user are not garbage.
    let limits = [
        device.enforced_power_limit().ok(),
        device.power_management_limit_constraints().ok().map(|limits| limits.max_limit),
    ];
    let ceiling = card_ceiling(limits.into_iter().flatten().map(milliwatts));

    let (readings, absence) = match readings(&device) {
        Ok(readings) => (readings, None),
        Err(error) => (Vec::new(), Some(unread(error, is_divided(&device, &name)))),
    };
    // The sensors are the board's, even if a MIG slice does the work.
    let model = match is_divided(&device, &name) {
        true => format!("{name} (the whole board, all slices)"),
        false => name.clone(),
    };
    let sources = readings.into_iter().map(|reading| {
        let info = SourceInfo {
            kind: MeterKind::Nvml,
            model: model.clone(),
            driver: driver.clone(),
            scope: Scope::GpuBoard,
            quantity: reading.quantity(&name, device.architecture().ok()),
            update_period: Some(UPDATE),
            poll: poll(UPDATE),
            ceiling,
            accuracy: reading.accuracy(device.architecture().ok()),
        };
        Box::new(Source { card: card.clone(), reading, info }) as Box<dyn EnergySource>
    });
    let sources = sources.collect();
    Ok(Found { sources, absence, board: Box::new(card) })
}

fn open(library: Option<&Path>) -> Result<Nvml, NvmlError> {
    match library {
        Some(path) => Nvml::builder().lib_path(path.as_os_str()).init(),
        None => Nvml::init(),
    }
}

/// A card of the library. It is cloned into the threads of sources and board: NVML is thread-safe.
#[derive(Clone)]
struct Card {
    nvml: Arc<Nvml>,
    address: String,
}

impl Card {
    fn device(&self) -> Result<Device<'_>, NvmlError> {
        self.nvml.device_by_pci_bus_id(self.address.as_str())
    }
}

/// The readings of a card: its counter, instantaneous power, and averaged power, which cannot alias with the load.
///
/// # Errors
/// Why it has none, if the driver reports more than a missing feature.
fn readings(device: &Device) -> Result<Vec<Reading>, NvmlError> {
    let first = |kinds: &[Reading]| kinds.iter().copied().find(|reading| reading.is_there(device));
    let counter = first(&[Reading::Counter, Reading::CounterField]);
    let instant = first(&[Reading::Instant]);
    // An instantaneous `power_usage` would repeat `Instant`.
    let usage_is_mean = || {
        let name = device.name().unwrap_or_default();
        averaging(&name, device.architecture().ok()) > Seconds(0.0)
    };
    let mean = first(&[Reading::Average])
        .or_else(|| first(&[Reading::Usage]).filter(|_| instant.is_none() || usage_is_mean()));
    let found: Vec<Reading> = [counter, instant, mean].into_iter().flatten().collect();
    if found.is_empty() {
        let unsupported = |error: &NvmlError| {
            use NvmlError as E;
            matches!(
                error,
                E::NotSupported | E::InvalidArg | E::FunctionNotFound | E::FailedToLoadSymbol(_)
            )
        };
        let mut errors =
            Reading::ALL.iter().filter_map(|reading| reading.milli_units(device).err());
        if let Some(error) = errors.find(|error| !unsupported(error)) {
            return Err(error);
        }
    }
    Ok(found)
}

/// Whether the card is divided into MIG slices, each a separate device to programs.
fn is_divided(device: &Device, name: &str) -> bool {
    device.mig_mode().is_ok_and(|mode| mode.current != 0) || name.contains("MIG ")
}

/// Why a card gives no reading at all.
fn unread(error: NvmlError, is_divided: bool) -> EnergyError {
    match error {
        NvmlError::NoPermission if is_divided => EnergyError(
            "NVIDIA's driver refuses the readings of this card (NO_PERMISSION): it is divided by MIG, and joules are \
             the whole board's, which only root outside of a slice's container may read"
                .into(),
        ),
        NvmlError::NoPermission => EnergyError(
            "NVIDIA's driver refuses every reading of this card (NO_PERMISSION): run as root or, if the card is a slice \
             of one (MIG, vGPU), outside of its container; a plug with a meter needs neither"
                .into(),
        ),
        other => refused(other),
    }
}

/// A reading that a card may have.
#[derive(Clone, Copy)]
enum Reading {
    /// Energy since the driver was loaded.
    Counter,
    /// The same as a field value, which some drivers support instead.
    CounterField,
    /// Instantaneous power.
    Instant,
    /// Power averaged over one second.
    Average,
    /// `power_usage`, whose averaging depends on the card.
    Usage,
}

impl Reading {
    const ALL: [Reading; 5] = [
        Reading::Counter,
        Reading::CounterField,
        Reading::Instant,
        Reading::Average,
        Reading::Usage,
    ];

    /// The raw value, in millijoules or milliwatts.
    fn milli_units(self, device: &Device) -> Result<f64, NvmlError> {
        match self {
            Reading::Counter => device.total_energy_consumption().map(|raw| raw as f64),
            Reading::CounterField => field(device, NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION),
            Reading::Instant => field(device, NVML_FI_DEV_POWER_INSTANT),
            Reading::Average => field(device, NVML_FI_DEV_POWER_AVERAGE),
            Reading::Usage => device.power_usage().map(f64::from),
        }
    }

    /// Whether the card supports it. Some cards return 0 for unsupported readings.
    fn is_there(self, device: &Device) -> bool {
        self.milli_units(device).is_ok_and(|raw| raw != 0.0)
    }

    fn quantity(self, name: &str, architecture: Option<DeviceArchitecture>) -> Quantity {
        match self {
            Reading::Counter | Reading::CounterField => Quantity::Counter {
                ranges: vec![None],
                duty: if samples_part_time(name) { 0.25 } else { 1.0 },
            },
            Reading::Instant => Quantity::Power { averaging: Seconds(0.0) },
            // As documented by NVML.
            Reading::Average => Quantity::Power { averaging: Seconds(1.0) },
            Reading::Usage => Quantity::Power { averaging: averaging(name, architecture) },
        }
    }

    /// NVIDIA documents an accuracy only for the power of two old generations. For others, and for the counter, it is assumed.
    fn accuracy(self, architecture: Option<DeviceArchitecture>) -> Accuracy {
        let (basis, reference) = match (self, architecture) {
            (Reading::Usage, Some(DeviceArchitecture::Kepler)) => {
                (Basis::Datasheet, "NVML: within 5 % on Fermi and Kepler")
            }
            _ => (Basis::Assumed, "as NVML documents for the power of Fermi and Kepler"),
        };
        Accuracy { share: ASSUMED_SHARE, basis, reference: reference.into() }
    }
}

fn field(device: &Device, id: u32) -> Result<f64, NvmlError> {
    let answers = device.field_values_for(&[FieldId(id)])?;
    let answer = answers.into_iter().next().ok_or(NvmlError::NotSupported)??;
    Ok(match answer.value? {
        SampleValue::U32(raw) => f64::from(raw),
        SampleValue::U64(raw) => raw as f64,
        SampleValue::I64(raw) => raw as f64,
        SampleValue::F64(raw) => raw,
    })
}

/// Boards with a GA100 or GH100, whose sensor samples 25 % of the time (arXiv 2312.02741 measured A100 and H100).
fn samples_part_time(name: &str) -> bool {
    const GH100: [&str; 5] = ["H100", "H200", "H800", "H20", "GH200"];
    has_ga100(name) || words(name).any(|word| GH100.contains(&word))
}

fn has_ga100(name: &str) -> bool {
    const GA100: [&str; 5] = ["A100", "A100X", "A800", "A30", "170HX"];
    words(name).any(|word| GA100.contains(&word))
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric())
}

/// Averaging time of `power_usage`: one second since Ampere, except on the GA100 (NVML documentation). An unknown card is treated as a
/// new one.
fn averaging(name: &str, architecture: Option<DeviceArchitecture>) -> Seconds {
    use DeviceArchitecture as A;
    match architecture {
        Some(A::Kepler | A::Maxwell | A::Pascal | A::Volta | A::Turing) => Seconds(0.0),
        _ if has_ga100(name) => Seconds(0.0),
        _ => Seconds(1.0),
    }
}

struct Source {
    card: Card,
    reading: Reading,
    info: SourceInfo,
}

impl EnergySource for Source {
    fn describe(&self) -> SourceInfo {
        self.info.clone()
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        let device = self.card.device().map_err(refused)?;
        let raw = self.reading.milli_units(&device).map_err(refused)?;
        let value = match self.reading {
            Reading::Counter | Reading::CounterField => joules(raw, 1000.0)?,
            Reading::Instant | Reading::Average | Reading::Usage => {
                watts(raw, 1000.0, self.info.ceiling)?
            }
        };
        Ok(vec![value])
    }
}

impl Board for Card {
    fn state(&mut self) -> BoardState {
        let Ok(device) = self.device() else { return BoardState::default() };
        let hertz = |clock| device.clock_info(clock).ok().map(|mega| f64::from(mega) * 1e6);
        BoardState {
            celsius: device
                .temperature(TemperatureSensor::Gpu)
                .ok()
                .and_then(|celsius| super::temperature(f64::from(celsius))),
            core_hertz: hertz(Clock::SM),
            memory_hertz: hertz(Clock::Memory),
            power_limit: device.enforced_power_limit().ok().map(milliwatts).and_then(limit),
            throttle: device.current_throttle_reasons().map(throttles).ok(),
        }
    }
}

fn milliwatts(raw: u32) -> Watts {
    Watts(f64::from(raw) / 1000.0)
}

/// Idle clocks and clocks set by a user are not throttle reasons.
fn throttles(reasons: ThrottleReasons) -> Vec<Throttle> {
    use ThrottleReasons as R;
    [
        (R::SW_POWER_CAP, Throttle::PowerCap),
        (R::SW_THERMAL_SLOWDOWN, Throttle::ThermalSoftware),
        (R::HW_THERMAL_SLOWDOWN, Throttle::ThermalHardware),
        (R::HW_SLOWDOWN, Throttle::HardwareSlowdown),
        (R::HW_POWER_BRAKE_SLOWDOWN, Throttle::PowerBrake),
        (R::SYNC_BOOST | R::DISPLAY_CLOCK_SETTING, Throttle::Other),
    ]
    .into_iter()
    .filter(|(bits, _)| reasons.intersects(*bits))
    .map(|(_, throttle)| throttle)
    .collect()
}

/// Why the driver does not answer. The loader's own messages contain paths and are not passed on.
fn refused(error: NvmlError) -> EnergyError {
    let reason = match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
            "no NVIDIA driver library (libnvidia-ml) is here: install NVIDIA's own driver, or start \
             the container with the host's"
        }
        NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound => {
            "NVIDIA's driver is too old to be asked for energy: update it"
        }
        NvmlError::DriverNotLoaded => {
            "NVIDIA's driver is installed but not loaded: run `sudo modprobe nvidia` or restart"
        }
        NvmlError::LibRmVersionMismatch => {
            "NVIDIA's driver was updated while it ran: restart the machine"
        }
        NvmlError::NoPermission => {
            "this user may not talk to NVIDIA's driver: allow it to use the card's device files"
        }
        NvmlError::NotFound | NvmlError::InvalidArg => {
            "NVIDIA's driver does not know this card: it is another maker's, or bound to another driver"
        }
        NvmlError::GpuLost | NvmlError::ResetRequired => {
            "the card no longer answers its driver: restart the machine and check its power cables"
        }
        other => {
            return EnergyError(format!(
                "NVIDIA's driver does not tell: {other}; run nvidia-smi to see whether it works"
            ));
        }
    };
    EnergyError(reason.into())
}
