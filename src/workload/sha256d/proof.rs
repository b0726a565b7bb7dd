//! Proof of work: shares that anyone can hash again. A share costs 2^zero_bits hashes on average, and the headers depend on the run's
//! manifest, so shares cannot be found with less work or copied from another run.

use super::WORDS;
use crate::oracle::Verdict;
use crate::oracle::sha256d::{self as oracle, Header};
use crate::workload::data::Seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;

/// Maximum versions of a header: the 16 bits that BIP 320 reserves for miners.
const MAX_VERSIONS: u32 = 1 << 16;

/// The header with version field number `version`; 0 is the header itself.
pub fn versioned(header: &Header, version: u32) -> Header {
    let mut header = *header;
    let [a, b, c, d, ..] = header;
    let field = u32::from_le_bytes([a, b, c, d]) ^ (version << 13);
    header[..4].copy_from_slice(&field.to_le_bytes());
    header
}

/// Position of a header's word in the scan.
fn position(header: u64, word: u32) -> Option<u64> {
    header.checked_mul(WORDS)?.checked_add(u64::from(word))
}

/// A hash below the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// Index of the run's header.
    pub header: u64,
    /// Version of the header.
    pub version: u32,
    /// The nonce.
    pub nonce: u32,
}

impl Share {
    /// The 64 most significant bits of its hash, with this header.
    fn most_significant(&self, header: &Header) -> u64 {
        oracle::most_significant(&oracle::hash(&versioned(header, self.version), self.nonce))
    }
}

/// Shares of some ranges of the scan. A hash is a share if its 64 most significant bits are below the target, so that the number of
/// shares shows how many hashes were computed. A header's bytes: version 0x20000000, exclusive or the share's `version` shifted left by
/// 13; 32 zero bytes; SHA-256 of the row's seed and `header N`; N; 0x1d00ffff; the nonce. Numbers are little-endian, 4 bytes. The row's
/// seed is SHA-256 of the run's seed and `DEVICE WORKLOAD` as the row has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Columns", try_from = "Columns")]
#[schemars(with = "Columns")]
pub struct Shares {
    /// A hash is a share if its 64 most significant bits are below this.
    pub target: u64,
    /// Header versions in which each word was hashed.
    pub versions: u32,
    /// Scanned ranges in order, without overlap. A position is 2^32 times the header's index plus the word.
    pub stretches: Vec<Range<u64>>,
    /// Every share of the ranges.
    pub shares: Vec<Share>,
}

/// Shares in columns. A position is a header's index and a word, the byte-swapped nonce as the hash reads it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Columns {
    /// Target in 16 hex digits: a hash is a share if its 64 most significant bits are below it.
    target: String,
    /// Header versions in which every word was hashed.
    versions: u32,
    /// Ranges that the windows scanned, in order: header and word of the first position, header and word of the position after the last.
    /// The warm-up between blocks scans the gaps.
    scanned: Vec<(u64, u32, u64, u32)>,
    /// Headers of the shares, in order: a header's index, and the number of its shares.
    header: Vec<(u64, usize)>,
    /// Version of each share.
    version: Vec<u32>,
    /// Nonces of all shares, 8 hex digits each.
    nonces: String,
}

impl From<Shares> for Columns {
    fn from(from: Shares) -> Columns {
        let parts = |position: u64| (position / WORDS, (position % WORDS) as u32);
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
        let stretch = |&(from, first, to, end): &(u64, u32, u64, u32)| {
            Some(position(from, first)?..position(to, end)?)
        };
        let stretches: Option<Vec<Range<u64>>> = from.scanned.iter().map(stretch).collect();
        let headers = header.iter().flat_map(|(header, n)| std::iter::repeat_n(*header, *n));
        let share = |((i, header), &version): ((usize, u64), &u32)| {
            let nonce = u32::from_str_radix(&nonces[8 * i..][..8], 16);
            nonce.map(|nonce| Share { header, version, nonce })
        };
        let shares: Result<Vec<Share>, _> = headers.enumerate().zip(version).map(share).collect();
        let shares = shares.map_err(|_| "nonces: they are hex digits")?;
        Ok(Shares {
            target: target.ok_or("target: it has 16 hex digits")?,
            versions: from.versions,
            stretches: stretches.ok_or("no scan is so long")?,
            shares,
        })
    }
}

/// Maximum expected number of shares that a row keeps: 400 and a margin.
const MAX_EXPECTED: f64 = 420.0;
/// Minimum expected number of shares of a row. A batch has four or more, a window ten batches or more. A target so hard that no share is
/// expected would fit any claim.
const MIN_EXPECTED: f64 = 20.0;

