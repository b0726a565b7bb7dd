//! What a report keeps of a row: figures with their ends and their provenance, and nothing of windows and readings, so that a
//! thousand runs fit into little memory.

use super::provenance;
use crate::device::hardware;
use crate::energy::{Provenance, Scope};
use crate::results::conditions;
use crate::results::wire::{Document, Energy, Measurement, Outcome, PerUnit, Workload};
use crate::units::{EnergyPerWork, Rate, Unit, significant};

/// A row of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The file that it is in, by its place among all that were given.
    pub file: usize,
    /// The device's id in its run.
    pub device: String,
    /// As its driver calls it.
    pub name: String,
    /// Its hardware class.
    pub class: String,
    /// Whether it is a CPU that emulates a GPU.
    pub software: bool,
    /// What was run.
    pub workload: Workload,
    /// The mode of the protocol: `quick`, `default`, `publish`.
    pub mode: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it does not count: it is unsupported, failed or invalid.
    pub reasons: Vec<String>,
    /// Units of work a second; unknown if nothing was measured.
    pub rate: Amount,
    /// Windows that the rate is the median of, and the blocks that they came in.
    pub windows: (usize, usize),
    /// Joules a unit of work.
    pub joules: Amount,
    /// Watts.
    pub watts: Amount,
    /// Where the joules come from.
    pub provenance: Provenance,
    /// What they cover.
    pub scope: Option<Scope>,
    /// Whether one power was typed for all workloads, so that the joules tell of the speed alone.
    pub speed_only: bool,
    /// Where the joules come from, in sentences.
    pub about: String,
    /// Settings under which its figures may not be the machine's own.
    pub conditions: Vec<String>,
    /// The power limit in force, in watts, where it is known.
    pub power_limit: Option<f64>,
    /// The share of what is published of its device.
    pub published: Published,
    /// The shares of the roofs of the same run, as `73 % of peak:f32`.
    pub roofs: Vec<String>,
}

/// A figure, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// Measured or declared: a value, with its 95 % interval where there is one.
    Point {
        /// The value.
        value: f64,
        /// The ends of its interval.
        ends: Option<(f64, f64)>,
    },
    /// Modelled: somewhere between two bounds.
    Range {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Not known.
    Unknown,
}

/// How near a row comes to what is published of its device.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// The share of the vendor's peak or of hashcat's rate.
    Share {
        /// 1 is all of it.
        share: f64,
        /// Of what: `the vendor's peak (f32)`.
        of: String,
        /// Where that is published.
        source: String,
    },
    /// Nothing is known here of such a device.
    Unknown {
        /// What is not known.
        of: &'static str,
    },
    /// Nobody publishes such a thing.
    Nothing,
}

impl Amount {
    /// A value with its interval.
    pub fn point(per: &PerUnit) -> Amount {
        Amount::Point { value: per.value, ends: per.ci95_low.zip(per.ci95_high) }
    }

    /// The lowest and the highest that it may be; the value itself where no interval is known.
    pub fn ends(self) -> Option<(f64, f64)> {
        match self {
            Amount::Point { value, ends } => Some(ends.unwrap_or((value, value))),
            Amount::Range { low, high } => Some((low, high)),
            Amount::Unknown => None,
        }
    }

    /// What tables are sorted by: the value, or the lower bound.
    pub fn order(self) -> Option<f64> {
        match self {
            Amount::Point { value, .. } => Some(value),
            Amount::Range { low, .. } => Some(low),
            Amount::Unknown => None,
        }
    }

    /// In words: `45.1 W`, `1.42 W to 8.52 W`, `unknown`. `shown` writes a number with its unit.
    pub fn words(self, shown: impl Fn(f64) -> String) -> String {
        match self {
            Amount::Point { value, .. } => shown(value),
            Amount::Range { low, high } => format!("{} to {}", shown(low), shown(high)),
            Amount::Unknown => "unknown".into(),
        }
    }
}

impl Entry {
    /// The rows of the document in this file.
    pub fn all(document: &Document, file: usize) -> impl Iterator<Item = Entry> {
        document.measurements.iter().map(move |m| Entry::of(document, m, file))
    }

    fn of(document: &Document, m: &Measurement, file: usize) -> Entry {
        let device = document.manifest.devices.iter().find(|device| device.id == m.device);
        let mut reasons: Vec<String> = m.reason.iter().cloned().collect();
        reasons.extend(m.reasons.iter().filter(|why| Some(*why) != m.reason.as_ref()).cloned());
        let rate = m.throughput.as_ref().map_or(Amount::Unknown, |t| Amount::Point {
            value: t.value,
            ends: t.ci95_low.zip(t.ci95_high),
        });
        let boards = m.windows.iter().filter_map(|w| w.telemetry.board.as_ref());
        let name = device.map_or(m.device.as_str(), |device| &device.name);
        let entry = Entry {
            file,
            device: m.device.clone(),
            name: name.to_string(),
            class: m.class.clone(),
            software: device.is_some_and(|device| device.software),
            workload: m.workload.clone(),
            mode: document.run.protocol.mode.clone(),
            outcome: m.outcome,
            reasons,
            rate,
            windows: (m.windows.len(), m.blocks.len()),
            joules: Amount::Unknown,
            watts: Amount::Unknown,
            provenance: Provenance::None,
            scope: None,
            speed_only: false,
            about: provenance::sentences(m, document.manifest.host.gpus),
            conditions: conditions(
                &document.manifest.environment,
                device.is_some_and(|device| device.gpu.is_some()),
            ),
            power_limit: boards.filter_map(|board| board.power_limit_watts).next(),
            published: published(m, name),
            roofs: super::run::roofs(m),
        };
        entry.with_energy(&m.energy)
    }

