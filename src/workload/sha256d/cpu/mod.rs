//! sha256d on the processor, on every thread. Each kernel of the table scans a stretch of words; the job verifies
//! whichever runs before it is timed.

mod lanes;
// Clippy follows every value of the program's thousand steps back to its origins, along every path, and does not come
// back. It sees a stand-in; the compiler and every test see the program.
#[cfg(not(clippy))]
mod program {
    //! The double hash of a header, as far as it depends on the nonce, for vectors of nonces: `src/kernels/sha256d/rust.rs` writes it.

    use super::lanes::Lanes;

    include!(concat!(env!("OUT_DIR"), "/sha256d.rs"));
}
#[cfg(clippy)]
mod program {
    pub(super) const SCHEDULE_TERMS: usize = 2;
    pub(super) const ROUND_TERMS: usize = 26;
    pub(super) const CARRIED: usize = 47;
    pub(super) unsafe fn schedule<V: super::Lanes>(
        t: &[u32; SCHEDULE_TERMS],
        word: V,
        w: &mut [V; CARRIED],
    ) {
        w[0] = unsafe { word.lower0().add(word.lower1()).add(V::all(t[0])) };
    }
    pub(super) unsafe fn last_word<V: super::Lanes>(t: &[u32; ROUND_TERMS], w: &[V; CARRIED]) -> V {
        unsafe {
            let chosen = V::choose(w[0].upper0(), w[1].upper1(), V::all(t[0]));
            V::blend(chosen, V::majority(w[2], w[3], w[4]), w[5])
        }
    }
}
#[cfg(target_arch = "x86_64")]
mod sha_ni;

use super::{Found, Scan, Scanned, Scanner};
use crate::kernels::Kernel;
use crate::kernels::sha256d::{HeaderWords, INITIAL, Program};
use crate::workload::JobError;
use lanes::{Lanes, Pair};
use program::{CARRIED, ROUND_TERMS, SCHEDULE_TERMS, last_word, schedule};
use rayon::prelude::*;
use sha2::block_api::compress256;
use std::collections::VecDeque;

/// Vectors that one thread hashes at a time.
const VECTORS: u64 = 16;
/// Versions of a header that one schedule serves. Its cost, a fifth of a hash, is divided by this.
pub(super) const VERSIONS: u32 = 32;

/// A way to scan on this processor.
pub(super) struct CpuKernel {
    /// Name in results.
    pub(super) id: &'static str,
    /// Words that it hashes at once.
    width: u64,
    available: fn() -> bool,
    /// The shares among `count` words from `first` of every version; `count` is a multiple of `width`.
    ///
    /// # Safety
    /// `available` must have said yes.
    scan: unsafe fn(&Prepared, u32, u32, u32) -> Vec<Found>,
}

/// A header made ready for every kernel.
struct Prepared {
    /// Of every version.
    headers: Vec<HeaderWords>,
    schedule: [u32; SCHEDULE_TERMS],
    /// Of every version.
    rounds: Vec<[u32; ROUND_TERMS]>,
}

/// Every kernel, in the order of their rates on the processors where they were compared.
static KERNELS: &[CpuKernel] = &[
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx512-2x16", width: 32, available: x86::avx512, scan: x86::twice },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx512-16", width: 16, available: x86::avx512, scan: x86::whole },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx512-8", width: 8, available: x86::avx512, scan: x86::half },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/sha-ni-3", width: 3, available: x86::sha_ni, scan: sha_ni_scan::<3> },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/sha-ni-2", width: 2, available: x86::sha_ni, scan: sha_ni_scan::<2> },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx2-8", width: 8, available: x86::avx2, scan: x86::avx2_8 },
    CpuKernel { id: "sha256d/sha2-crate", width: 1, available: || true, scan: sha2_crate },
];

/// The kernels that this processor can run.
pub(super) fn kernels() -> impl Iterator<Item = &'static CpuKernel> {
    KERNELS.iter().filter(|kernel| (kernel.available)())
}