impl Shares {
    /// Words of the ranges; `None` on overflow, or if ranges overlap.
    fn words(&self) -> Option<u64> {
        let mut end = 0;
        self.stretches.iter().try_fold(0u64, |sum, stretch| {
            let disjoint = stretch.start >= std::mem::replace(&mut end, stretch.end);
            sum.checked_add(stretch.end.checked_sub(stretch.start).filter(|_| disjoint)?)
        })
    }

    /// Hashes of the ranges; `None` on overflow, or if ranges overlap.
    pub fn hashes(&self) -> Option<u64> {
        self.words()?.checked_mul(u64::from(self.versions))
    }

    /// Expected number of shares of the ranges.
    pub fn expected(&self) -> f64 {
        self.hashes().unwrap_or(0) as f64 / self.hashes_per_share()
    }

    /// Expected hashes per share.
    pub fn hashes_per_share(&self) -> f64 {
        2f64.powi(64) / self.target as f64
    }

    /// The target for hashes with `zero_bits` leading zero bits.
    pub fn target(zero_bits: u32) -> u64 {
        u64::MAX.checked_shr(zero_bits).map_or(0, |most| most.saturating_add(1))
    }

    /// Appends later ranges. The harder target applies to all of them once they are thinned.
    pub fn and(mut self, next: Shares) -> Shares {
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

    /// The same ranges with a harder target, so that a file does not hold too many shares.
    pub fn thinned(mut self, seed: Seed) -> Shares {
        let expected = self.expected();
        if expected > MAX_EXPECTED {
            self.target = (self.target as f64 * (MAX_EXPECTED / expected)) as u64;
        }
        let target = self.target;
        self.shares.retain(|share| share.most_significant(&seed.header(share.header)) < target);
        self
    }

    /// Words before each range.
    pub fn offsets(&self) -> Vec<u64> {
        let mut sum = 0;
        let before = |range: &Range<u64>| {
            let before = sum;
            sum += range.end - range.start;
            before
        };
        self.stretches.iter().map(before).collect()
    }

    /// Words scanned before `position`, with the ranges' [`offsets`](Shares::offsets); `None` if it was not scanned.
    pub fn word(&self, offsets: &[u64], position: u64) -> Option<u64> {
        let at = self.stretches.partition_point(|range| range.end <= position);
        let range = self.stretches.get(at).filter(|range| range.contains(&position))?;
        Some(offsets[at] + position - range.start)
    }

    /// Judges the shares of all windows of a row, which must be enough to be evidence.
    pub fn judge_row(&self, seed: Seed) -> Verdict {
        if self.expected() < MIN_EXPECTED {
            let expected = self.expected();
            return Verdict::Disagrees(format!(
                "{expected:.1} shares are to be expected, too few to show that anything was hashed"
            ));
        }
        self.judge(seed)
    }

    /// Hashes every share again, and tests whether their number and distribution fit the claimed work.
    pub fn judge(&self, seed: Seed) -> Verdict {
        let (Some(words), Some(_)) = (self.words(), self.hashes()) else {
            return Verdict::Disagrees("no scan has such stretches".into());
        };
        if self.versions > MAX_VERSIONS {
            return Verdict::Disagrees(format!("a header has no {} versions", self.versions));
        }
        let offsets = self.offsets();
        let mut seen = HashSet::new();
        let mut positions = Vec::new();
        // Shares of one header are consecutive.
        let mut cached = (0, seed.header(0));
        for share in &self.shares {
            let Share { header, version, nonce } = share;
            let wrong = |what: &str| {
                Verdict::Disagrees(format!(
                    "the share of header {header}, version {version}, nonce {nonce} {what}"
                ))
            };
            let Some(word) = position(*header, nonce.swap_bytes())
                .and_then(|position| self.word(&offsets, position))
            else {
                return wrong("lies outside the range that was scanned");
            };
            if *version >= self.versions {
                return wrong("is of a version that was not scanned");
            }
            if !seen.insert(share) {
                return wrong("is duplicated");
            }
            if cached.0 != *header {
                cached = (*header, seed.header(*header));
            }
            if share.most_significant(&cached.1) >= self.target {
                return wrong(
                    "does not meet the target: it was changed, or its run had another manifest, label, challenge, beacon or seed",
                );
            }
            positions.push(word as f64 / words as f64);
        }
        let count = self.shares.len() as u64;
        oracle::judge_count(self.expected(), count).and(oracle::judge_spread(positions))
    }
}
