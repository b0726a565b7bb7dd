//! Statistics of windows: medians, scatter, trends and ratios, with confidence intervals. `tests/kernels/stats.rs` compares them with SciPy.

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

/// An estimate with its 95 % confidence interval, if the sample is large enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower and upper end of the 95 % confidence interval.
    pub ci95: Option<(f64, f64)>,
    /// Sample size.
    pub n: usize,
}

/// The 97.5 % quantile of the normal distribution.
const NORMAL_975: f64 = 1.959_963_984_540_054;
