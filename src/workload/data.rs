//! What workloads draw from a seed besides tensors: choices, and the headers that are hashed.

use crate::oracle::sha256d::Header;
use crate::seed::mix;
use std::collections::BTreeSet;

pub use crate::seed::{Seed, Tensor};

impl Seed {
    /// `n` fair coins.
    pub fn coins(&self, name: &str, n: usize) -> Vec<bool> {
        let key = self.key(name);
        (0..n as u64).map(|i| mix(key, i) & 1 == 1).collect()
    }

    /// About `n` numbers below `below`, in ascending order, none twice.
    pub fn picks(&self, name: &str, below: u64, n: usize) -> Vec<u64> {
        let key = self.key(name);
        let numbers: BTreeSet<u64> = (0..n as u64).map(|i| mix(key, i) % below).collect();
        numbers.into_iter().collect()
    }

    /// The header that a run scans as its `index`-th: its merkle root is a digest of the seed, which is itself a
    /// digest of the run's manifest. The nonce is zero.
    pub fn header(&self, index: u64) -> Header {
        let mut header = [0; 80];
        header[..4].copy_from_slice(&0x2000_0000u32.to_le_bytes()); // as blocks carry since 2016 (BIP 9)
        header[36..68].copy_from_slice(&self.child(&format!("header {index}")).0);
        header[68..72].copy_from_slice(&(index as u32).to_le_bytes()); // in the place of the time
        header[72..76].copy_from_slice(&0x1d00_ffffu32.to_le_bytes()); // difficulty 1
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published results recompute from these; a change breaks every file. Made by `tests/golden/data.py`.
    #[test]
    fn golden_header() {
        let header = crate::kernels::hex(&Seed([7; 32]).header(3));
        assert_eq!(&header[..72], format!("00000020{}", "0".repeat(64)));
        assert_eq!(
            &header[72..136],
            "173d8852824193c01648d48c68b091e23d98fa7a966d768b28b0d01deada033b"
        );
        assert_eq!(&header[136..], "03000000ffff001d00000000");
    }
}
