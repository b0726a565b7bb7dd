//! Proof of work: shares that anyone can hash again. A share costs its finder 2^zero_bits hashes on average, and the
//! headers follow from the run's manifest, so neither can they be had cheaper nor taken from another run.

use super::WORDS;
use crate::oracle::Verdict;
use crate::oracle::sha256d::{self as oracle, Header};
use crate::workload::data::Seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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

    /// The 64 most significant bits of its hash.
    fn most_significant(&self, seed: Seed) -> u64 {
        self.of_header(&seed.header(self.header))
    }

    /// The same with the header at hand.
    fn of_header(&self, header: &Header) -> u64 {
        oracle::most_significant(&oracle::hash(&versioned(header, self.version), self.nonce))
    }
}

/// The shares of some stretches of the scan. A hash is one if its 64 most significant bits are below the target, so that
/// their number shows how many were computed. A
/// header's bytes: version 0x20000000, exclusive or the share's `version` shifted left by 13; 32 zero bytes; SHA-256 of the row's
/// seed and `header N`; N; 0x1d00ffff; the nonce. Numbers are little-endian, 4 bytes. The row's seed is SHA-256 of the run's seed
/// and `DEVICE WORKLOAD` as the row has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Columns", try_from = "Columns")]
#[schemars(with = "Columns")]
pub struct Shares {
    /// A share's hash begins, as a number, with 64 bits below this.
    pub target: u64,
    /// Versions of the header in which each word was hashed.
    pub versions: u32,
    /// The stretches in order, none upon another: from the first place to the one after the last. A place is 2^32 times
    /// the header's index, and the word.
    pub stretches: Vec<Range<u64>>,
    /// Every share of the stretches.
    pub shares: Vec<Share>,
}

/// Shares in columns, as results have them: a place is a header's index and a word, the nonce with its bytes swapped, as the hash
/// reads it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Columns {
    /// A share's hash begins, as a number, with 64 bits below this, in 16 hex digits.
    target: String,
    /// Versions of the header in which every word was hashed.
    versions: u32,
    /// What the windows scanned, in order: header and word of the first place, header and word of the place after the last.
    /// Between blocks the warm-up scans on.
    scanned: Vec<(u64, u32, u64, u32)>,
    /// Headers of the shares, in order: a header's index, and how many shares of it follow.
    header: Vec<(u64, usize)>,
    /// The version of each share.
    version: Vec<u32>,
    /// The nonces of all shares, 8 hex digits each.
    nonces: String,
}

impl From<Shares> for Columns {
    fn from(from: Shares) -> Columns {
        let parts = |place: u64| (place / WORDS, (place % WORDS) as u32);
        let stretch = |stretch: &Range<u64>| {
            let ((from, first), (to, end)) = (parts(stretch.start), parts(stretch.end));
            (from, first, to, end)
        };
        let runs = from.shares.chunk_by(|a, b| a.header == b.header);
        Columns {
            target: format!("{:016x}", from.target),
            versions: from.versions,
            scanned: from.stretches.iter().map(stretch).collect(),
            header: runs.map(|run| (run[0].header, run.len())).collect(),
            version: from.shares.iter().map(|share| share.version).collect(),
            nonces: from.shares.iter().map(|share| format!("{:08x}", share.nonce)).collect(),
        }
    }
}

impl TryFrom<Columns> for Shares {
    type Error = &'static str;

