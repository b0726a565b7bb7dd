//! Statistics of windows: medians, scatter, trends and ratios, each with what chance leaves open. `tests/stats.rs` holds
//! them to what SciPy computes.

mod bootstrap;
mod location;
mod ranks;
mod ratio;
mod trend;

pub use bootstrap::bootstrap;
pub use location::{mad, median, median_interval, outliers};
pub use ranks::{MannWhitney, mann_whitney};
pub use ratio::{Ratio, ratio_of_blocks, ratio_of_windows};
pub use trend::theil_sen;

/// An estimate with its 95 % interval, where the sample supports one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower and upper end of the 95 % interval.
    pub ci95: Option<(f64, f64)>,
    /// Values that it rests on.
    pub n: usize,
}

/// 97.5 % of a normal distribution lie below this.
const NORMAL_975: f64 = 1.959_963_984_540_054;