#[cfg(target_arch = "x86_64")]
unsafe fn sha_ni_scan<const N: usize>(
    p: &Prepared,
    first: u32,
    count: u32,
    mask: u32,
) -> Vec<Found> {
    // SAFETY: `x86::sha_ni` has said yes.
    unsafe { sha_ni::scan::<N>(&p.headers, first, count, mask) }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::lanes::{Avx2, Avx512, Avx512Half};
    use super::{Found, Pair, Prepared, scan_lanes};

    pub(super) fn avx512() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
    }

    pub(super) fn avx2() -> bool {
        is_x86_feature_detected!("avx2")
    }

    pub(super) fn sha_ni() -> bool {
        is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("ssse3")
    }

    /// The scan of a vector type, compiled for the instructions that it needs.
    macro_rules! compiled_for {
        ($name:ident, $features:literal, $lanes:ty) => {
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name(
                p: &Prepared,
                first: u32,
                count: u32,
                mask: u32,
            ) -> Vec<Found> {
                // SAFETY: this function is only called where its instructions are available.
                unsafe { scan_lanes::<$lanes>(p, first, count, mask) }
            }
        };
    }
    compiled_for!(whole, "avx512f,avx512vl", Avx512);
    compiled_for!(twice, "avx512f,avx512vl", Pair<Avx512, Avx512>);
    compiled_for!(half, "avx512f,avx512vl", Avx512Half);
    compiled_for!(avx2_8, "avx2", Avx2);
}

/// # Safety
/// The processor must have what `V` needs.
#[inline(always)]
unsafe fn scan_lanes<V: Lanes>(p: &Prepared, first: u32, count: u32, mask: u32) -> Vec<Found> {
    let mut found = Vec::new();
    // SAFETY (here and below): the caller vouches for V's instructions.
    let mut w = [unsafe { V::all(0) }; CARRIED];
    for i in (0..count).step_by(V::WIDTH) {
        let begin = first.wrapping_add(i);
        unsafe { schedule(&p.schedule, V::count_from(begin), &mut w) };
        // In memory, where additions read it for nothing; registers are for the rounds.
        let w = std::hint::black_box(&w);
        for (version, terms) in (0..).zip(&p.rounds) {
            let mut hits = unsafe { last_word(terms, w).without(mask) };
            while hits != 0 {
                found.push(Found { version, word: begin.wrapping_add(hits.trailing_zeros()) });
                hits &= hits - 1;
            }
        }
    }
    found
}

/// The `sha2` crate's compression function, which takes the processor's SHA instructions where there are any.
unsafe fn sha2_crate(p: &Prepared, first: u32, count: u32, mask: u32) -> Vec<Found> {
    scan_by_sha2(&p.headers, first, count, mask)
}

/// The shares among any number of words of every version, on one thread; also for candidates and remainders.
pub(super) fn scan_by_sha2(
    headers: &[HeaderWords],
    first: u32,
    count: u32,
    mask: u32,
) -> Vec<Found> {
    let mut found = Vec::new();
    for (version, header) in (0..).zip(headers) {
        for word in (0..count).map(|i| first.wrapping_add(i)) {
            if last_word_by_sha2(header, word) & mask == 0 {
                found.push(Found { version, word });
            }
        }
    }
    found
}

fn last_word_by_sha2(header: &HeaderWords, word: u32) -> u32 {
    let mut block = [0u8; 64];
    let mut put = |words: &[u32], end: u8, bytes: u16| {
        block.fill(0);
        for (bytes, word) in block.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        block[4 * words.len()] = end;
        block[62..].copy_from_slice(&(8 * bytes).to_be_bytes());
        block
    };
    let [a, b, c] = header.tail;
    let mut state = header.midstate;
    compress256(&mut state, &[put(&[a, b, c, word], 0x80, 80)]);
    let inner = state;
    state = INITIAL;
    compress256(&mut state, &[put(&inner, 0x80, 32)]);
    state[7]
}

pub(super) struct CpuScanner {
    kernel: &'static CpuKernel,
    program: Program,
    submitted: VecDeque<Scan>,
}

impl CpuScanner {
    /// A scanner by the kernel with this name; it is one of [`kernels`].
    pub(super) fn new(id: &str) -> CpuScanner {
        let kernel =
            kernels().find(|k| k.id == id).expect("variants name kernels of this processor");
        CpuScanner { kernel, program: Program::new(), submitted: VecDeque::new() }
    }
}

impl Scanner for CpuScanner {
    fn granule(&self) -> u64 {
        self.kernel.width * VECTORS
    }

    fn versions(&self) -> u32 {
        VERSIONS
    }

    fn longest(&self) -> u64 {
        super::WORDS
    }

    fn kernel(&self) -> Option<&Kernel> {
        None
    }

    fn submit(&mut self, scan: &Scan) -> Result<(), JobError> {
        self.submitted.push_back(*scan);
        Ok(())
    }

