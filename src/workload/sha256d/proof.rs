//! Proof of work: shares that anyone can hash again. A share costs its finder 2^zero_bits hashes on average, and the
//! headers follow from the run's manifest, so neither can they be had cheaper nor taken from another run.

use super::WORDS;
use crate::oracle::Verdict;
use crate::oracle::sha256d::{self as oracle, Header};
use crate::workload::data::Seed;
use std::collections::HashSet;

/// Versions that a header has: the 16 bits that BIP 320 leaves to miners.
const MOST_VERSIONS: u32 = 1 << 16;

/// The header with its `version`-th version field; 0 is the header itself.
pub fn versioned(header: &Header, version: u32) -> Header {
    let mut header = *header;
    let [a, b, c, d, ..] = header;
    let field = u32::from_le_bytes([a, b, c, d]) ^ (version << 13);
    header[..4].copy_from_slice(&field.to_le_bytes());
    header
}

/// A hash that met the target: of the run's `header`-th header, in its `version`-th version, with this nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// Index of the header.
    pub header: u64,
    /// Which of its versions.
    pub version: u32,
    /// The nonce.
    pub nonce: u32,
}

impl Share {
    /// The place of its word in the scan.
    fn place(&self) -> Option<u64> {
        self.header.checked_mul(WORDS)?.checked_add(u64::from(self.nonce.swap_bytes()))
    }

    /// Zero bits that its hash begins with.
    fn zero_bits(&self, seed: Seed) -> u32 {
        let header = versioned(&seed.header(self.header), self.version);
        oracle::leading_zero_bits(&oracle::hash(&header, self.nonce))
    }
}

/// The shares of a stretch of the scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// A share's hash begins with so many zero bits.
    pub zero_bits: u32,
    /// Versions of the header in which each word was hashed.
    pub versions: u32,
    /// First place of the stretch: 2^32 times the header's index, and the word.
    pub from: u64,
    /// The place after its last.
    pub to: u64,
    /// Every share of the stretch.
    pub shares: Vec<Share>,
}

/// Shares that a run keeps, at most; it keeps at least half as many if it found them.
const KEPT: f64 = 1500.0;

impl Shares {
    /// Hashes of the stretch; none if that is no number of hashes at all.
    pub fn hashes(&self) -> Option<u64> {
        self.to.checked_sub(self.from)?.checked_mul(u64::from(self.versions))
    }

    /// Shares that the stretch has on average.
    pub fn expected(&self) -> f64 {
        self.hashes().unwrap_or(0) as f64 / 2f64.powi(self.zero_bits.min(256) as i32)
    }

    /// This stretch and the one that follows it.
    pub(super) fn and(mut self, next: Shares) -> Shares {
        self.to = next.to;
        self.shares.extend(next.shares);
        self
    }

    /// The same stretch with a harder target, so that it has no more shares than a file should hold.
    pub(super) fn thinned(mut self, seed: Seed) -> Shares {
        while self.expected() > KEPT {
            self.zero_bits += 1;
        }
        let zero_bits = self.zero_bits;
        self.shares.retain(|share| share.zero_bits(seed) >= zero_bits);
        self
    }

    /// Hashes every share again and asks whether so many, spread so, come of so much work.
    pub fn judge(&self, seed: Seed) -> Verdict {
        let Some(hashes) = self.hashes() else {
            return Verdict::Disagrees(format!("no scan goes from {} to {}", self.from, self.to));
        };
        if self.versions > MOST_VERSIONS {
            return Verdict::Disagrees(format!("a header has no {} versions", self.versions));
        }
        let mut seen = HashSet::new();
        let mut places = Vec::new();
        for share in &self.shares {
            let Share { header, version, nonce } = share;
            let wrong = |what: &str| {
                Verdict::Disagrees(format!(
                    "the share of header {header}, version {version}, nonce {nonce} {what}"
                ))
            };
            let place = match share.place() {
                Some(place) if (self.from..self.to).contains(&place) => place,
                _ => return wrong("lies outside the range that was scanned"),
            };
            if *version >= self.versions {
                return wrong("is of a version that was not scanned");
            }
            if !seen.insert(share) {
                return wrong("stands twice");
            }
            let bits = share.zero_bits(seed);
            if bits < self.zero_bits {
                return wrong(&format!("has {bits} zero bits of {}", self.zero_bits));
            }
            places.push((place - self.from) as f64 / (self.to - self.from) as f64);
        }
        let count = self.shares.len() as u64;
        oracle::judge_count(hashes, self.zero_bits, count).and(oracle::judge_spread(places))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::hex;

    /// Published shares are checked by these bytes; a change breaks every file. Made by `tests/golden/data.py`.
    #[test]
    fn golden_version() {
        let header = Seed([7; 32]).header(3);
        assert_eq!(versioned(&header, 0), header);
        assert_eq!(hex(&versioned(&header, 0x8005))[..8], *"00a00030");
        assert_eq!(versioned(&header, 0x8005)[4..], header[4..]);
    }

    #[test]
    fn thinning_keeps_the_harder_half() {
        let seed = Seed([6; 32]);
        let header = seed.header(0);
        let found = (0..1u32 << 16)
            .map(u32::swap_bytes)
            .filter(|&nonce| oracle::leading_zero_bits(&oracle::hash(&header, nonce)) >= 4);
        let shares = found.map(|nonce| Share { header: 0, version: 0, nonce }).collect();
        let all = Shares { zero_bits: 4, versions: 1, from: 0, to: 1 << 16, shares };
        let thinned = all.clone().thinned(seed);
        assert!(thinned.expected() <= KEPT && thinned.expected() > KEPT / 2.0);
        assert!(thinned.shares.len() < all.shares.len() / 2);
        for shares in [all, thinned] {
            assert!(matches!(shares.judge(seed), Verdict::Agrees { .. }));
        }
    }
}
