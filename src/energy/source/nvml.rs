//! NVIDIA cards, through NVML, the driver's management library.

use super::{CardSensors, Reader, card_ceiling, checked, limit, pci_address, poll, temperature};
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
pub fn find(pci: &str, library: Option<&Path>) -> Result<CardSensors, EnergyError> {
    let (domain, bus, device, function) = pci_address(pci)?;
    // Format of the library.
    let address = format!("{domain:08X}:{bus:02X}:{device:02X}.{function:X}");
    let nvml =
        library.map_or_else(Nvml::init, |path| Nvml::builder().lib_path(path.as_os_str()).init());
    let card = Card { nvml: Arc::new(nvml.map_err(refused)?), address };
    let device = card.device().map_err(refused)?;
    let name = device.name().map_err(refused)?;
    let driver = card.nvml.sys_driver_version().ok().map(|version| format!("NVIDIA {version}"));
    // The larger limit counts: short peaks above a limit lowered by the user are not garbage.
    let limits = [
        device.enforced_power_limit().ok(),
        device.power_management_limit_constraints().ok().map(|limits| limits.max_limit),
    ];
    let ceiling = card_ceiling(limits.into_iter().flatten().map(milliwatts));

    // Whether the card is divided into MIG slices, each a separate device to programs. The sensors are the board's, even if a slice does
    // the work.
    let divided = device.mig_mode().is_ok_and(|mode| mode.current != 0) || name.contains("MIG ");
    let model =
        if divided { format!("{name} (the whole board, all slices)") } else { name.clone() };
    let readings = readings(&device, &name).map_err(|error| unread(error, divided));
    let absence = readings.as_ref().err().cloned();
    let source = |(raw, quantity, accuracy): Reading| {
        let info = SourceInfo {
            kind: MeterKind::Nvml,
            model: model.clone(),
            driver: driver.clone(),
            scope: Scope::GpuBoard,
            quantity,
            update_period: Some(UPDATE),
            poll: poll(UPDATE),
            ceiling,
            accuracy,
        };
        let (card, largest) = (card.clone(), info.largest());
        let read = move || {
            let raw = card.device().and_then(|device| raw(&device)).map_err(refused)?;
            Ok(vec![checked(raw, 1000.0, largest)?])
        };
        Box::new(Reader { info, read }) as Box<dyn EnergySource>
    };
    let sources = readings.into_iter().flatten().map(source).collect();
    Ok(CardSensors { sources, absence, board: Box::new(card) })
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

/// Reads a raw value of a card, in millijoules or milliwatts.
type Raw = fn(&Device) -> Result<f64, NvmlError>;

/// Energy since the driver was loaded; some drivers support only the field value.
const COUNTERS: [Raw; 2] = [
    |device| device.total_energy_consumption().map(|raw| raw as f64),
    |device| field(device, NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION),
];
/// Instantaneous power.
const INSTANT: Raw = |device| field(device, NVML_FI_DEV_POWER_INSTANT);
/// Power averaged over one second.
const AVERAGE: Raw = |device| field(device, NVML_FI_DEV_POWER_AVERAGE);
/// Power whose averaging depends on the card.
const USAGE: Raw = |device| device.power_usage().map(f64::from);

type Reading = (Raw, Quantity, Accuracy);

/// The readings of a card: its counter, instantaneous power, and averaged power, which cannot alias with the load. NVIDIA documents an
/// accuracy only for the power of two old generations. For others, and for the counter, it is assumed.
///
/// # Errors
/// Why it has none, if the driver reports more than a missing feature.
fn readings(device: &Device, name: &str) -> Result<Vec<Reading>, NvmlError> {
    // Some cards return 0 for unsupported readings.
    let is_there = |raw: &Raw| raw(device).is_ok_and(|raw| raw != 0.0);
    let assumed = || Accuracy::assumed("as NVML documents for the power of Fermi and Kepler");
    let power =
        |raw, averaging| is_there(&raw).then(|| (raw, Quantity::Power { averaging }, assumed()));
    // The sensors of these boards sample 25 % of the time (arXiv 2312.02741 measured A100 and H100).
    let samples_part_time = has_word(name, &GA100) || has_word(name, &GH100);
    let duty = if samples_part_time { 0.25 } else { 1.0 };
    let energy = Quantity::Counter { ranges: vec![None], duty };
    let counter = COUNTERS.into_iter().find(is_there).map(|raw| (raw, energy, assumed()));
    let instant = power(INSTANT, Seconds(0.0));
    let usage = || {
        let architecture = device.architecture().ok();
        let is_kepler = matches!(architecture, Some(DeviceArchitecture::Kepler));
        let averaging = usage_averaging(name, architecture);
        // An instantaneous `power_usage` would repeat `INSTANT`.
        let (raw, quantity, mut accuracy) =
            power(USAGE, averaging).filter(|_| instant.is_none() || averaging.0 > 0.0)?;
        if is_kepler {
            accuracy.basis = Basis::Datasheet;
            accuracy.reference = "NVML: within 5 % on Fermi and Kepler".into();
        }
        Some((raw, quantity, accuracy))
    };
    let mean = power(AVERAGE, Seconds(1.0)).or_else(usage);
    let found: Vec<Reading> = [counter, instant, mean].into_iter().flatten().collect();
    let is_unsupported = |error: &NvmlError| {
        use NvmlError::{FailedToLoadSymbol, FunctionNotFound, InvalidArg, NotSupported};
        matches!(error, NotSupported | InvalidArg | FunctionNotFound | FailedToLoadSymbol(_))
    };
    let all = COUNTERS.into_iter().chain([INSTANT, AVERAGE, USAGE]);
    let mut errors = all.filter(|_| found.is_empty()).filter_map(|raw| raw(device).err());
    errors.find(|error| !is_unsupported(error)).map_or(Ok(found), Err)
}

/// Why a card gives no reading at all.
fn unread(error: NvmlError, divided: bool) -> EnergyError {
    match error {
        NvmlError::NoPermission if divided => {
            "NVIDIA's driver refuses the readings of this card (NO_PERMISSION): it is divided by MIG, and joules are \
             the whole board's, which only root outside of a slice's container may read"
                .into()
        }
        NvmlError::NoPermission => {
            "NVIDIA's driver refuses every reading of this card (NO_PERMISSION): run as root or, if the card is a slice \
             of one (MIG, vGPU), outside of its container; a plug with a meter needs neither"
                .into()
        }
        other => refused(other),
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

/// Boards with a GA100.
const GA100: [&str; 5] = ["A100", "A100X", "A800", "A30", "170HX"];
/// Boards with a GH100.
const GH100: [&str; 5] = ["H100", "H200", "H800", "H20", "GH200"];

/// Whether one of these words is in a card's name.
fn has_word(name: &str, words: &[&str]) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
}

/// Averaging time of `power_usage`: one second since Ampere, except on the GA100 (NVML documentation). An unknown card is treated as a
/// new one.
fn usage_averaging(name: &str, architecture: Option<DeviceArchitecture>) -> Seconds {
    use DeviceArchitecture as A;
    match architecture {
        Some(A::Kepler | A::Maxwell | A::Pascal | A::Volta | A::Turing) => Seconds(0.0),
        _ if has_word(name, &GA100) => Seconds(0.0),
        _ => Seconds(1.0),
    }
}

impl Board for Card {
    fn state(&mut self) -> BoardState {
        let Ok(device) = self.device() else { return BoardState::default() };
        let celsius = device.temperature(TemperatureSensor::Gpu);
        let hertz = |clock| device.clock_info(clock).ok().map(|mega| f64::from(mega) * 1e6);
        BoardState {
            celsius: celsius.ok().and_then(|celsius| temperature(f64::from(celsius))),
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
    .filter_map(|(bits, throttle)| reasons.intersects(bits).then_some(throttle))
    .collect()
}

/// Why the driver does not answer. The loader's own messages contain paths and are not passed on.
fn refused(error: NvmlError) -> EnergyError {
    match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
            "no NVIDIA driver library (libnvidia-ml) is here: install NVIDIA's own driver, or start \
             the container with the host's"
                .into()
        }
        NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound => {
            "NVIDIA's driver is too old to be asked for energy: update it".into()
        }
        NvmlError::DriverNotLoaded => {
            "NVIDIA's driver is installed but not loaded: run `sudo modprobe nvidia` or restart".into()
        }
        NvmlError::LibRmVersionMismatch => {
            "NVIDIA's driver was updated while it ran: restart the machine".into()
        }
        NvmlError::NoPermission => {
            "this user may not talk to NVIDIA's driver: allow it to use the card's device files".into()
        }
        NvmlError::NotFound | NvmlError::InvalidArg => {
            "NVIDIA's driver does not know this card: it is another maker's, or bound to another driver".into()
        }
        NvmlError::GpuLost | NvmlError::ResetRequired => {
            "the card no longer answers its driver: restart the machine and check its power cables".into()
        }
        other => {
            format!("NVIDIA's driver does not tell: {other}; run nvidia-smi to see whether it works").into()
        }
    }
}
