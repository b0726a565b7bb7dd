//! What `peak` computes, and the error bound of its result.
//!
//! Pairs are rotated: x += f·y, then y −= f·x. That preserves x² + y² + f·x·y, so values stay in range, every product depends on the
//! previous one, and nothing converges that a compiler or a chip could exploit.

use crate::workload::data::{Seed, Tensor};

/// f, exact in every type.
pub(super) const FACTOR: f32 = 0.5;

/// Initial values of a window, within −1 to 1, exact in f16.
#[derive(Clone, Copy)]
pub(super) struct Starts(Tensor);

impl Starts {
    pub(super) fn of_window(seed: Seed, window: Option<u32>) -> Starts {
        Starts(match window {
            Some(window) => seed.tensor(&format!("starts in window {window}")),
            None => seed.tensor("starts"),
        })
    }

    pub(super) fn value(&self, index: u64) -> f32 {
        (self.0.value(index) * 256.0).round_ties_even() / 1024.0
    }

    /// 32 bits that are never all equal.
    pub(super) fn word(&self, index: u64) -> u32 {
        (self.0.value(2 * index).to_bits() << 9) ^ self.0.value(2 * index + 1).to_bits()
    }
}

/// Expected sum of all pairs after `rounds` rounds.
pub(super) fn turned(pairs: impl Iterator<Item = (f32, f32)>, rounds: u32) -> f64 {
    let factor = f64::from(FACTOR);
    let pair = |(x, y): (f32, f32)| {
        let (mut x, mut y) = (f64::from(x), f64::from(y));
        for _ in 0..rounds {
            x += factor * y;
            y -= factor * x;
        }
        x + y
    };
    pairs.map(pair).sum()
}

/// Error bound of a sum of `chains` pairs. A step errs by two unit roundoffs at most and typically by a third of one. Errors of many
/// rounds and pairs add up as a root sum of squares; four unit roundoffs per step leave a margin.
pub(super) fn allowed(chains: u32, rounds: u32, roundoff: f64) -> f64 {
    4.0 * roundoff * f64::from(2 * chains * rounds).sqrt()
}

/// Expected sum of a ring of words after `rounds` rounds, which add to each word the dot product of the bytes of the next two.
pub(super) fn dotted(mut ring: Vec<i32>, rounds: u32) -> i32 {
    let dot = |a: i32, b: i32| -> i32 {
        let bytes = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
        bytes.map(|(a, b)| i32::from(a as i8) * i32::from(b as i8)).sum()
    };
    let n = ring.len();
    for _ in 0..rounds {
        for i in 0..n {
            ring[i] = ring[i].wrapping_add(dot(ring[(i + 1) % n], ring[(i + 2) % n]));
        }
    }
    ring.into_iter().fold(0, i32::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_stays_in_range_and_never_converges() {
        let starts = Starts::of_window(Seed([1; 32]), None);
        let (mut x, mut y) = (starts.value(0), starts.value(1));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            x += FACTOR * y;
            y -= FACTOR * x;
            assert!(x.abs() < 2.0 && y.abs() < 2.0);
            seen.insert((x.to_bits(), y.to_bits()));
        }
        assert!(seen.len() > 9_900, "{}", seen.len());
    }

    #[test]
    fn a_missing_round_is_detected() {
        let starts = Starts::of_window(Seed([1; 32]), Some(3));
        let pairs = |n: u64| (0..n).map(|i| (starts.value(2 * i), starts.value(2 * i + 1)));
        for (roundoff, allowed_misses) in [(2f64.powi(-24), 0), (2f64.powi(-11), 30)] {
            let close = (0..100).filter(|&i| {
                let pairs = || pairs(8 * (i + 1)).skip(8 * i as usize);
                (turned(pairs(), 512) - turned(pairs(), 511)).abs() <= allowed(8, 512, roundoff)
            });
            assert!(close.count() <= allowed_misses, "{roundoff}");
        }
    }
}
