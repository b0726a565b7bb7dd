//! Processors, through RAPL, the energy counters that the Linux kernel shows in powercap. AMD's counters have Intel's names there.

use super::{ALL_ONES, Reader, before_wrap, garbage, number, poll, text};
use crate::energy::{Accuracy, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo};
use crate::units::{Joules, Seconds, Watts};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The files are in microjoules and microwatts.
const MICRO: f64 = 1e6;
/// Update period of the registers.
const UPDATE: Seconds = Seconds(0.001);
/// Assumed maximum power of a package, or of its memory, without a known limit.
const CEILING: Watts = Watts(1000.0);

/// The processor's counters, and those of its memory if it has them, under the root of sysfs.
///
/// # Errors
/// If there are none (as in most virtual machines), if a container hides them, or if this user may not read them.
pub fn find(sysfs: &Path) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let powercap = sysfs.join("class/powercap");
    // On AMD, every die shows the whole package, so one is enough; on Intel, each die counts its own energy (Linux commit
    // "powercap/intel_rapl: Support multi-die/package").
    let processor = text(&sysfs.join("devices/system/cpu/modalias")).unwrap_or_default();
    let has_counter_per_die = processor.contains(",ven0000");
    // Both interfaces show the same registers, so one is enough.
    let packages = [MSR, MMIO]
        .map(|interface| packages(&powercap, interface, has_counter_per_die))
        .into_iter()
        .find(|packages| !packages.is_empty())
        .ok_or_else(|| if is_masked(&powercap) { MASKED } else { ABSENT })?;
    let memory: Vec<Zone> = packages.iter().flat_map(|zone| zone.memory(&powercap)).collect();
    let mut sources = vec![source(packages, Scope::CpuPackage)?];
    let mut memory = source(memory, Scope::Dram)?;
    // Some processors have a memory counter that always reads 0.
    if memory.read().is_ok_and(|joules| joules.iter().any(|joules| *joules > 0.0)) {
        sources.push(memory);
    }
    Ok(sources)
}

/// The kernel's interfaces: model-specific registers (also AMD's) and memory-mapped registers.
const MSR: &str = "intel-rapl";
const MMIO: &str = "intel-rapl-mmio";

/// A powercap zone: `intel-rapl:0` is part of the machine, `intel-rapl:0:1` is part of that.
struct Zone {
    id: String,
    name: String,
    folder: PathBuf,
}

/// The zones in a folder whose names are this prefix and a number, in order.
fn zones(folder: &Path, prefix: &str) -> Vec<Zone> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut zones: Vec<Zone> = entries
        .filter_map(|entry| {
            let id = entry.file_name().into_string().ok()?;
            let number = id.strip_prefix(prefix)?;
            number.parse::<u32>().ok()?;
            let name = text(&entry.path().join("name")).ok()?;
            Some(Zone { id, name, folder: entry.path() })
        })
        .collect();
    zones.sort_by_key(|zone| (zone.id.len(), zone.id.clone()));
    zones
}

/// The error if there are no counters.
const ABSENT: &str = "no energy counter of the processor is here: most virtual machines have none; elsewhere run \
    `sudo modprobe intel_rapl_msr`";

/// The error if a container hides the counters.
const MASKED: &str = "the processor's energy counter is masked, as Docker and Podman do: its links in \
    /sys/class/powercap lead nowhere; start the container with \
    `-v /sys/class/powercap/intel-rapl:/sys/class/powercap:ro` or `--security-opt systempaths=unconfined` (Podman: \
    `unmask=ALL`)";

/// Whether an entry is a broken link. Docker and Podman mount an empty folder over `/sys/devices/virtual/powercap`, the target of the
/// links in `/sys/class/powercap` (CVE-2020-8694).
fn is_masked(powercap: &Path) -> bool {
    let entries = std::fs::read_dir(powercap).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.is_symlink() && !path.exists())
}

impl Zone {
    fn interface(&self) -> &'static str {
        if self.id.starts_with(MMIO) { MMIO } else { MSR }
    }

    /// Package and die numbers: `package-1`, `package-1-die-0`.
    fn package(&self) -> Option<(u32, u32)> {
        let numbers = self.name.strip_prefix("package-")?;
        let (package, die) = numbers.split_once("-die-").unwrap_or((numbers, "0"));
        Some((package.parse().ok()?, die.parse().ok()?))
    }

    /// The zone of its memory: beside it, or inside it if a container has only the zones themselves.
    fn memory(&self, powercap: &Path) -> Option<Zone> {
        let parts = |folder: &Path| zones(folder, &format!("{}:", self.id)).into_iter();
        parts(powercap).chain(parts(&self.folder)).find(|zone| zone.name == "dram")
    }
}

