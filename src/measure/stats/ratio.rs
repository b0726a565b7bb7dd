//! How many times as large one sample is as another, and what chance leaves open of that.

use super::{bootstrap, mann_whitney, median};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A ratio of two independent samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The second sample's figure over the first's.
    pub value: f64,
    /// Lower and upper end of its 95 % interval.
    pub ci95: (f64, f64),
    /// Of its 99 % interval.
    pub ci99: (f64, f64),
    /// Two-sided: how often chance alone would part samples of one distribution so far.
    pub p: f64,
}

/// The ratio of geometric means of positive figures, one for each block, by Student's test of their logarithms; none if a
/// sample has fewer than two.
///
/// Windows of a block share the machine's state, so that twenty of them tell less than twenty that are independent: taken
/// as independent, they would find a difference between equal rows in a quarter of cases where blocks scatter as much as
/// windows do. Blocks lie apart in time, and their own scatter is what chance does from one to the next. Both samples'
/// scatter is taken as one, since three blocks alone hardly tell theirs.
pub fn ratio_of_blocks(base: &[f64], new: &[f64]) -> Option<Ratio> {
    let (n, m) = (base.len() as f64, new.len() as f64);
    if base.len().min(new.len()) < 2 {
        return None;
    }
    let logs = |values: &[f64]| values.iter().map(|v| v.ln()).collect::<Vec<_>>();
    let mean = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
    let squares = |logs: &[f64]| {
        let mean = mean(logs);
        logs.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()
    };
    let (base, new) = (logs(base), logs(new));
    let change = mean(&new) - mean(&base);
    let freedom = n + m - 2.0;
    let error = ((squares(&base) + squares(&new)) / freedom * (1.0 / n + 1.0 / m)).sqrt();
    let student = StudentsT::new(0.0, 1.0, freedom).expect("at least two degrees of freedom");
    let within = |below: f64| {
        let half = student.inverse_cdf(below) * error;
        ((change - half).exp(), (change + half).exp())
    };
    let p = match (change == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 2.0 * student.sf((change / error).abs()),
    };
    Some(Ratio { value: change.exp(), ci95: within(0.975), ci99: within(0.995), p })
}

/// The ratio of medians of windows that are independent of each other, with its bootstrap intervals and Mann and Whitney's
/// p-value; none of fewer than six windows a sample.
pub fn ratio_of_windows(base: &[f64], new: &[f64], seed: u64) -> Option<Ratio> {
    let ratio = |base: &[f64], new: &[f64]| match (median(base), median(new)) {
        (Some(base), Some(new)) => new / base,
        _ => f64::NAN,
    };
    let [ci95, ci99] = bootstrap(base, new, seed, [0.95, 0.99], ratio)?;
    Some(Ratio { value: ratio(base, new), ci95, ci99, p: mann_whitney(new, base)?.p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_have_the_ratio_one() {
        let blocks = [100.0, 101.0, 99.0];
        let same = ratio_of_blocks(&blocks, &blocks).unwrap();
        assert_eq!((same.value, same.p), (1.0, 1.0));
        assert!(same.ci95.0 < 1.0 && same.ci95.1 > 1.0);
        let windows = [100.0, 101.0, 99.0, 98.0, 102.0, 100.5];
        let same = ratio_of_windows(&windows, &windows, 1).unwrap();
        assert_eq!((same.value, same.p), (1.0, 1.0));
        assert_eq!(ratio_of_blocks(&blocks, &blocks[..1]), None);
        assert_eq!(ratio_of_windows(&windows, &windows[..5], 1), None);
    }

    #[test]
    fn blocks_that_do_not_scatter_leave_nothing_open() {
        let half = ratio_of_blocks(&[2.0, 2.0], &[1.0, 1.0, 1.0]).unwrap();
        assert_eq!(half, Ratio { value: 0.5, ci95: (0.5, 0.5), ci99: (0.5, 0.5), p: 0.0 });
    }

    #[test]
    fn windows_that_share_their_block_do_not_count_as_many() {
        // Three blocks of windows that hardly differ among themselves; the rows' blocks interleave.
        let row =
            |blocks: [f64; 3]| blocks.map(|b| [b, b * 1.001, b * 0.999, b * 1.002, b * 0.998]);
        let (base, new) = (row([100.0, 103.0, 106.0]), row([97.0, 99.0, 104.0]));
        let windows = ratio_of_windows(&base.concat(), &new.concat(), 1).unwrap();
        assert!(windows.p < 0.05, "{windows:?}");
        let of = |row: [[f64; 5]; 3]| row.map(|block| median(&block).unwrap());
        let blocks = ratio_of_blocks(&of(base), &of(new)).unwrap();
        assert!(blocks.p > 0.2 && blocks.ci95.1 > 1.0, "{blocks:?}");
    }
}
