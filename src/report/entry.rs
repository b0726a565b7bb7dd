//! A row reduced to what reports need: figures with intervals and provenance, without windows and readings, so that a thousand runs fit
//! into little memory.

use super::provenance;
use super::view::View;
use crate::device::Class;
use crate::device::hardware::Cards;
use crate::energy::Scope;
use crate::results::{Outcome, conditions};
use crate::units::{EnergyPerWork, Interval, Provenance, Rate, Unit};
use crate::workload::{Description, Id};

/// A row of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Index of its file among all that were given.
    pub file: usize,
    /// Device id within its run.
    pub device: String,
    /// Device name as reported by the driver.
    pub name: String,
    /// Its hardware class.
    pub class: Class,
    /// Its workload.
    pub workload: Description,
    /// The mode of the protocol: `quick`, `default`, `publish`.
    pub mode: String,
    /// Whether it was measured, unsupported or failed.
    pub outcome: Outcome,
    /// Why it does not count: unsupported, failed or invalid.
    pub reasons: Vec<String>,
    /// Units of work per second; `None` if nothing was measured.
    pub rate: Option<Interval>,
    /// Number of windows and of blocks.
    pub windows: (usize, usize),
    /// Joules per unit of work.
    pub joules: Option<Interval>,
    /// Mean power in watts.
    pub watts: Option<Interval>,
    /// Provenance of the joules.
    pub provenance: Provenance,
    /// Scope of the joules.
    pub scope: Option<Scope>,
    /// Whether one power was declared for all workloads, so that the joules only reflect speed.
    pub speed_only: bool,
    /// Provenance of the joules, in sentences.
    pub about: String,
    /// Environment settings that may distort its figures.
    pub conditions: Vec<String>,
    /// Power limit in watts, if known.
    pub power_limit: Option<f64>,
    /// Its rate relative to a published one.
    pub published: Published,
    /// Its fractions of the roofline ceilings of the same run, as `73 % of peak:f32`.
    pub ceilings: Vec<String>,
}

/// A row's rate relative to a published rate of its device.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// Fraction of the vendor's peak or of hashcat's rate.
    Share {
        /// 1 is 100 %.
        share: f64,
        /// The reference: `the vendor's peak (f32)`.
        of: String,
        /// Source of the reference.
        source: String,
    },
    /// No reference rate is known for the device.
    Unknown {
        /// The missing reference.
        of: &'static str,
    },
    /// The workload has no published reference.
    Nothing,
}

/// The bounds of a figure's interval, or the value twice if they are unknown.
pub fn span(figure: Interval) -> (f64, f64) {
    let value = figure.middle();
    figure.ends().unwrap_or((value, value))
}

/// Sort key: the value, or the lower bound if there is none.
pub fn order(figure: Interval) -> f64 {
    figure.value.unwrap_or(figure.low)
}

impl Entry {
    /// The rows of a document; `file` is its index.
    pub fn all(document: &crate::results::Document, file: usize) -> impl Iterator<Item = Entry> {
        View::all(document).map(move |view| Entry::of(view, file))
    }

    /// The entry of a row; `file` is the index of its file.
    pub fn of(view: View, file: usize) -> Entry {
        let energy = &view.figures.energy;
        let name = view.name();
        let windows = view.row.windows.as_ref();
        let gpu = view.device.is_some_and(|device| device.gpu.is_some());
        Entry {
            file,
            device: view.row.device.to_string(),
            class: view.class(),
            workload: view.row.workload.clone(),
            mode: view.manifest().protocol.mode.clone(),
            outcome: view.row.outcome.clone(),
            reasons: view.reasons(),
            rate: view.rate(),
            windows: windows.map_or((0, 0), |w| (w.len(), w.blocks.windows.len())),
            joules: energy.joules_per_unit,
            watts: energy.power_watts,
            provenance: energy.provenance(),
            scope: energy.scope.filter(|_| energy.joules_per_unit.is_some()),
            speed_only: view.is_speed_only(),
            about: view.about(),
            conditions: conditions(view.manifest(), gpu),
            power_limit: view.row.condition.power_limit_watts,
            published: published(view, &name),
            ceilings: super::run::ceilings(view),
            name,
        }
    }

    /// Whether it is measured and valid.
    pub fn counts(&self) -> bool {
        self.outcome == Outcome::Measured && self.reasons.is_empty()
    }