    fn wait(&mut self) -> Result<Scanned, JobError> {
        let scan = self.submitted.pop_front().expect("a scan was submitted");
        let array = "as many as the program has";
        let headers = scan.headers();
        let round_terms = |h| self.program.round_terms(h).try_into().expect(array);
        let prepared = Prepared {
            schedule: self.program.schedule_terms(&headers[0]).try_into().expect(array),
            rounds: headers.iter().map(round_terms).collect(),
            headers,
        };
        let mask = scan.mask();
        let (granule, width) = (self.granule(), self.kernel.width);
        let found = (0..scan.count.div_ceil(granule))
            .into_par_iter()
            .flat_map_iter(|chunk| {
                let done = chunk * granule;
                let count = granule.min(scan.count - done);
                let (whole, rest) = (count - count % width, count % width);
                let at = |offset: u64| scan.first.wrapping_add(offset as u32);
                // SAFETY: only kernels that this processor can run are chosen.
                let found = unsafe { (self.kernel.scan)(&prepared, at(done), whole as u32, mask) };
                let rest = scan_by_sha2(&prepared.headers, at(done + whole), rest as u32, mask);
                found.into_iter().chain(rest)
            })
            .collect();
        Ok(Scanned { found, gpu_seconds: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mining;
    use super::*;
    use crate::oracle::Verdict;
    use crate::oracle::sha256d::{self as oracle, NIST_SEED};
    use crate::workload::Job;
    use crate::workload::data::Seed;
    use proptest::prelude::*;

    fn scan_with(id: &str, scan: &Scan) -> Vec<Found> {
        let mut scanner = CpuScanner::new(id);
        scanner.submit(scan).unwrap();
        scanner.wait().unwrap().found
    }

    #[test]
    fn every_kernel_solves_real_blocks() {
        for kernel in kernels() {
            let mut job = Mining::new(CpuScanner::new(kernel.id), Seed([5; 32]));
            let verdict = job.verify().unwrap();
            assert!(matches!(verdict, Verdict::Agrees { .. }), "{}: {verdict:?}", kernel.id);
        }
        for missing in KERNELS.iter().filter(|kernel| !(kernel.available)()) {
            use std::io::Write;
            let line = format!("not run: {}: this processor lacks its instructions", missing.id);
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// The last word of the double hash of `count` words as a kernel computes it, bit by bit: with a mask of one bit it
    /// names the words whose hash has none there.
    fn last_words(kernel: &CpuKernel, header: &[u8; 80], first: u32, count: u32) -> Vec<u32> {
        let program = Program::new();
        let words = super::super::header_words(header);
        let prepared = Prepared {
            headers: vec![words],
            schedule: program.schedule_terms(&words).try_into().unwrap(),
            rounds: vec![program.round_terms(&words).try_into().unwrap()],
        };
        let mut last = vec![u32::MAX; count as usize];
        for bit in 0..32 {
            // SAFETY: only kernels of this processor are tried.
            for found in unsafe { (kernel.scan)(&prepared, first, count, 1 << bit) } {
                last[found.word.wrapping_sub(first) as usize] &= !(1 << bit);
            }
        }
        last
    }

    /// A chain like the Monte Carlo test of NIST's SHA Validation System, from its published seed: each header is made
    /// of the double hashes before it, so that one wrong bit changes all that follow.
    #[test]
    fn every_kernel_follows_a_monte_carlo_chain() {
        for kernel in kernels() {
            let mut recent = [NIST_SEED; 3];
            for _ in 0..100 {
                let header: [u8; 80] = recent.concat()[..80].try_into().unwrap();
                let word = u32::from_be_bytes(header[76..].try_into().unwrap());
                let count = kernel.width as u32;
                let expected: Vec<u32> = (0..count)
                    .map(|i| oracle::hash(&header, word.wrapping_add(i).swap_bytes()))
                    .map(|hash| u32::from_be_bytes(hash[28..].try_into().unwrap()))
                    .collect();
                let got = last_words(kernel, &header, word, count);
                assert_eq!(got, expected, "{}", kernel.id);
                let next = oracle::hash(&header, word.swap_bytes());
                recent = [recent[1], recent[2], next];
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

        /// Any header, any stretch, remainders and the end of the words included.
        #[test]
        fn every_kernel_agrees_with_the_oracle(
            head: [u8; 32], middle: [u8; 32], tail: [u8; 16], first: u32, count in 1u64..200, zero_bits in 0u32..9,
        ) {
            let mut header = [0; 80];
            header[..32].copy_from_slice(&head);
            header[32..64].copy_from_slice(&middle);
            header[64..].copy_from_slice(&tail);
            let scan = Scan { header, versions: VERSIONS, first, count, zero_bits };
            for kernel in kernels() {
                let found = scan_with(kernel.id, &scan);
                let verdict = super::super::judge(&scan, &found);
                prop_assert!(matches!(verdict, Verdict::Agrees { .. }), "{}: {verdict:?}", kernel.id);
            }
        }
    }
}
