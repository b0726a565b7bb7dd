//! Statistics of windows: medians, scatter, trends and ratios, with confidence intervals. `tests/kernels/stats.rs` compares them with SciPy.

mod location;
mod ranks;
mod ratio;

pub use location::{mad, median, median_interval, outliers};
pub use ranks::{MannWhitney, mann_whitney, theil_sen};
pub use ratio::{Ratio, bootstrap, ratio_of_blocks, ratio_of_windows};

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
