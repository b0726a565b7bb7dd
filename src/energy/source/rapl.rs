//! Processors, through the counters that the Linux kernel shows of them (RAPL by powercap). AMD's are there under
//! Intel's name.

use super::{ALL_ONES, ASSUMED_SHARE, before_wrap, garbage, number, poll, text};
use crate::energy::{
    Accuracy, Basis, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo,
};
use crate::units::{Joules, Seconds, Watts};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Files give millionths of a joule and of a watt.
const MICRO: f64 = 1e6;
/// How often the registers change.
const UPDATE: Seconds = Seconds(0.001);
/// What a package or the memory of one is taken to draw at most if it does not tell.
const CEILING: Watts = Watts(1000.0);

/// The processor's counters, and those of its memory if it has them, under the root of sysfs.
///
/// # Errors
/// If there are none, as in most virtual machines, a container hides them, or this user may not read them.
pub fn find(sysfs: &Path) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let powercap = sysfs.join("class/powercap");
    let dies_count_apart = dies_count_apart(sysfs);
    // Both interfaces show the same registers of the same packages, so that one of them is enough.
    let packages = [MSR, MMIO]
        .map(|interface| packages(&powercap, interface, dies_count_apart))
        .into_iter()
        .find(|packages| !packages.is_empty())
        .ok_or_else(|| if is_masked(&powercap) { masked() } else { absent() })?;
    let memory: Vec<Zone> = packages.iter().flat_map(|zone| zone.memory(&powercap)).collect();
    let mut sources = vec![Source::open(packages, Scope::CpuPackage)?];
    let memory = Source::open(memory, Scope::Dram)?;
    // Some processors have the counter of their memory but no memory that it counts.
    if memory.domains.iter().any(|domain| number(&domain.energy).is_ok_and(|raw| raw > 0)) {
        sources.push(memory);
    }
    Ok(sources.into_iter().map(|source| Box::new(source) as _).collect())
}

/// Names of the kernel's interfaces: through registers of the processor, also AMD's, and through memory.
const MSR: &str = "intel-rapl";
const MMIO: &str = "intel-rapl-mmio";

/// A zone of the kernel: `intel-rapl:0` is a part of the machine, `intel-rapl:0:1` a part of that.
struct Zone {
    id: String,
    name: String,
    folder: PathBuf,
}

/// The zones of a folder whose names are this prefix and a number, in order.
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

/// Whether some entry here is a link that leads nowhere. Docker and Podman mount an empty folder over
/// `/sys/devices/virtual/powercap`, to which the links of `/sys/class/powercap` lead (CVE-2020-8694).
fn is_masked(powercap: &Path) -> bool {
    let entries = std::fs::read_dir(powercap).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.is_symlink() && !path.exists())
}

impl Zone {
    fn interface(&self) -> &'static str {
        if self.id.starts_with(MMIO) { MMIO } else { MSR }
    }

    /// The package that it is or is a die of: `package-1`, `package-1-die-0`.
    fn package(&self) -> Option<(u32, u32)> {
        let rest = self.name.strip_prefix("package-")?;
        let (package, die) = rest.split_once("-die-").unwrap_or((rest, "0"));
        Some((package.parse().ok()?, die.parse().ok()?))
    }

    /// The zone of its memory: beside it, or within it where only the zones themselves were mounted.
    fn memory(&self, powercap: &Path) -> Option<Zone> {
        let parts = |folder: &Path| zones(folder, &format!("{}:", self.id)).into_iter();
        parts(powercap).chain(parts(&self.folder)).find(|zone| zone.name == "dram")
    }
}

/// The zones that together are all packages, each once. What lies within them (core, uncore) and what they lie within
/// (psys) is left out.
fn packages(powercap: &Path, interface: &str, dies_count_apart: bool) -> Vec<Zone> {
    let mut packages = BTreeMap::new();
    let prefix = format!("{interface}:");
    // Within the folder of the interface too, where a container was given that alone.
    let within = zones(&powercap.join(interface), &prefix);
    for zone in zones(powercap, &prefix).into_iter().chain(within) {
        if let Some((package, die)) = zone.package() {
            let die = if dies_count_apart { die } else { 0 };
            packages.entry((package, die)).or_insert(zone);
        }
    }
    packages.into_values().collect()
}

/// Whether each die has a counter of its own. On AMD's every die shows the whole package, so that one of them is
/// enough; Intel's count their own (Linux commit "powercap/intel_rapl: Support multi-die/package").
fn dies_count_apart(sysfs: &Path) -> bool {
    let processor = text(&sysfs.join("devices/system/cpu/modalias")).unwrap_or_default();
    processor.contains(",ven0000")
}

