//! Bitcoin's proof of work: double SHA-256 of an 80-byte header, nonce after nonce. A scanner runs the kernel; the job chooses what it
//! scans and keeps the shares that it finds as evidence of the work.
//!
//! A scan counts *words*: the nonce as the hash reads it. Header bytes are little-endian and SHA-256 reads them big-endian, so a word is
//! the byte-swapped nonce. Each word is hashed in several *versions* of the header, which differ in the bits of the version field that
//! miners roll (BIP 320) and share half of the first hash's work.

#![allow(clippy::single_range_in_vec_init)] // `stretches` often has one range

pub mod cpu;
mod gpu;
mod proof;

pub use gpu::GpuScanner;
pub use proof::{Share, Shares, versioned};

use super::{Batch, Id, Job, JobError, PreparedJob, Proof, Seed, Target, Variant, Workload};
use crate::kernels::sha256d::{HeaderWords, INITIAL};
use crate::kernels::{self, Kernel};
use crate::oracle::Verdict;
use crate::oracle::blocks::BLOCKS;
use crate::oracle::sha256d as oracle;
use crate::oracle::sha256d::Header;
use crate::units::{Seconds, Work};
use anyhow::ensure;
use sha2::block_api::compress256;
use std::collections::VecDeque;

/// Words of a header.
pub const WORDS: u64 = 1 << 32;

struct Sha256d;

/// Parses the parts of a spec after `sha256d`.
pub(super) fn parse(_: Id, parts: &[&str]) -> anyhow::Result<Box<dyn Workload>> {
    ensure!(parts.is_empty(), "sha256d takes no shape or type; write sha256d");
    Ok(Box::new(Sha256d))
}

impl Workload for Sha256d {
    fn id(&self) -> Id {
        Id::Sha256d
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Cpu(_) => cpu::kernels().map(|kernel| Variant::Cpu(kernel.id)).collect(),
            Target::Gpu(_) => {
                kernels::of_workload(self.id().into_str()).map(Variant::Gpu).collect()
            }
        }
    }

    fn prepare(&self, target: &Target, variant: &Variant, seed: Seed) -> PreparedJob {
        Ok(match (target, variant) {
            (Target::Gpu(gpu), Variant::Gpu(entry)) => {
                Box::new(Mining::new(gpu::GpuScanner::new(gpu, entry)?, seed))
            }
            _ => Box::new(Mining::new(cpu::CpuScanner::new(variant.id()), seed)),
        })
    }
}

/// A range of one header's words.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    /// The header, with any nonce.
    pub header: Header,
    /// Header versions in which each word is hashed.
    pub versions: u32,
    /// First word.
    pub first: u32,
    /// Number of words; wraps to word 0 past the last one.
    pub count: u64,
    /// Leading zero bits of a share's hash; at most 32.
    pub zero_bits: u32,
}

impl Scan {
    fn hashes(&self) -> u64 {
        self.count * u64::from(self.versions)
    }

    /// Bits of the hash's last word that must be zero. Its last byte is the hash's most significant.
    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - self.zero_bits).unwrap_or(0).swap_bytes()
    }

    /// The fixed words of every version of the header.
    fn headers(&self) -> Vec<HeaderWords> {
        (0..self.versions).map(|v| header_words(&versioned(&self.header, v))).collect()
    }
}

/// The fixed words of a header, as kernels take them.
pub fn header_words(header: &Header) -> HeaderWords {
    let (head, tail) = header.split_at(64);
    let mut midstate = INITIAL;
    compress256(&mut midstate, &[head.try_into().expect("64 bytes")]);
    let word = |i: usize| u32::from_be_bytes(std::array::from_fn(|b| tail[4 * i + b]));
    HeaderWords { midstate, tail: [word(0), word(1), word(2)] }
}

/// A hash that meets the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShareHit {
    /// Version of the header.
    pub version: u32,
    /// The byte-swapped nonce.
    pub word: u32,
}

/// What a kernel can scan.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Header versions in which it hashes each word.
    pub versions: u32,
    /// The words of a scan must be a multiple of this.
    pub granule: u64,
    /// Maximum words of a scan.
    pub longest: u64,
}

/// A kernel that scans words.
pub trait Scanner {
    /// What it can scan.
    fn limits(&self) -> Limits;
    /// The WGSL kernel, if it is one.
    fn kernel(&self) -> Option<&Kernel> {
        None
    }
    /// Submits a scan to a GPU; the CPU computes it in `wait`.
    fn submit(&mut self, _scan: &Scan) -> Result<(), JobError> {
        Ok(())
    }
    /// What the oldest submitted scan found, which is this one, and its time on the device's clock.
    fn wait(&mut self, scan: &Scan) -> Result<(Vec<ShareHit>, Option<Seconds>), JobError>;
}

/// The job: scans header after header, and keeps the shares of every window.
pub struct Mining<S> {
    scanner: S,
    limits: Limits,
    seed: Seed,
    /// Words of the next batch.
    pub batch: u64,
    /// Words submitted so far, counted over all headers.
    pub cursor: u64,
    in_flight: VecDeque<Scan>,
    /// Ranges and shares of each window.
    pub windows: Vec<Shares>,
    /// Whether the last window is open.
    open: bool,
}

