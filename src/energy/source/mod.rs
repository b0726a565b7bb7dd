//! The sources, one file each, and what they share: how a card is named, how often to read, and which readings are
//! garbage.

pub mod command;
mod http;
pub mod hwmon;
mod json;
pub mod nvml;
mod plug;
pub mod rapl;
pub mod shelly;
pub mod tasmota;

use crate::energy::{Board, EnergyError, EnergySource};
use crate::units::{Joules, Seconds, Watts};
use std::io;
use std::path::Path;

/// What is known of a card.
pub struct Found {
    /// What can be read of it, a counter first; empty if it has nothing of the kind.
    pub sources: Vec<Box<dyn EnergySource>>,
    /// Why nothing can be read, where the driver says more than that there is no sensor.
    pub absence: Option<EnergyError>,
    /// What tells its state.
    pub board: Box<dyn Board>,
}

/// The share by which figures of meters that nobody has tested may be off.
const ASSUMED_SHARE: f64 = 0.05;

/// What a card is taken to draw at most if it does not tell its limit.
const CARD_CEILING: Watts = Watts(2000.0);
/// A limit above this is no limit of a card: drivers fill what they do not know with ones.
const LARGEST_LIMIT: Watts = Watts(10_000.0);

/// What a card with these limits cannot draw. Twice the largest of them, since power overshoots a limit for moments.
fn card_ceiling(limits: impl IntoIterator<Item = Watts>) -> Watts {
    let largest = limits.into_iter().filter_map(limit).map(|limit| limit.0).fold(0.0, f64::max);
    if largest > 0.0 { Watts(2.0 * largest) } else { CARD_CEILING }
}

/// A power limit, unless it is none.
fn limit(watts: Watts) -> Option<Watts> {
    (watts.0 > 0.0 && watts <= LARGEST_LIMIT).then_some(watts)
}

/// A temperature in degrees Celsius, unless no chip has it.
fn temperature(celsius: f64) -> Option<f64> {
    (celsius > 0.0 && celsius < 150.0).then_some(celsius)
}

/// How often to read a source whose value changes so often: four times as often, within what costs little and misses
/// little.
fn poll(update: Seconds) -> Seconds {
    Seconds((update.0 / 4.0).clamp(0.02, 1.0))
}

/// How often to read a counter at least, so that no wrap is missed.
fn before_wrap(range: Joules, ceiling: Watts) -> Seconds {
    Seconds(range.0 / (4.0 * ceiling.0))
}

/// Numbers that registers without content show.
const ALL_ONES: [f64; 3] = [u16::MAX as f64, u32::MAX as f64, u64::MAX as f64];

/// Parts of a watt or another unit that registers count, and that firmware divides by.
const SCALES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

/// Whether a number is what a register of 16, 32 or 64 bits without content shows, as it is or in tenths, hundredths or
/// thousandths: 65535, 6553.5, 655.35, 65.535.
fn is_all_ones(number: f64) -> bool {
    let near = |ones: f64| (number - ones).abs() <= 1e-12 * ones;
    ALL_ONES.iter().any(|ones| SCALES.iter().any(|scale| near(ones / scale)))
}

/// A counter's number as joules.
///
/// # Errors
/// If it is what a counter without content shows.
fn joules(raw: f64, per_joule: f64) -> Result<f64, EnergyError> {
    if !raw.is_finite() || raw <= 0.0 || ALL_ONES.contains(&raw) {
        return Err(garbage(raw));
    }
    Ok(raw / per_joule)
}

/// A meter's number as watts.
///
/// # Errors
/// If it is what a meter without content shows, or more than can be drawn.
fn watts(raw: f64, per_watt: f64, ceiling: Watts) -> Result<f64, EnergyError> {
    let watts = raw / per_watt;
    // Written so that what is not a number fails too.
    if !(raw > 0.0 && watts <= ceiling.0) || ALL_ONES.contains(&raw) {
        return Err(garbage(raw));
    }
    Ok(watts)
}

fn garbage(raw: f64) -> EnergyError {
    EnergyError(format!("the sensor shows {raw}, which cannot be true: use another energy source"))
}

/// Where a card sits on the PCI bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl PciAddress {
    /// Reads `0000:01:00.0`, whatever the letters' case and the number of zeros in front.
    ///
    /// # Errors
    /// If it is no such address.
    fn parse(text: &str) -> Result<PciAddress, EnergyError> {
        let parse = || {
            let (domain, rest) = text.split_once(':')?;
            let (bus, rest) = rest.split_once(':')?;
            let (device, function) = rest.split_once('.')?;
            let byte = |digits| u8::from_str_radix(digits, 16).ok();
            Some(PciAddress {
                domain: u32::from_str_radix(domain, 16).ok()?,
                bus: byte(bus)?,
                device: byte(device)?,
                function: byte(function)?,
            })
        };
        parse().ok_or_else(|| {
            EnergyError(
                "a PCI address is not of the form 0000:01:00.0: correct it or update the driver"
                    .into(),
            )
        })
    }
}

/// What a file of the kernel says, without the line's end.
fn text(file: &Path) -> io::Result<String> {
    Ok(std::fs::read_to_string(file)?.trim().to_string())
}

/// The number that a file of the kernel says.
fn number(file: &Path) -> io::Result<u64> {
    text(file)?.parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let adapter = PciAddress::parse("0000:0a:00.1").unwrap();
        assert_eq!(PciAddress::parse("00000000:0A:00.1").unwrap(), adapter);
        assert_ne!(PciAddress::parse("0001:0a:00.1").unwrap(), adapter);
        for nonsense in ["", "0a:00.1", "0000:0a:00", "0000:0a:../x.0", "0000:1ff:00.0"] {
            assert!(PciAddress::parse(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_source_is_read_four_times_an_update_within_bounds() {
        for (update, expected) in [(0.001, 0.02), (0.1, 0.025), (1.0, 0.25), (60.0, 1.0)] {
            assert_eq!(poll(Seconds(update)), Seconds(expected), "{update}");
        }
        assert_eq!(before_wrap(Joules(1000.0), Watts(250.0)), Seconds(1.0));
    }

    #[test]
    fn registers_without_content_are_no_readings() {
        let ceiling = Watts(500.0);
        for raw in [0.0, -1.0, f64::NAN, f64::INFINITY, 65_535.0, 4_294_967_295.0, 42e6] {
            assert!(watts(raw, 1000.0, ceiling).is_err(), "{raw}");
        }
        assert_eq!(watts(499_000.0, 1000.0, ceiling).unwrap(), 499.0);
        for raw in [0.0, f64::NAN, u32::MAX as f64, u64::MAX as f64] {
            assert!(joules(raw, 1000.0).is_err(), "{raw}");
        }
        assert_eq!(joules(42e6, 1000.0).unwrap(), 42_000.0);
    }

    #[test]
    fn a_limit_of_all_ones_raises_no_ceiling() {
        assert_eq!(card_ceiling([Watts(4_294_967.295), Watts(320.0)]), Watts(640.0));
        assert_eq!(card_ceiling([Watts(0.0)]), CARD_CEILING);
    }
}
