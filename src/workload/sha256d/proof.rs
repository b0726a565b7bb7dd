//! Proof of work: shares that anyone can hash again. A share costs its finder 2^zero_bits hashes on average, and the
//! headers follow from the run's manifest, so neither can they be had cheaper nor taken from another run.

use super::WORDS;
use crate::oracle::Verdict;
use crate::oracle::sha256d::{self as oracle, Header};
use crate::workload::data::Seed;
use std::collections::HashSet;
use std::ops::Range;

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

/// The shares of some stretches of the scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// A share's hash begins with so many zero bits.
    pub zero_bits: u32,
    /// Versions of the header in which each word was hashed.
    pub versions: u32,
    /// The stretches in order, none upon another: from the first place to the one after the last. A place is 2^32 times
    /// the header's index, and the word.
    pub stretches: Vec<Range<u64>>,
    /// Every share of the stretches.
    pub shares: Vec<Share>,
}

/// Shares that a run keeps, at most; it keeps at least half as many if it found them.
const KEPT: f64 = 1500.0;
/// Shares that a scan must have on average to show anything. A batch has four or more, a window ten batches or more; a target
/// that is so hard that none is to be expected would go with any claim.
const FEWEST: f64 = 20.0;

impl Shares {
    /// Words of the stretches; none if that is no number of words, or they lie upon each other.
    fn words(&self) -> Option<u64> {
        let mut end = 0;
        self.stretches.iter().try_fold(0u64, |sum, stretch| {
            let apart = stretch.start >= std::mem::replace(&mut end, stretch.end);
            sum.checked_add(stretch.end.checked_sub(stretch.start).filter(|_| apart)?)
        })
    }

    /// Hashes of the stretches; none if that is no number of hashes at all.
    pub fn hashes(&self) -> Option<u64> {
        self.words()?.checked_mul(u64::from(self.versions))
    }

    /// Shares that the stretches have on average.
    pub fn expected(&self) -> f64 {
        self.hashes().unwrap_or(0) as f64 / 2f64.powi(self.zero_bits.min(256) as i32)
    }

    /// These stretches and some that follow. A target that is harder in one holds for all once they are thinned.
    pub(super) fn and(mut self, next: Shares) -> Shares {
        self.zero_bits = self.zero_bits.max(next.zero_bits);
        for stretch in next.stretches {
            match self.stretches.last_mut().filter(|last| last.end == stretch.start) {
                Some(last) => last.end = stretch.end,
                None => self.stretches.push(stretch),
            }
        }
        self.shares.extend(next.shares);
        self
    }

    /// The same stretches with a harder target, so that they have no more shares than a file should hold.
    pub(super) fn thinned(mut self, seed: Seed) -> Shares {
        while self.expected() > KEPT {
            self.zero_bits += 1;
        }
        let zero_bits = self.zero_bits;
        self.shares.retain(|share| share.zero_bits(seed) >= zero_bits);
        self
    }

    /// How many words of the stretches come before this place; none if it is none of them.
    fn word(&self, place: u64) -> Option<u64> {
        let at = self.stretches.iter().position(|stretch| stretch.contains(&place))?;
        let before: u64 = self.stretches[..at].iter().map(|s| s.end - s.start).sum();
        Some(before + place - self.stretches[at].start)
    }

    /// Judges the shares of all of a row's windows, which must be enough to show something.
    pub fn judge_row(&self, seed: Seed) -> Verdict {
        if self.expected() < FEWEST {
            let (expected, bits) = (self.expected(), self.zero_bits);
            return Verdict::Disagrees(format!(
                "{expected:.1} shares of {bits} zero bits are to be expected, too few to show that anything was hashed"
            ));
        }
        self.judge(seed)
    }

    /// Hashes every share again and asks whether so many, spread so, come of so much work.
    pub fn judge(&self, seed: Seed) -> Verdict {
        let (Some(words), Some(hashes)) = (self.words(), self.hashes()) else {
            return Verdict::Disagrees("no scan has such stretches".into());
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
            let Some(word) = share.place().and_then(|place| self.word(place)) else {
                return wrong("lies outside the range that was scanned");
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
            places.push(word as f64 / words as f64);
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
        let stretches = vec![0..20_000, 20_000..1 << 16];
        let all = Shares { zero_bits: 4, versions: 1, stretches, shares };
        let thinned = all.clone().thinned(seed);
        assert!(thinned.expected() <= KEPT && thinned.expected() > KEPT / 2.0);
        assert!(thinned.shares.len() < all.shares.len() / 2);
        for shares in [all, thinned] {
            assert!(matches!(shares.judge(seed), Verdict::Agrees { .. }));
        }
    }

    #[test]
    fn a_target_that_nothing_meets_shows_nothing() {
        let claim = |zero_bits| Shares {
            zero_bits,
            versions: 1,
            stretches: vec![0..1 << 40],
            shares: Vec::new(),
        };
        for zero_bits in [36, 80, 256, u32::MAX] {
            let verdict = claim(zero_bits).judge_row(Seed([6; 32]));
            assert!(matches!(verdict, Verdict::Disagrees(_)), "{zero_bits} bits: {verdict:?}");
        }
    }

    #[test]
    fn stretches_have_gaps_between_them_and_never_lie_upon_each_other() {
        let shares = |stretches: &[Range<u64>]| Shares {
            zero_bits: 8,
            versions: 2,
            stretches: stretches.to_vec(),
            shares: Vec::new(),
        };
        let joined = shares(&[0..10]).and(shares(&[10..15])).and(shares(&[20..25]));
        assert_eq!(joined.stretches, [0..15, 20..25]);
        assert_eq!(
            (joined.hashes(), joined.word(14), joined.word(21)),
            (Some(40), Some(14), Some(16))
        );
        assert_eq!((joined.word(15), joined.word(25)), (None, None));
        let backwards = Range { start: 5, end: 1 };
        for impossible in [&[backwards][..], &[0..10, 9..20], &[10..20, 0..5], &[0..u64::MAX]] {
            assert_eq!(shares(impossible).hashes(), None, "{impossible:?}");
        }
    }
}
