//! Bitcoin's proof of work: double SHA-256 of an 80-byte header, nonce after nonce. A scanner runs the kernel; the
//! job chooses what it scans and keeps the shares that it finds as the evidence of its work.
//!
//! A scan counts *words*, the nonce as the hash reads it. Header bytes are little-endian and SHA-256 reads them
//! big-endian, so nonce = word with its bytes swapped.

mod cpu;
mod gpu;

use super::{Batch, Job, JobError, Seed, SpecError, Target, Variant, Workload};
use crate::kernels::sha256d::{HeaderWords, INITIAL};
use crate::kernels::{self, Kernel};
use crate::oracle::Verdict;
use crate::oracle::sha256d as oracle;
use crate::oracle::sha256d::Header;
use crate::units::{Seconds, Unit, Work};
use sha2::block_api::compress256;
use std::collections::VecDeque;

/// Words that a header has.
const WORDS: u64 = 1 << 32;

struct Sha256d;

/// Reads the parts of a spec after `sha256d`.
pub(super) fn parse(parts: &[&str]) -> Result<Box<dyn Workload>, SpecError> {
    match parts {
        [] => Ok(Box::new(Sha256d)),
        _ => Err(SpecError("sha256d takes no shape or type; write sha256d".into())),
    }
}

impl Workload for Sha256d {
    fn id(&self) -> &'static str {
        "sha256d"
    }

    fn unit(&self) -> Unit {
        Unit::Hash
    }

    fn shape(&self) -> String {
        String::new()
    }

    fn unsupported(&self, _: &Target) -> Option<String> {
        None
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Cpu(_) => cpu::kernels().map(|kernel| Variant::Cpu(kernel.id)).collect(),
            Target::Gpu(_) => kernels::of_workload(self.id()).map(Variant::Gpu).collect(),
        }
    }

    fn prepare(
        &self,
        target: &Target,
        variant: &Variant,
        seed: Seed,
    ) -> Result<Box<dyn Job>, JobError> {
        Ok(match (target, variant) {
            (Target::Gpu(gpu), Variant::Gpu(entry)) => {
                Box::new(Mining::new(gpu::GpuScanner::new(gpu, entry)?, seed))
            }
            _ => Box::new(Mining::new(cpu::CpuScanner::new(variant.id()), seed)),
        })
    }
}

/// A stretch of one header's words.
#[derive(Clone, Copy, Debug)]
struct Scan {
    header: Header,
    first: u32,
    /// Goes on at word 0 where it passes the end.
    count: u64,
    /// A share's hash begins with this many zero bits; at most 32.
    zero_bits: u32,
}

impl Scan {
    /// Bits of the hash's last word that must be zero. Its last byte is the hash's most significant.
    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - self.zero_bits).unwrap_or(0).swap_bytes()
    }
}

/// A header as the kernels want it.
fn header_words(header: &Header) -> HeaderWords {
    let (head, tail) = header.split_at(64);
    let mut midstate = INITIAL;
    compress256(&mut midstate, &[head.try_into().expect("64 bytes")]);
    let word = |i: usize| u32::from_be_bytes(std::array::from_fn(|b| tail[4 * i + b]));
    HeaderWords { midstate, tail: [word(0), word(1), word(2)] }
}

/// What a scan found.
struct Scanned {
    words: Vec<u32>,
    gpu_seconds: Option<Seconds>,
}

/// A kernel that scans.
trait Scanner {
    /// Scans are whole multiples of this.
    fn granule(&self) -> u64;
    /// The longest scan.
    fn longest(&self) -> u64;
    fn kernel(&self) -> Option<&Kernel>;
    fn submit(&mut self, scan: &Scan) -> Result<(), JobError>;
    /// The oldest scan that was submitted; the caller knows that there is one.
    fn wait(&mut self) -> Result<Scanned, JobError>;
}

/// A nonce that met the target.
#[derive(Clone, Copy, Debug)]
struct Share {
    header: Header,
    nonce: u32,
    zero_bits: u32,
}

/// What one window did.
#[derive(Default)]
struct Evidence {
    shares: Vec<Share>,
    hashes: u64,
    /// The share target; it does not change within a window.
    zero_bits: u32,
}

struct Mining<S> {
    scanner: S,
    seed: Seed,
    /// Words of the next batch.
    batch: u64,
    header: Header,
    headers: u64,
    /// Words of the header already handed out.
    cursor: u64,
    in_flight: VecDeque<Scan>,
    windows: Vec<Evidence>,
}