    /// Whether it is a CPU that emulates a GPU.
    pub fn is_software(&self) -> bool {
        self.class == Class::SoftwareGpu
    }

    /// Its unit of work.
    pub fn unit(&self) -> Unit {
        self.workload.unit
    }

    /// A rate in its unit, as text.
    pub fn rate_words(&self, per_second: f64) -> String {
        Rate { per_second, unit: self.unit() }.to_string()
    }

    /// Joules per unit of work in the customary unit, as text.
    pub fn joules_words(&self, joules: f64) -> String {
        EnergyPerWork { joules, unit: self.unit() }.to_string()
    }

    /// `measured (counter), gpu-board`.
    pub fn source_words(&self) -> String {
        let how = provenance::short(self.provenance);
        self.scope.map_or(how.to_string(), |scope| format!("{how}, {}", scope.name()))
    }

    /// `valid`, `invalid`, or the name of its outcome.
    pub fn state(&self) -> &'static str {
        match self.outcome {
            Outcome::Measured if self.reasons.is_empty() => "valid",
            Outcome::Measured => "invalid",
            Outcome::Unsupported(_) | Outcome::Failed(_) => self.outcome.name(),
        }
    }
}

/// Reference for matrix products and tokens.
const VENDOR: &str = "the vendor's peak";
/// Reference for hashes.
const HASHCAT: &str = "hashcat's published rate";

/// Compares matrix products and tokens with the vendor's peak, hashes with hashcat; `name` is the device's.
pub fn published(view: View, name: &str) -> Published {
    let rate = view.rate().and_then(|rate| rate.value);
    let cards = Cards::published();
    let share = |(full, source): (f64, &str), operations: f64, of: String| {
        let share = rate? * operations / full;
        Some(Published::Share { share, of, source: source.to_string() })
    };
    let of_vendor = |arithmetic: &str, operations: f64| {
        let of = format!("{VENDOR} ({arithmetic})");
        cards.peak(name, arithmetic).and_then(|known| share(known, operations, of))
    };
    let workload = &view.row.workload;
    match workload.id {
        Id::Stream => Published::Nothing,
        Id::Sha256d => cards
            .hashcat(name)
            .and_then(|known| share(known, 1.0, HASHCAT.into()))
            .unwrap_or(Published::Unknown { of: HASHCAT }),
        Id::Peak => of_vendor(workload.shape.arithmetic.as_deref().unwrap_or_default(), 1.0)
            .unwrap_or(Published::Unknown { of: VENDOR }),
        Id::Gemm | Id::Gemv | Id::Prefill | Id::Decode => {
            let kernel = view.row.kernel.as_ref();
            let arithmetic = kernel.and_then(|kernel| kernel.arithmetic.as_deref());
            let operations = workload.intensity.map_or(0.0, |i| i.operations_per_unit);
            arithmetic
                .and_then(|arithmetic| of_vendor(arithmetic, operations))
                .unwrap_or(Published::Unknown { of: VENDOR })
        }
    }
}

impl Published {
    /// The best of several.
    pub fn best(all: impl Iterator<Item = Published>) -> Published {
        let share = |published: &Published| match published {
            Published::Share { share, .. } => *share,
            Published::Unknown { .. } | Published::Nothing => -1.0,
        };
        all.max_by(|a, b| share(a).total_cmp(&share(b))).unwrap_or(Published::Nothing)
    }

    /// `24 % of the vendor's peak (f32)`, `unknown: hashcat's published rate of this device`, `–`.
    pub fn words(&self) -> String {
        match self {
            Published::Share { share, of, .. } => format!("{} % of {of}", percent(*share)),
            Published::Unknown { of } => format!("unknown: {of} of this device"),
            Published::Nothing => "–".into(),
        }
    }

    /// A short form: `24 % of vendor`, `8.1 % of hashcat`.
    pub fn brief(&self) -> Option<String> {
        let Published::Share { share, of, .. } = self else { return None };
        let whose = if of == HASHCAT { "hashcat" } else { "vendor" };
        Some(format!("{} % of {whose}", percent(*share)))
    }
}

/// A fraction in percent, with two digits: `3.4`, `73`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 10.0 { format!("{percent:.1}") } else { format!("{percent:.0}") }
}
