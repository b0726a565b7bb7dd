//! Seeded data of workloads besides tensors: random choices and block headers.

use crate::oracle::sha256d::Header;
use crate::seed::mix;
use std::collections::BTreeSet;

pub use crate::seed::{Seed, Tensor};

impl Seed {
    /// `n` fair coin flips.
    pub fn coins(&self, name: &str, n: usize) -> Vec<bool> {
        let key = self.key(name);
        (0..n as u64).map(|i| mix(key, i) & 1 == 1).collect()
    }

    /// About `n` distinct random numbers below `below`, in ascending order.
    pub fn picks(&self, name: &str, below: u64, n: usize) -> Vec<u64> {
        let key = self.key(name);
        let numbers: BTreeSet<u64> = (0..n as u64).map(|i| mix(key, i) % below).collect();
        numbers.into_iter().collect()
    }

    /// Block header number `index` of a run. Its merkle root is a digest of the seed, which is itself a digest of the run's manifest. The
    /// nonce is zero.
    pub fn header(&self, index: u64) -> Header {
        let mut header = [0; 80];
        header[..4].copy_from_slice(&0x2000_0000u32.to_le_bytes()); // as in blocks since 2016 (BIP 9)
        header[36..68].copy_from_slice(&self.child(&format!("header {index}")).0);
        header[68..72].copy_from_slice(&(index as u32).to_le_bytes()); // replaces the time
        header[72..76].copy_from_slice(&0x1d00_ffffu32.to_le_bytes()); // difficulty 1
        header
    }
}