impl<S: Scanner> Mining<S> {
    fn new(scanner: S, seed: Seed) -> Self {
        let batch = scanner.granule();
        Mining {
            scanner,
            seed,
            batch,
            header: seed.header(0),
            headers: 1,
            cursor: 0,
            in_flight: VecDeque::new(),
            windows: vec![Evidence::default()],
        }
    }

    /// So many zero bits that a batch finds four to eight shares.
    fn zero_bits(&self) -> u32 {
        self.batch.ilog2().saturating_sub(2).min(32)
    }

    fn scan_now(&mut self, scan: &Scan) -> Result<Vec<u32>, JobError> {
        self.scanner.submit(scan)?;
        let found = self.scanner.wait()?;
        Ok(found.words.into_iter().map(u32::swap_bytes).collect())
    }
}

impl<S: Scanner> Job for Mining<S> {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        let granule = self.scanner.granule();
        let count = 4096u64.next_multiple_of(granule);
        let mut verdict = Verdict::Agrees { checked: 0, worst: 0.0 };
        for block in &oracle::BLOCKS {
            let first = block.nonce().swap_bytes().wrapping_sub(count as u32 / 2);
            let scan = Scan { header: block.bytes(), first, count, zero_bits: 32 };
            let found = self.scan_now(&scan)?;
            verdict = verdict.and(if found == [block.nonce()] {
                Verdict::Agrees { checked: count, worst: 0.0 }
            } else {
                Verdict::Disagrees(format!(
                    "block {} is solved by nonce {}, the kernel found {found:?}",
                    block.height,
                    block.nonce()
                ))
            });
        }
        // Shares dense enough that a wrong bit anywhere shows, some 512 in all, across the end of the words.
        let count = (1u64 << 17).next_multiple_of(granule);
        let zero_bits = count.ilog2() - 9;
        let (header, first) = (self.seed.header(u64::MAX), u32::MAX - 4095);
        let found = self.scan_now(&Scan { header, first, count, zero_bits })?;
        let nonces = (0..count).map(|i| first.wrapping_add(i as u32).swap_bytes());
        Ok(verdict.and(oracle::judge_scan(&header, nonces, zero_bits, &found)))
    }

    fn kernel(&self) -> Option<&Kernel> {
        self.scanner.kernel()
    }

    fn resize(&mut self, factor: f64) {
        let granule = self.scanner.granule();
        let wanted = (self.batch as f64 * factor / granule as f64).round() as u64 * granule;
        self.batch = wanted.clamp(granule, self.scanner.longest());
    }

    fn submit(&mut self) -> Result<(), JobError> {
        if self.cursor == WORDS {
            self.header = self.seed.header(self.headers);
            self.headers += 1;
            self.cursor = 0;
        }
        let count = self.batch.min(WORDS - self.cursor);
        let zero_bits = self.zero_bits();
        let scan = Scan { header: self.header, first: self.cursor as u32, count, zero_bits };
        self.cursor += count;
        self.scanner.submit(&scan)?;
        self.in_flight.push_back(scan);
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let scan = self.in_flight.pop_front().expect("a batch is in flight");
        let found = self.scanner.wait()?;
        if let Some(evidence) = self.windows.last_mut() {
            evidence.hashes += scan.count;
            evidence.zero_bits = scan.zero_bits;
            evidence.shares.extend(found.words.iter().map(|word| Share {
                header: scan.header,
                nonce: word.swap_bytes(),
                zero_bits: scan.zero_bits,
            }));
        }
        Ok(Batch { work: Work(scan.count), gpu_seconds: found.gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        // What was found since the last window was warm-up.
        self.windows.truncate(window as usize);
        self.windows.push(Evidence::default());
        Ok(())
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let evidence = &self.windows[window as usize];
        for share in &evidence.shares {
            let bits = oracle::leading_zero_bits(&oracle::hash(&share.header, share.nonce));
            if bits < share.zero_bits {
                return Ok(Verdict::Disagrees(format!(
                    "nonce {} was reported as a share of {} zero bits and has {bits}",
                    share.nonce, share.zero_bits
                )));
            }
        }
        let shares = evidence.shares.len() as u64;
        Ok(oracle::judge_count(evidence.hashes, evidence.zero_bits, shares))
    }
}