impl<S: Scanner> Mining<S> {
    /// A job that begins with the seed's first header.
    pub fn new(scanner: S, seed: Seed) -> Self {
        let limits = scanner.limits();
        let (batch, in_flight, windows) = (limits.granule, VecDeque::new(), Vec::new());
        Mining { scanner, limits, seed, batch, cursor: 0, in_flight, windows, open: false }
    }

    /// Zero bits with which a batch finds 8 to 16 shares on average. Batches take at most 50 ms and a row's windows at least 3 s, which
    /// gives over 400 shares on any device.
    fn zero_bits(&self) -> u32 {
        let hashes = self.batch * u64::from(self.limits.versions);
        hashes.ilog2().saturating_sub(3).min(32)
    }

    fn scan_now(&mut self, scan: &Scan) -> Result<Vec<ShareHit>, JobError> {
        self.scanner.submit(scan)?;
        let (mut found, _) = self.scanner.wait(scan)?;
        found.sort_unstable();
        Ok(found)
    }
}

/// Compares the shares of a scan with hashing every word in it.
pub fn judge(scan: &Scan, found: &[ShareHit]) -> Verdict {
    let mut verdict = Verdict::NOTHING;
    for version in 0..scan.versions {
        let header = versioned(&scan.header, version);
        let nonces = (0..scan.count).map(|i| scan.first.wrapping_add(i as u32).swap_bytes());
        let here = found.iter().filter(|f| f.version == version);
        let reported: Vec<u32> = here.map(|f| f.word.swap_bytes()).collect();
        verdict = verdict.and(oracle::judge_scan(&header, nonces, scan.zero_bits, &reported));
    }
    verdict
}

impl<S: Scanner> Job for Mining<S> {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        let Limits { versions, granule, .. } = self.limits;
        let count = 1024u64.next_multiple_of(granule);
        let mut verdict = Verdict::NOTHING;
        for block in &BLOCKS {
            let solution = block.nonce().swap_bytes();
            let first = solution.wrapping_sub(count as u32 / 2);
            let scan = Scan { header: block.bytes(), versions, first, count, zero_bits: 32 };
            let found = self.scan_now(&scan)?;
            verdict = verdict.and(if found == [ShareHit { version: 0, word: solution }] {
                Verdict::Agrees { checked: scan.hashes(), worst: 0.0 }
            } else {
                Verdict::Disagrees(format!(
                    "block {} is solved by nonce {}, the kernel found {found:?}",
                    block.height,
                    block.nonce()
                ))
            });
        }
        // About 512 shares, dense enough that any wrong bit shows, in a scan that wraps past the last word.
        let count = ((1u64 << 17) / u64::from(versions)).next_multiple_of(granule);
        let (header, first) = (self.seed.header(u64::MAX), u32::MAX - count as u32 / 8);
        let zero_bits = (count * u64::from(versions)).ilog2() - 9;
        let scan = Scan { header, versions, first, count, zero_bits };
        Ok(verdict.and(judge(&scan, &self.scan_now(&scan)?)))
    }

    fn kernel(&self) -> Option<&Kernel> {
        self.scanner.kernel()
    }

    fn resize(&mut self, factor: f64) {
        let Limits { granule, longest, .. } = self.limits;
        let wanted = (self.batch as f64 * factor / granule as f64).round() as u64 * granule;
        self.batch = wanted.clamp(granule, longest);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        let (index, first) = (self.cursor / WORDS, self.cursor % WORDS);
        let count = self.batch.min(WORDS - first);
        let scan = Scan {
            header: self.seed.header(index),
            versions: self.limits.versions,
            first: first as u32,
            count,
            zero_bits: self.zero_bits(),
        };
        self.cursor += count;
        self.scanner.submit(&scan)?;
        self.in_flight.push_back(scan);
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let scan = self.in_flight.pop_front().expect("a batch is in flight");
        let (found, gpu_seconds) = self.scanner.wait(&scan)?;
        if let Some(window) = self.windows.last_mut().filter(|_| self.open) {
            // Batches finish in order, and a header's last word ends a batch.
            let header = window.stretches[0].end / WORDS;
            window.stretches[0].end += scan.count;
            window.shares.extend(found.iter().map(|found| Share {
                header,
                version: found.version,
                nonce: found.word.swap_bytes(),
            }));
        }
        Ok(Batch { work: Work(scan.hashes()), gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.windows.push(Shares {
            target: Shares::target(self.zero_bits()),
            versions: self.limits.versions,
            stretches: vec![self.cursor..self.cursor],
            shares: Vec::new(),
        });
        self.open = true;
        Ok(())
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        self.open = false;
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        Ok(self.windows[window as usize].judge(self.seed))
    }

    fn proof(&self, windows: usize) -> Option<Proof> {
        let all = self.windows[..windows].iter().cloned().reduce(Shares::and)?;
        Some(Proof::Shares(all.thinned(self.seed)))
    }
}
