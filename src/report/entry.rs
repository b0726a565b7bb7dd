//! A line of a report: a row, or several comparable ones, reduced to what reports need: figures with intervals and provenance, without
//! windows and readings, so that a thousand runs fit into little memory.

use super::provenance;
use super::published::{Published, ceilings};
use crate::device::Class;
use crate::energy::Scope;
use crate::results::{Outcome, View};
use crate::units::{EnergyPerWork, Interval, Provenance, Rate};
use crate::workload::Description;

/// A row of a run, or what several have in common with their pooled figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
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
    /// Its rate relative to a published one; `None` if nobody publishes a rate of its workload.
    pub published: Option<Published>,
    /// Its fractions of the roofline ceilings of the same run, as `73 % of peak:f32`.
    pub ceilings: Vec<String>,
    /// Number of rows that the figures are computed from.
    pub rows: usize,
    /// Number of rows that do not count and are in no figure.
    pub left_out: usize,
}

/// The bounds of a figure's interval, or the value twice if they are unknown.
pub fn span(figure: Interval) -> [f64; 2] {
    figure.ends().map_or([figure.middle(); 2], |(low, high)| [low, high])
}

/// Sort key: the value, or the lower bound if there is none.
pub fn order(figure: Interval) -> f64 {
    figure.value.unwrap_or(figure.low)
}

impl Entry {
    /// The entry of a row.
    pub fn of(view: View) -> Entry {
        let energy = &view.figures.energy;
        let windows = view.row.windows.as_ref();
        let gpu = view.device.is_some_and(|device| device.gpu.is_some());
        Entry {
            device: view.row.device.to_string(),
            name: view.name(),
            class: view.class(),
            workload: view.row.workload.clone(),
            mode: view.manifest().protocol.mode.clone(),
            outcome: view.row.outcome.clone(),
            reasons: view.reasons(),
            rate: view.figures.throughput,
            windows: windows.map_or((0, 0), |w| (w.len(), w.blocks.windows.len())),
            joules: energy.joules_per_unit,
            watts: energy.power_watts,
            provenance: energy.provenance(),
            scope: energy.scope.filter(|_| energy.joules_per_unit.is_some()),
            speed_only: view.is_speed_only(),
            about: provenance::sentences(view),
            conditions: view.manifest().conditions(gpu),
            power_limit: view.row.condition.power_limit_watts,
            published: Published::of(view),
            ceilings: ceilings(view),
            rows: 1,
            left_out: 0,
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

    /// A rate in its unit, as text.
    pub fn rate_words(&self, per_second: f64) -> String {
        Rate { per_second, unit: self.workload.unit }.to_string()
    }

    /// Joules per unit of work in the customary unit, as text.
    pub fn joules_words(&self, joules: f64) -> String {
        EnergyPerWork { joules, unit: self.workload.unit }.to_string()
    }

    /// The same without the unit.
    pub fn joules_figure(&self, joules: f64) -> String {
        EnergyPerWork { joules, unit: self.workload.unit }.figure()
    }

    /// `measured (counter), gpu-board`.
    pub fn source_words(&self) -> String {
        let how = provenance::short(self.provenance);
        self.scope.map_or(how.to_string(), |scope| format!("{how}, {}", scope.into_str()))
    }

    /// Its rate relative to a published one, as text.
    pub fn published_words(&self) -> String {
        self.published.as_ref().map_or("–".into(), Published::words)
    }

    /// `valid`, `invalid`, or the name of its outcome.
    pub fn state(&self) -> &'static str {
        match self.outcome {
            Outcome::Measured if self.reasons.is_empty() => "valid",
            Outcome::Measured => "invalid",
            Outcome::Unsupported(_) | Outcome::Failed(_) | Outcome::Crashed(_) => {
                self.outcome.into_str()
            }
        }
    }

    /// How the rate was computed, in a sentence.
    pub fn about_rate(&self) -> String {
        let counted = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let (windows, blocks) = self.windows;
        let sample = match self.rows {
            1 => format!("{} in {}", counted(windows, "window"), counted(blocks, "block")),
            rows => counted(rows, "row"),
        };
        let ends = match (self.rate.map(Interval::ends), self.rows) {
            (Some(None), 1) => ", too few for an interval",
            (_, 1) => ", with its 95 % interval",
            _ => ", from the lowest end of their intervals to the highest",
        };
        format!("The median of {sample}{ends}.")
    }
}