/// A counter of a zone.
struct Domain {
    interface: &'static str,
    energy: PathBuf,
    range: Option<Joules>,
}

impl Domain {
    fn joules(&self) -> Result<f64, EnergyError> {
        let raw = number(&self.energy).map_err(|error| refused(error, self.interface))? as f64;
        if ALL_ONES.contains(&raw) {
            return Err(garbage(raw));
        }
        let joules = raw / MICRO;
        if self.range.is_some_and(|range| joules > range.0) {
            return Err(EnergyError(
                "the processor's counter is beyond its own end: use another energy source".into(),
            ));
        }
        Ok(joules)
    }
}

struct Source {
    domains: Vec<Domain>,
    info: SourceInfo,
}

impl Source {
    fn open(zones: Vec<Zone>, scope: Scope) -> Result<Source, EnergyError> {
        let ceiling = Watts(zones.iter().map(|zone| ceiling(&zone.folder).0).sum());
        let domains = zones.iter().map(domain).collect::<Result<Vec<_>, _>>()?;
        let ranges: Vec<Option<Joules>> = domains.iter().map(|domain| domain.range).collect();
        let often = |range: &Joules| before_wrap(*range, ceiling).0;
        let poll = ranges.iter().flatten().map(often).fold(poll(UPDATE).0, f64::min);
        // By which interface is good to know beside other tools' figures.
        let name = |zone: &Zone| match zone.interface() {
            MMIO => format!("{} (MMIO)", zone.name),
            _ => zone.name.clone(),
        };
        let names: Vec<String> = zones.iter().map(name).collect();
        let info = SourceInfo {
            kind: MeterKind::Rapl,
            model: names.join(" + "),
            driver: None,
            scope,
            quantity: Quantity::Counter { ranges, duty: 1.0 },
            update_period: Some(UPDATE),
            poll: Seconds(poll),
            ceiling,
            accuracy: Accuracy {
                share: ASSUMED_SHARE,
                basis: Basis::Assumed,
                reference: "follows plug power closely in \"RAPL in Action\", ACM TOMPECS 2018"
                    .into(),
            },
        };
        Ok(Source { domains, info })
    }
}

/// The counter of a zone, read once so that a lack of permission shows at once.
fn domain(zone: &Zone) -> Result<Domain, EnergyError> {
    let interface = zone.interface();
    let range = match number(&zone.folder.join("max_energy_range_uj")) {
        Ok(0) => None,
        Ok(raw) => Some(Joules(raw as f64 / MICRO)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(refused(error, interface)),
    };
    let domain = Domain { interface, energy: zone.folder.join("energy_uj"), range };
    domain.joules()?;
    Ok(domain)
}

/// What a zone cannot draw: twice the largest of its limits, long-term and for bursts. A processor of 15 W draws 60 W
/// for a while. Boards without a limit say thousands of watts, which is not a statement.
fn ceiling(zone: &Path) -> Watts {
    let limits = [
        "constraint_0_max_power_uw",
        "constraint_0_power_limit_uw",
        "constraint_1_max_power_uw",
        "constraint_1_power_limit_uw",
    ];
    let stated = limits.iter().filter_map(|file| number(&zone.join(file)).ok());
    let largest = stated.max().map_or(0.0, |raw| raw as f64 / MICRO);
    if largest > 0.0 && 2.0 * largest < CEILING.0 { Watts(2.0 * largest) } else { CEILING }
}

impl EnergySource for Source {
    fn describe(&self) -> SourceInfo {
        self.info.clone()
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        self.domains.iter().map(Domain::joules).collect()
    }
}

fn absent() -> EnergyError {
    EnergyError(
        "no energy counter of the processor is here: most virtual machines have none; elsewhere run \
         `sudo modprobe intel_rapl_msr`"
            .into(),
    )
}

fn masked() -> EnergyError {
    EnergyError(
        "the processor's energy counter is masked, as Docker and Podman do: its links in /sys/class/powercap lead \
         nowhere; start the container with `-v /sys/class/powercap/intel-rapl:/sys/class/powercap:ro` or \
         `--security-opt systempaths=unconfined` (Podman: `unmask=ALL`)"
            .into(),
    )
}

/// Why a counter cannot be read. Since 2020 only root may, for it betrays what others compute (CVE-2020-8694).
fn refused(error: io::Error, interface: &str) -> EnergyError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => EnergyError(format!(
            "only root may read the processor's energy counter: until the next restart, \
             `sudo chmod a+r /sys/class/powercap/{interface}:*/*_uj` allows everybody to"
        )),
        io::ErrorKind::NotFound => absent(),
        kind => EnergyError(format!(
            "the processor's energy counter cannot be read ({kind}): use another energy source"
        )),
    }
}