    fn try_from(from: Columns) -> Result<Shares, &'static str> {
        let Columns { header, version, nonces, .. } = &from;
        let n = version.len();
        let counted = header.iter().try_fold(0usize, |sum, (_, count)| sum.checked_add(*count));
        if counted != Some(n) || nonces.len() != 8 * n || !nonces.is_ascii() {
            return Err("the columns are not of one length");
        }
        let target = u64::from_str_radix(&from.target, 16).ok().filter(|_| from.target.len() == 16);
        let place =
            |header: u64, word: u32| header.checked_mul(WORDS)?.checked_add(u64::from(word));
        let stretch = |&(from, first, to, end): &(u64, u32, u64, u32)| {
            Some(place(from, first)?..place(to, end)?)
        };
        let stretches: Option<Vec<Range<u64>>> = from.scanned.iter().map(stretch).collect();
        let headers = header.iter().flat_map(|(header, n)| std::iter::repeat_n(*header, *n));
        let mut shares = Vec::with_capacity(n);
        for (i, (header, &version)) in headers.zip(version).enumerate() {
            let nonce = u32::from_str_radix(&nonces[8 * i..8 * i + 8], 16);
            let nonce = nonce.map_err(|_| "nonces: they are hex digits")?;
            shares.push(Share { header, version, nonce });
        }
        Ok(Shares {
            target: target.ok_or("target: it has 16 hex digits")?,
            versions: from.versions,
            stretches: stretches.ok_or("no scan is so long")?,
            shares,
        })
    }
}

/// Shares that a run keeps, as far as it found them: 400 and some to spare.
const KEPT: f64 = 420.0;
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
        self.hashes().unwrap_or(0) as f64 / self.hashes_a_share()
    }

    /// Hashes for a share, on average.
    pub fn hashes_a_share(&self) -> f64 {
        2f64.powi(64) / self.target as f64
    }

    /// The target of hashes that begin with so many zero bits.
    pub(super) fn target(zero_bits: u32) -> u64 {
        u64::MAX.checked_shr(zero_bits).map_or(0, |most| most.saturating_add(1))
    }

    /// These stretches and some that follow. A target that is harder in one holds for all once they are thinned.
    pub(super) fn and(mut self, next: Shares) -> Shares {
        self.target = self.target.min(next.target);
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
        let expected = self.expected();
        if expected > KEPT {
            self.target = (self.target as f64 * (KEPT / expected)) as u64;
        }
        let target = self.target;
        self.shares.retain(|share| share.most_significant(seed) < target);
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
            let expected = self.expected();
            return Verdict::Disagrees(format!(
                "{expected:.1} shares are to be expected, too few to show that anything was hashed"
            ));
        }
        self.judge(seed)
    }

    /// Hashes every share again and asks whether so many, spread so, come of so much work.
    pub fn judge(&self, seed: Seed) -> Verdict {
        let (Some(words), Some(_)) = (self.words(), self.hashes()) else {
            return Verdict::Disagrees("no scan has such stretches".into());
        };
        if self.versions > MOST_VERSIONS {
            return Verdict::Disagrees(format!("a header has no {} versions", self.versions));
        }
        let mut seen = HashSet::new();
        let mut places = Vec::new();
        // Shares of one header stand side by side.
        let mut at_hand = (0, seed.header(0));
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
            if at_hand.0 != *header {
                at_hand = (*header, seed.header(*header));
            }
            if share.of_header(&at_hand.1) >= self.target {
                return wrong("does not meet the target");
            }
            places.push(word as f64 / words as f64);
        }
        let count = self.shares.len() as u64;
        oracle::judge_count(self.expected(), count).and(oracle::judge_spread(places))
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
    fn thinning_keeps_the_hardest() {
        let seed = Seed([6; 32]);
        let header = seed.header(0);
        let found = (0..1u32 << 16)
            .map(u32::swap_bytes)
            .filter(|&nonce| oracle::leading_zero_bits(&oracle::hash(&header, nonce)) >= 4);
        let shares = found.map(|nonce| Share { header: 0, version: 0, nonce }).collect();
        let stretches = vec![0..20_000, 20_000..1 << 16];
        let all = Shares { target: Shares::target(4), versions: 1, stretches, shares };
        let thinned = all.clone().thinned(seed);
        assert!((thinned.expected() - KEPT).abs() < 1.0);
        assert!(thinned.shares.len() < all.shares.len() / 2);
        for shares in [all, thinned] {
            assert!(matches!(shares.judge(seed), Verdict::Agrees { .. }));
        }
    }

    #[test]
    fn a_target_that_nothing_meets_shows_nothing() {
        let claim = |zero_bits| Shares {
            target: Shares::target(zero_bits),
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
            target: Shares::target(8),
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
