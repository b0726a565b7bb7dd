//! Test data: every value is a pure function of (seed, name, index), so that anybody can recompute a single element of a result. The data
//! is never zeros or constants, since a chip's power draw depends on its data.

use sha2::{Digest, Sha256};

/// The seed of all test data of a run: 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The seed of one part of the run: SHA-256 of this seed and `name`.
    pub fn child(&self, name: &str) -> Seed {
        Seed(Sha256::new().chain_update(self.0).chain_update(name).finalize().into())
    }

    /// The key of a pseudorandom sequence: the first 8 bytes of the child seed `name`.
    pub(crate) fn key(&self, name: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.child(name).0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// A pseudorandom tensor: approximately normal, mean 0, standard deviation 1, within ±3.47, 2^18 levels.
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
    /// The value at `index`: the sum of four 16-bit uniform draws, which is close to normal. Integer arithmetic and one multiplication
    /// give the same value on every machine.
    pub fn value(&self, index: u64) -> f32 {
        /// 1 / standard deviation of the sum, which is 65536·√(4/12).
        const SCALE: f32 = 1.0 / 37837.227;
        let bits = mix(self.key, index);
        // Adds two 16-bit fields at a time, then both pairs.
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
pub fn mix(key: u64, index: u64) -> u64 {
    let mut z = key.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
