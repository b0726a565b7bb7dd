//! The energy sources, one file each, and their common parts: PCI addresses, poll intervals, and the rejection of garbage readings.

pub mod command;
mod http;
pub mod hwmon;
pub mod json;
pub mod nvml;
mod plug;
pub mod rapl;
pub mod shelly;
pub mod tasmota;

use crate::energy::{Board, EnergyError, EnergySource, SourceInfo};
use crate::units::{Joules, Seconds, Watts};
use std::io;
use std::path::Path;

/// The sensors of a card.
pub struct CardSensors {
    /// Its energy sources, counters first; empty if it has none.
    pub sources: Vec<Box<dyn EnergySource>>,
    /// Why there is no source, if the driver reports more than a missing sensor.
    pub absence: Option<EnergyError>,
    /// Reads its clocks, temperature and throttle reasons.
    pub board: Box<dyn Board>,
}

/// A source whose readings a function takes.
struct Reader<F> {
    info: SourceInfo,
    read: F,
}

impl<F: FnMut() -> Result<Vec<f64>, EnergyError> + Send> EnergySource for Reader<F> {
    fn describe(&self) -> SourceInfo {
        self.info.clone()
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        (self.read)()
    }
}

/// Assumed maximum power of a card without a known limit.
pub const CARD_CEILING: Watts = Watts(2000.0);
/// Maximum plausible power limit: drivers fill unknown limits with ones.
const MAX_LIMIT: Watts = Watts(10_000.0);

/// Maximum plausible power of a card with these limits: twice the largest, since power briefly overshoots a limit.
pub fn card_ceiling(limits: impl IntoIterator<Item = Watts>) -> Watts {
    let largest = limits.into_iter().filter_map(limit).map(|limit| limit.0).fold(0.0, f64::max);
    if largest > 0.0 { Watts(2.0 * largest) } else { CARD_CEILING }
}

/// A power limit, if it is plausible.
fn limit(watts: Watts) -> Option<Watts> {
    (watts.0 > 0.0 && watts <= MAX_LIMIT).then_some(watts)
}

/// A temperature in degrees Celsius, if it is plausible.
fn temperature(celsius: f64) -> Option<f64> {
    (celsius > 0.0 && celsius < 150.0).then_some(celsius)
}

/// Poll interval for an update period: a quarter of it, within bounds that limit the cost of polling and the delay.
pub fn poll(update: Seconds) -> Seconds {
    Seconds((update.0 / 4.0).clamp(0.02, 1.0))
}

/// Maximum poll interval of a counter, so that no wrap is missed.
pub fn before_wrap(range: Joules, ceiling: Watts) -> Seconds {
    Seconds(range.0 / (4.0 * ceiling.0))
}

/// Values of unset registers: all bits are one.
const ALL_ONES: [f64; 3] = [u16::MAX as f64, u32::MAX as f64, u64::MAX as f64];

/// Fixed-point scales of registers that firmware divides by.
const SCALES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

/// Whether a number is that of an unset 16-, 32- or 64-bit register, also in tenths, hundredths or thousandths: 65535, 6553.5, 655.35,
/// 65.535.
fn is_all_ones(number: f64) -> bool {
    let is_close = |ones: f64| (number - ones).abs() <= 1e-12 * ones;
    ALL_ONES.iter().any(|ones| SCALES.iter().any(|scale| is_close(ones / scale)))
}

/// Converts a sensor's raw value to joules or watts.
///
/// # Errors
/// If it is the value of an unset register, or above the source's maximum.
pub fn checked(raw: f64, per_unit: f64, largest: f64) -> Result<f64, EnergyError> {
    let value = raw / per_unit;
    // The negated comparison also rejects NaN.
    if !(raw > 0.0 && raw.is_finite() && value <= largest) || ALL_ONES.contains(&raw) {
        return Err(garbage(raw));
    }
    Ok(value)
}

fn garbage(raw: f64) -> EnergyError {
    format!("the sensor shows {raw}, which cannot be true: use another energy source").into()
}

/// Parses the PCI address of a card: domain, bus, device, function. `0000:01:00.0`, in any case and with any number of leading zeros.
///
/// # Errors
/// If it is not a PCI address.
pub fn pci_address(text: &str) -> Result<(u32, u8, u8, u8), EnergyError> {
    let parse = || {
        let (domain, rest) = text.split_once(':')?;
        let (bus, rest) = rest.split_once(':')?;
        let (device, function) = rest.split_once('.')?;
        let byte = |digits| u8::from_str_radix(digits, 16).ok();
        Some((u32::from_str_radix(domain, 16).ok()?, byte(bus)?, byte(device)?, byte(function)?))
    };
    parse().ok_or_else(|| {
        "a PCI address is not of the form 0000:01:00.0: correct it or update the driver".into()
    })
}

/// Content of a sysfs file, without the newline.
fn text(file: &Path) -> io::Result<String> {
    Ok(std::fs::read_to_string(file)?.trim().to_string())
}

/// The number in a sysfs file, which is a whole one.
fn number(file: &Path) -> io::Result<f64> {
    let number: u64 = text(file)?.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(number as f64)
}
