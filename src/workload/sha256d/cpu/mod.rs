//! sha256d on the processor, on every thread. Each kernel of the table scans a stretch of words; the job verifies
//! whichever runs before it is timed.

mod lanes;
// Clippy follows every value of the program's thousand steps back to its origins, along every path, and does not come
// back. It sees a stand-in; the compiler and every test see the program.
#[cfg(not(clippy))]
mod program;
#[cfg(clippy)]
mod program {
    pub(super) const TERMS: usize = 29;
    pub(super) unsafe fn last_word<V: super::Lanes>(t: &[u32; TERMS], word: V) -> V {
        unsafe {
            let chosen = V::choose(word.upper0(), word.upper1(), V::all(t[0]));
            V::blend(chosen, V::majority(word.lower0(), word.lower1(), word), word.add(word))
        }
    }
}
#[cfg(target_arch = "x86_64")]
mod sha_ni;

use super::{Scan, Scanned, Scanner, header_words};
use crate::kernels::Kernel;
use crate::kernels::sha256d::{HeaderWords, INITIAL, Program};
use crate::workload::JobError;
use lanes::{Lanes, Pair, Scalar};
use program::{TERMS, last_word};
use rayon::prelude::*;
use sha2::block_api::compress256;
use std::collections::VecDeque;

/// Vectors that one thread hashes at a time.
const VECTORS: u64 = 1024;

/// A way to scan on this processor.
pub(super) struct CpuKernel {
    /// Name in results.
    pub(super) id: &'static str,
    /// Words that it hashes at once.
    width: u64,
    available: fn() -> bool,
    /// The words among `count` from `first` that are shares; `count` is a multiple of `width`.
    ///
    /// # Safety
    /// `available` must have said yes.
    scan: unsafe fn(&Prepared, u32, u32, u32) -> Vec<u32>,
}

/// A header made ready for every kernel.
struct Prepared {
    header: HeaderWords,
    terms: [u32; TERMS],
}

/// Every kernel, in the order of their rates on the processors where they were compared.
static KERNELS: &[CpuKernel] = &[
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx512-16", width: 16, available: x86::avx512, scan: x86::whole },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx512-16+1", width: 17, available: x86::avx512, scan: x86::mixed },
    #[cfg(target_arch = "x86_64")]
    CpuKernel { id: "sha256d/avx512-2x16", width: 32, available: x86::avx512, scan: x86::twice },
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
unsafe fn sha_ni_scan<const N: usize>(p: &Prepared, first: u32, count: u32, mask: u32) -> Vec<u32> {
    // SAFETY: `x86::sha_ni` has said yes.
    unsafe { sha_ni::scan::<N>(&p.header, first, count, mask) }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::lanes::{Avx2, Avx512, Avx512Half};
    use super::{Pair, Prepared, Scalar, scan_lanes};

    pub(super) fn avx512() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi2")
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
            ) -> Vec<u32> {
                // SAFETY: this function is only called where its instructions are available.
                unsafe { scan_lanes::<$lanes>(p, first, count, mask) }
            }
        };
    }
    compiled_for!(mixed, "avx512f,avx512vl,bmi2", Pair<Avx512, Scalar>);
    compiled_for!(whole, "avx512f,avx512vl,bmi2", Avx512);
    compiled_for!(twice, "avx512f,avx512vl,bmi2", Pair<Avx512, Avx512>);
    compiled_for!(half, "avx512f,avx512vl,bmi2", Avx512Half);
    compiled_for!(avx2_8, "avx2", Avx2);
}

/// # Safety
/// The processor must have what `V` needs.
#[inline(always)]
unsafe fn scan_lanes<V: Lanes>(p: &Prepared, first: u32, count: u32, mask: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for i in (0..count).step_by(V::WIDTH) {
        let begin = first.wrapping_add(i);
        // SAFETY: the caller vouches for V's instructions.
        let mut hits = unsafe { last_word(&p.terms, V::count_from(begin)).without(mask) };
        while hits != 0 {
            found.push(begin.wrapping_add(hits.trailing_zeros()));
            hits &= hits - 1;
        }
    }
    found
}

/// The `sha2` crate's compression function, which takes the processor's SHA instructions where there are any.
unsafe fn sha2_crate(p: &Prepared, first: u32, count: u32, mask: u32) -> Vec<u32> {
    scan_by_sha2(&p.header, first, count, mask)
}

fn scan_by_sha2(header: &HeaderWords, first: u32, count: u32, mask: u32) -> Vec<u32> {
    let word = |i: u32| first.wrapping_add(i);
    (0..count).map(word).filter(|&word| last_word_by_sha2(header, word) & mask == 0).collect()
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

/// The shares among any number of words, one thread, for candidates and remainders.
pub(super) fn shares_among(scan: &Scan, first: u32, count: u32) -> Vec<u32> {
    scan_by_sha2(&header_words(&scan.header), first, count, scan.mask())
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
        let header = header_words(&scan.header);
        let terms = self.program.terms(&header).try_into().expect("as many as the program has");
        let prepared = Prepared { header, terms };
        let mask = scan.mask();
        let (granule, width) = (self.granule(), self.kernel.width);
        let words = (0..scan.count.div_ceil(granule))
            .into_par_iter()
            .flat_map_iter(|chunk| {
                let done = chunk * granule;
                let count = granule.min(scan.count - done);
                let (whole, rest) = (count - count % width, count % width);
                let at = |offset: u64| scan.first.wrapping_add(offset as u32);
                // SAFETY: only kernels that this processor can run are chosen.
                let found = unsafe { (self.kernel.scan)(&prepared, at(done), whole as u32, mask) };
                found.into_iter().chain(shares_among(&scan, at(done + whole), rest as u32))
            })
            .collect();
        Ok(Scanned { words, gpu_seconds: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mining;
    use super::*;
    use crate::oracle::{Verdict, sha256d as oracle};
    use crate::workload::Job;
    use crate::workload::data::Seed;
    use proptest::prelude::*;

    fn scan_with(id: &str, scan: &Scan) -> Vec<u32> {
        let mut scanner = CpuScanner::new(id);
        scanner.submit(scan).unwrap();
        let found = scanner.wait().unwrap();
        found.words.into_iter().map(u32::swap_bytes).collect()
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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

        /// Any header, any stretch, remainders and the end of the words included.
        #[test]
        fn every_kernel_agrees_with_the_oracle(
            head: [u8; 32], middle: [u8; 32], tail: [u8; 16], first: u32, count in 1u64..3000, zero_bits in 0u32..9,
        ) {
            let mut header = [0; 80];
            header[..32].copy_from_slice(&head);
            header[32..64].copy_from_slice(&middle);
            header[64..].copy_from_slice(&tail);
            let scan = Scan { header, first, count, zero_bits };
            for kernel in kernels() {
                let found = scan_with(kernel.id, &scan);
                let nonces = (0..count).map(|i| first.wrapping_add(i as u32).swap_bytes());
                let verdict = oracle::judge_scan(&header, nonces, zero_bits, &found);
                prop_assert!(matches!(verdict, Verdict::Agrees { .. }), "{}: {verdict:?}", kernel.id);
            }
        }
    }
}