/// The zones of all packages, each once, without their parts (core, uncore) and without the platform zone around them (psys).
fn packages(powercap: &Path, interface: &str, has_counter_per_die: bool) -> Vec<Zone> {
    let mut packages = BTreeMap::new();
    let prefix = format!("{interface}:");
    // A container may have only the folder of the interface.
    let within = zones(&powercap.join(interface), &prefix);
    for zone in zones(powercap, &prefix).into_iter().chain(within) {
        if let Some((package, die)) = zone.package() {
            let die = if has_counter_per_die { die } else { 0 };
            packages.entry((package, die)).or_insert(zone);
        }
    }
    packages.into_values().collect()
}

/// A counter of a zone.
struct Domain {
    interface: &'static str,
    energy: PathBuf,
    range: Option<Joules>,
}

impl Domain {
    /// The counter of a zone, read once to check the permission.
    fn open(zone: &Zone) -> Result<Domain, EnergyError> {
        let interface = zone.interface();
        let range = match number(&zone.folder.join("max_energy_range_uj")) {
            Ok(raw) => Some(Joules(raw / MICRO)).filter(|range| range.0 > 0.0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(refused(error, interface)),
        };
        let domain = Domain { interface, energy: zone.folder.join("energy_uj"), range };
        domain.joules()?;
        Ok(domain)
    }

    fn joules(&self) -> Result<f64, EnergyError> {
        let raw = number(&self.energy).map_err(|error| refused(error, self.interface))?;
        if ALL_ONES.contains(&raw) {
            return Err(garbage(raw));
        }
        if self.range.is_some_and(|range| raw / MICRO > range.0) {
            return Err(
                "the processor's counter is beyond its own end: use another energy source".into()
            );
        }
        Ok(raw / MICRO)
    }
}

/// A source of the counters of some zones.
fn source(zones: Vec<Zone>, scope: Scope) -> Result<Box<dyn EnergySource>, EnergyError> {
    let ceiling = Watts(zones.iter().map(|zone| ceiling(&zone.folder).0).sum());
    let domains = zones.iter().map(Domain::open).collect::<Result<Vec<_>, _>>()?;
    let ranges: Vec<Option<Joules>> = domains.iter().map(|domain| domain.range).collect();
    let max_poll = |range: &Joules| before_wrap(*range, ceiling).0;
    let poll = ranges.iter().flatten().map(max_poll).fold(poll(UPDATE).0, f64::min);
    // The interface helps to compare readings with those of other tools.
    let name = |zone: &Zone| match zone.interface() {
        MMIO => format!("{} (MMIO)", zone.name),
        _ => zone.name.clone(),
    };
    let info = SourceInfo {
        kind: MeterKind::Rapl,
        model: zones.iter().map(name).collect::<Vec<_>>().join(" + "),
        driver: None,
        scope,
        quantity: Quantity::Counter { ranges, duty: 1.0 },
        update_period: Some(UPDATE),
        poll: Seconds(poll),
        ceiling,
        accuracy: Accuracy::assumed(
            "follows plug power closely in \"RAPL in Action\", ACM TOMPECS 2018",
        ),
    };
    let read = move || domains.iter().map(Domain::joules).collect();
    Ok(Box::new(Reader { info, read }))
}

/// Maximum plausible power of a zone: twice its largest limit, long-term or short-term. A 15 W processor draws 60 W for a while. Boards
/// without a limit show thousands of watts, which is ignored.
fn ceiling(zone: &Path) -> Watts {
    let limits = [
        "constraint_0_max_power_uw",
        "constraint_0_power_limit_uw",
        "constraint_1_max_power_uw",
        "constraint_1_power_limit_uw",
    ];
    let stated = limits.iter().filter_map(|file| number(&zone.join(file)).ok());
    let largest = stated.fold(0.0, f64::max) / MICRO;
    if largest > 0.0 && 2.0 * largest < CEILING.0 { Watts(2.0 * largest) } else { CEILING }
}

/// Why a counter cannot be read. Since 2020 only root may read it, because of a side channel (CVE-2020-8694).
fn refused(error: io::Error, interface: &str) -> EnergyError {
    EnergyError(match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "only root may read the processor's energy counter: until the next restart, \
             `sudo chmod a+r /sys/class/powercap/{interface}:*/*_uj` allows everybody to"
        ),
        io::ErrorKind::NotFound => ABSENT.into(),
        kind => format!(
            "the processor's energy counter cannot be read ({kind}): use another energy source"
        ),
    })
}
