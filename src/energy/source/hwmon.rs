//! AMD and Intel cards, through hwmon, the Linux kernel's sensor interface.

use super::{
    CardSensors, Reader, card_ceiling, checked, garbage, limit, number, pci_address, poll,
    temperature, text,
};
use crate::energy::{
    Accuracy, Board, BoardState, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo,
};
use crate::units::{Seconds, Watts};
use std::io;
use std::path::{Path, PathBuf};

/// The files are in microjoules and microwatts.
const MICRO: f64 = 1e6;
/// Assumed update period: no driver documents one.
const UPDATE: Seconds = Seconds(0.2);
/// Assumed averaging time: AMD documents none. Too long a time only loses the beginning of a block.
const AVERAGING: Seconds = Seconds(1.0);
/// 0xFFFF mW as amdgpu shows it: it converts the value to 1/256 W and shows each of these as 1 mW.
const AMD_ALL_ONES: [f64; 2] = [65_136_000.0, 65_535_000.0];

/// The card at this PCI address, under the root of sysfs.
///
/// # Errors
/// If the kernel has no sensors of it.
pub fn find(sysfs: &Path, pci: &str) -> Result<CardSensors, EnergyError> {
    let (domain, bus, device, function) = pci_address(pci)?;
    let address = format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}");
    let card = sysfs.join("bus/pci/devices").join(address);
    if card.is_symlink() && !card.exists() {
        return Err("this container hides the card's sensors: its link in /sys/bus/pci/devices leads nowhere; start \
             it with `-v /sys:/sys:ro`, or run outside of it"
            .into());
    }
    let folders = std::fs::read_dir(card.join("hwmon")).into_iter().flatten().flatten();
    let mut known = folders.filter_map(|folder| Sensors::open(folder.path()));
    let sensors = known.next().ok_or(
        "the kernel shows no sensors of this card: load the driver amdgpu, i915 or xe of Linux 6.2 or later",
    )?;
    let source = if sensors.is_amd { sensors.power(sysfs) } else { sensors.counter(sysfs) };
    let absence = if source.is_none() { sensors.refusal() } else { None };
    Ok(CardSensors { sources: source.into_iter().collect(), absence, board: Box::new(sensors) })
}

/// The sensors of a card.
struct Sensors {
    folder: PathBuf,
    /// The driver's name; Intel's are `i915` and `xe`.
    name: String,
    is_amd: bool,
}

impl Sensors {
    fn open(folder: PathBuf) -> Option<Sensors> {
        let name = text(&folder.join("name")).ok()?;
        // Intel cards with several tiles also have one folder per tile (`i915_gt0`), which is part of the card's energy.
        let is_amd = name == "amdgpu";
        (is_amd || name == "i915" || name == "xe").then_some(Sensors { folder, name, is_amd })
    }

    /// Why an existing sensor cannot be read.
    fn refusal(&self) -> Option<EnergyError> {
        let files = match self.is_amd {
            true => ["power1_average", "power1_input"],
            false => ["energy1_input", "energy2_input"],
        };
        let errors = files.iter().filter_map(|file| number(&self.folder.join(file)).err());
        let mut kinds = errors.map(|error| error.kind());
        let kind = kinds.find(|kind| *kind != io::ErrorKind::NotFound)?;
        Some(EnergyError(format!(
            "the card has a sensor that gives nothing ({kind}): wake the card, or allow this user to read its files in \
             /sys/class/hwmon"
        )))
    }

    fn text(&self, file: &str) -> Option<String> {
        text(&self.folder.join(file)).ok()
    }

    /// The number in the first of these files that can be read.
    fn number(&self, files: &[&str]) -> Option<f64> {
        files.iter().find_map(|file| number(&self.folder.join(file)).ok())
    }

