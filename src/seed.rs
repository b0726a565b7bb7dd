//! Test data: every value is a pure function of (seed, name, index), so that a reader of a result can recompute any
//! element alone. Never zeros or constants: the power that a chip draws depends on its data.

use sha2::{Digest, Sha256};

/// What all data of a run follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// A seed of its own for one part of the run.
    pub fn child(&self, name: &str) -> Seed {
        Seed(Sha256::new().chain_update(self.0).chain_update(name).finalize().into())
    }

    /// The key of a sequence of numbers.
    pub(crate) fn key(&self, name: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.child(name).0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// The values of a tensor: bell-shaped, mean 0, deviation 1, within ±3.47, 2^18 levels.
    pub fn tensor(&self, name: &str) -> Tensor {
        Tensor { key: self.key(name) }
    }
}

/// A tensor's values by index.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    key: u64,
}

impl Tensor {
    /// The value at `index`: four 16-bit draws added up, which is close to a normal distribution. Integer
    /// arithmetic and one multiplication: the same on every machine.
    pub fn value(&self, index: u64) -> f32 {
        /// 1 ÷ the deviation of the sum, 65536·√(4/12).
        const SCALE: f32 = 1.0 / 37837.227;
        let bits = mix(self.key, index);
        // Two at a time, then both pairs.
        let pairs = (bits & 0x0000_ffff_0000_ffff) + (bits >> 16 & 0x0000_ffff_0000_ffff);
        let sum = (pairs as u32 + (pairs >> 32) as u32) as i32;
        (sum - 2 * 0xffff) as f32 * SCALE
    }

    /// The first `n` values.
    pub fn values(&self, n: usize) -> Vec<f32> {
        (0..n as u64).map(|i| self.value(i)).collect()
    }
}

/// SplitMix64's output for state `key + index·γ` (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) fn mix(key: u64, index: u64) -> u64 {
    let mut z = key.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_splitmix64() {
        // The generator's first three outputs from state 1234567, as published with it.
        let out = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([0, 1, 2].map(|i| mix(1_234_567, i)), out);
    }

    /// Published results recompute from these; a change breaks every file. Made by `tests/golden/data.py`.
    #[test]
    fn golden_values() {
        let seed = Seed([7; 32]);
        let bits = [0, 1, 2, 1_000_003].map(|i| seed.tensor("A").value(i).to_bits());
        assert_eq!(bits, [0x3f64500f, 0xbfff3d9f, 0xbe4e1d33, 0x3fc4103d]);
    }

    #[test]
    fn values_spread_like_a_bell() {
        let values = Seed([1; 32]).tensor("A").values(100_000);
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / 1e5;
        let variance = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 1e5;
        let beyond_two = values.iter().filter(|v| v.abs() > 2.0).count();
        assert!(mean.abs() < 0.015 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert!((3800..4800).contains(&beyond_two), "{beyond_two}");
    }
}