    fn with_energy(self, energy: &Energy) -> Entry {
        let watts = |value: f64| Amount::Point { value, ends: None };
        let (provenance, scope, joules, watts, speed_only) = match energy {
            Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
                let provenance = match energy {
                    Energy::MeasuredCounter(_) => Provenance::MeasuredCounter,
                    _ => Provenance::MeasuredSampled,
                };
                let joules = Amount::point(&e.joules_per_unit);
                (provenance, Some(e.scope), joules, watts(e.power_watts), false)
            }
            Energy::Declared(e) => {
                let joules = Amount::point(&e.joules_per_unit);
                let alone = !e.for_this_workload;
                (Provenance::Declared, Some(e.scope), joules, watts(e.power_watts), alone)
            }
            Energy::Modelled(e) => {
                let joules = Amount::Range {
                    low: e.modelled_joules_per_unit_low,
                    high: e.modelled_joules_per_unit_high,
                };
                let watts = Amount::Range {
                    low: e.modelled_power_watts_low,
                    high: e.modelled_power_watts_high,
                };
                (Provenance::Modelled, Some(e.scope), joules, watts, false)
            }
            Energy::None(_) => (Provenance::None, None, Amount::Unknown, Amount::Unknown, false),
        };
        Entry { provenance, scope: scope.map(Scope::from), joules, watts, speed_only, ..self }
    }

    /// Whether it counts.
    pub fn counts(&self) -> bool {
        self.outcome == Outcome::Measured && self.reasons.is_empty()
    }

    /// The unit of its work, if this version knows it.
    pub fn unit(&self) -> Option<Unit> {
        self.workload.unit()
    }

    /// A rate of its work, in words.
    pub fn rate_words(&self, per_second: f64) -> String {
        self.unit().map_or(significant(per_second), |unit| Rate { per_second, unit }.to_string())
    }

    /// Joules for its work in the customary unit, in words.
    pub fn joules_words(&self, joules: f64) -> String {
        self.unit().map_or(significant(joules), |unit| EnergyPerWork { joules, unit }.to_string())
    }

    /// `measured (counter), gpu-board`.
    pub fn source_words(&self) -> String {
        let how = provenance::short(self.provenance);
        self.scope.map_or(how.to_string(), |scope| format!("{how}, {}", scope.name()))
    }

    /// Why it does not count, in a word.
    pub fn state(&self) -> &'static str {
        match self.outcome {
            Outcome::Unsupported => "unsupported",
            Outcome::Failed => "failed",
            Outcome::Measured if self.reasons.is_empty() => "valid",
            Outcome::Measured => "invalid",
        }
    }
}

/// What tokens and products are held to.
const VENDOR: &str = "the vendor's peak";
/// What hashes are held to.
const HASHCAT: &str = "hashcat's published rate";

/// Products and tokens against the vendor's peak, hashes against hashcat; `name` is the device's.
pub fn published(m: &Measurement, name: &str) -> Published {
    let rate = m.throughput.as_ref().map(|t| t.value);
    let share = |(full, source): (f64, &str), of: String| {
        let share = rate? / full;
        Some(Published::Share { share, of, source: source.to_string() })
    };
    match m.workload.id.as_str() {
        "stream" => Published::Nothing,
        "sha256d" => hardware::hashcat(name)
            .and_then(|known| share(known, HASHCAT.into()))
            .unwrap_or(Published::Unknown { of: HASHCAT }),
        "peak" => {
            let arithmetic = m.workload.shape.as_deref().unwrap_or_default();
            hardware::peak(name, arithmetic)
                .and_then(|known| share(known, format!("{VENDOR} ({arithmetic})")))
                .unwrap_or(Published::Unknown { of: VENDOR })
        }
        _ => {
            let of_roof = || {
                let roof = m.roof.as_ref()?;
                Some(Published::Share {
                    share: roof.published_peak_share?,
                    of: format!("{VENDOR} ({})", roof.arithmetic),
                    source: roof.published_peak_source.clone()?,
                })
            };
            of_roof().unwrap_or(Published::Unknown { of: VENDOR })
        }
    }
}

impl Published {
    /// The largest share of several rows of one kind.
    pub fn best(all: impl Iterator<Item = Published>) -> Published {
        let share = |published: &Published| match published {
            Published::Share { share, .. } => *share,
            Published::Unknown { .. } | Published::Nothing => -1.0,
        };
        all.max_by(|a, b| share(a).total_cmp(&share(b))).unwrap_or(Published::Nothing)
    }

    /// `24 % of the vendor's peak (f32)`, `unknown: hashcat's published rate`, `–`.
    pub fn words(&self) -> String {
        match self {
            Published::Share { share, of, .. } => format!("{} % of {of}", percent(*share)),
            Published::Unknown { of } => format!("unknown: {of} of this device"),
            Published::Nothing => "–".into(),
        }
    }

    /// A share for a narrow place: `24 % of vendor`, `8.1 % of hashcat`.
    pub fn brief(&self) -> Option<String> {
        let Published::Share { share, of, .. } = self else { return None };
        let whose = if of == HASHCAT { "hashcat" } else { "vendor" };
        Some(format!("{} % of {whose}", percent(*share)))
    }
}

/// Two digits of a share: `3.4`, `73`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 10.0 { format!("{percent:.1}") } else { format!("{percent:.0}") }
}