    /// AMD cards: the average if there is one, since instantaneous readings may alias with the load.
    fn power(&self, sysfs: &Path) -> Option<Box<dyn EnergySource>> {
        let files = [("power1_average", AVERAGING), ("power1_input", Seconds(0.0))];
        let (file, averaging) = files.into_iter().find(|(f, _)| self.number(&[f]).is_some())?;
        // On APUs the value covers the whole processor (kernel documentation). Except for the MI300A, exactly these have a northbridge
        // voltage (driver source).
        let integrated = self.text("in1_label").is_some_and(|label| label == "vddnb");
        let scope = if integrated { Scope::CpuPackage } else { Scope::GpuBoard };
        let reference = "neither AMD nor the kernel tells";
        Some(self.source(sysfs, file, scope, Quantity::Power { averaging }, reference))
    }

    /// Intel cards. Channel 1 is the card, channel 2 the GPU alone; many cards count only one of them and show 0 for the other.
    ///
    /// The 32-bit register wraps after about 262 kJ. The driver extends it to 64 bits as long as it is read in time, so the file has no
    /// range: a drop is a reset, and a jump by a whole register is a reset that the driver took for a wrap. Neither is energy; the power
    /// ceiling and the missing range allow the meter to detect both.
    fn counter(&self, sysfs: &Path) -> Option<Box<dyn EnergySource>> {
        let counts = |file: &&str| self.number(&[*file]).is_some_and(|raw| raw > 0.0);
        let file = ["energy1_input", "energy2_input"].into_iter().find(counts)?;
        let quantity = Quantity::Counter { ranges: vec![None], duty: 1.0 };
        let reference = match file {
            "energy1_input" => "neither Intel nor the kernel tells",
            _ => "neither Intel nor the kernel tells; counts the card's processor alone",
        };
        Some(self.source(sysfs, file, Scope::GpuBoard, quantity, reference))
    }

    fn source(
        &self,
        sysfs: &Path,
        file: &str,
        scope: Scope,
        quantity: Quantity,
        reference: &str,
    ) -> Box<dyn EnergySource> {
        let model = match self.text(&file.replace("_input", "_label")) {
            Some(label) if !self.is_amd => format!("{} {label}", self.name),
            _ => self.name.clone(),
        };
        // Only an out-of-tree driver has a version.
        let version = text(&sysfs.join("module").join(&self.name).join("version")).ok();
        let limits = [
            "power1_cap",
            "power1_cap_max",
            "power1_max",
            "power1_rated_max",
            "power2_max",
            "power2_rated_max",
        ];
        let ceiling =
            card_ceiling(limits.iter().filter_map(|f| self.number(&[f])).map(|w| Watts(w / MICRO)));
        let info = SourceInfo {
            kind: MeterKind::Hwmon,
            model,
            driver: version.map(|version| format!("{} {version}", self.name)),
            scope,
            quantity,
            update_period: None,
            poll: poll(UPDATE),
            ceiling,
            accuracy: Accuracy::assumed(reference),
        };
        let (file, largest, is_amd) = (self.folder.join(file), info.largest(), self.is_amd);
        let read = move || {
            let raw = number(&file).map_err(|error| {
                EnergyError(format!(
                    "the card's sensor gives nothing ({}): wake the card or restart the machine",
                    error.kind()
                ))
            })?;
            if is_amd && AMD_ALL_ONES.contains(&raw) {
                return Err(garbage(raw));
            }
            Ok(vec![checked(raw, MICRO, largest)?])
        };
        Box::new(Reader { info, read })
    }
}

impl Board for Sensors {
    fn state(&mut self) -> BoardState {
        let degrees = |milli: f64| temperature(milli / 1000.0);
        let watts = |micro: f64| limit(Watts(micro / MICRO));
        BoardState {
            celsius: self.number(&["temp1_input", "temp2_input"]).and_then(degrees),
            core_hertz: self.number(&["freq1_input"]),
            memory_hertz: self.number(&["freq2_input"]),
            power_limit: self.number(&["power1_cap", "power1_max", "power2_max"]).and_then(watts),
            // These drivers report no throttle reasons.
            throttle: None,
        }
    }
}
