//! A long scan skips no word and scans none twice, for any kernel, batch length and number of threads, and across headers. An easy target
//! makes the result of every word visible.

use crate::support;
use proptest::prelude::*;
use rigbench::kernels;
use rigbench::oracle::Verdict;
use rigbench::oracle::sha256d::{self as oracle, Header};
use rigbench::seed::Seed;
use rigbench::units::Seconds;
use rigbench::workload::sha256d::cpu::{self, CpuScanner};
use rigbench::workload::sha256d::{
    GpuScanner, Limits, Mining, Scan, Scanner, Share, ShareHit, Shares, WORDS, judge, versioned,
};
use rigbench::workload::{DEPTH, Job, JobError};

/// Forwards scans with a target so easy that one hash in sixteen meets it.
struct Dense<S>(S);

const DENSE_BITS: u32 = 4;

impl<S: Scanner> Scanner for Dense<S> {
    fn limits(&self) -> Limits {
        self.0.limits()
    }
    fn submit(&mut self, scan: &Scan) -> Result<(), JobError> {
        self.0.submit(&Scan { zero_bits: DENSE_BITS, ..*scan })
    }
    fn wait(&mut self, scan: &Scan) -> Result<(Vec<ShareHit>, Option<Seconds>), JobError> {
        self.0.wait(&Scan { zero_bits: DENSE_BITS, ..*scan })
    }
}

/// Runs batches of varying lengths across the end of the first header and compares the shares with hashing every word.
fn assert_covers(name: &str, scanner: impl Scanner) {
    let granule = scanner.limits().granule;
    let seed = Seed([3; 32]);
    let mut job = Mining::new(Dense(scanner), seed);
    // Batches of 1, 2, 3, 1, … granules; the header ends within the third.
    job.cursor = WORDS - 5 * granule;
    job.open_window(0).unwrap();
    let (mut submitted, mut done) = (0, 0);
    while done < 6 {
        while submitted < 6 && submitted - done < DEPTH {
            job.batch = (submitted as u64 % 3 + 1) * granule;
            job.submit().unwrap();
            submitted += 1;
        }
        job.wait().unwrap();
        done += 1;
    }
    let mut window = job.windows.pop().unwrap();
    let stretch = window.stretches[0].clone();
    assert_eq!(stretch, WORDS - 5 * granule..job.cursor, "{name}");
    assert!(stretch.end > WORDS + granule, "{name} goes on with the next header");
    window.target = Shares::target(DENSE_BITS);
    let verdict = window.judge(seed);
    assert!(matches!(verdict, Verdict::Agrees { .. }), "{name}: {verdict:?}");
    let mut expected = Vec::new();
    for place in stretch {
        let (header, nonce) = (place / WORDS, (place as u32).swap_bytes());
        for version in 0..window.versions {
            let bytes = versioned(&seed.header(header), version);
            if oracle::leading_zero_bits(&oracle::hash(&bytes, nonce)) >= DENSE_BITS {
                expected.push(Share { header, version, nonce });
            }
        }
    }
    let key = |s: &Share| (s.header, s.nonce.swap_bytes(), s.version);
    window.shares.sort_unstable_by_key(key);
    assert!(window.shares == expected, "{name}: {} of {}", window.shares.len(), expected.len());
}

#[test]
fn every_processor_kernel_covers_its_scan_on_any_number_of_threads() {
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for kernel in cpu::kernels() {
                assert_covers(kernel.id, CpuScanner::new(kernel.id));
            }
        });
    }
}

#[test]
fn every_gpu_variant_covers_its_scan() {
    let Some(gpu) = support::gpu("every_gpu_variant_covers_its_scan") else { return };
    for entry in kernels::of_workload("sha256d") {
        assert_covers(entry.id, GpuScanner::new(&gpu, entry).unwrap());
    }
}

#[test]
fn every_gpu_variant_agrees_with_the_oracle() {
    let Some(gpu) = support::gpu("every_gpu_variant_agrees_with_the_oracle") else { return };
    let variants: Vec<_> = kernels::of_workload("sha256d").collect();
    let scanners = variants.iter().map(|entry| GpuScanner::new(&gpu, entry).unwrap());
    let scanners = std::cell::RefCell::new(scanners.collect::<Vec<_>>());
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() };
    proptest!(config, |(header: [[u8; 16]; 5], first: u32, zero_bits in 5u32..12)| {
        let header = header.concat().try_into().unwrap();
        for (entry, scanner) in variants.iter().zip(scanners.borrow_mut().iter_mut()) {
            let Limits { versions, granule: count, .. } = scanner.limits();
            let scan = Scan { header, versions, first, count, zero_bits };
            scanner.submit(&scan).unwrap();
            let verdict = judge(&scan, &scanner.wait(&scan).unwrap().0);
            prop_assert!(matches!(verdict, Verdict::Agrees { .. }), "{}: {verdict:?}", entry.id);
        }
    });
}

/// The words of a header that meet a target of 20 zero bits.
fn whole_header(mut scanner: impl Scanner, header: Header) -> Vec<u32> {
    let longest = scanner.limits().longest.min(1 << 24);
    let mut found = Vec::new();
    let mut first = 0;
    while first < WORDS {
        let scan = Scan { header, versions: 1, first: first as u32, count: longest, zero_bits: 20 };
        scanner.submit(&scan).unwrap();
        found.extend(scanner.wait(&scan).unwrap().0.iter().map(|found| found.word));
        first += longest;
    }
    found.sort_unstable();
    found
}

/// Two kernels without common code find the same shares among all words of a header.
#[test]
#[ignore = "minutes; ./scripts/soak.sh runs it"]
fn all_words_of_a_header() {
    let header = Seed([4; 32]).header(0);
    let by_processor = whole_header(CpuScanner::new(cpu::kernels().next().unwrap().id), header);
    let verdict = oracle::judge_count(WORDS as f64 / 2f64.powi(20), by_processor.len() as u64);
    assert!(matches!(verdict, Verdict::Agrees { .. }), "{verdict:?}");
    for &word in &by_processor {
        assert!(oracle::leading_zero_bits(&oracle::hash(&header, word.swap_bytes())) >= 20);
    }
    let Some(gpu) = support::gpu("all_words_of_a_header, on a GPU") else { return };
    let entry = kernels::of_workload("sha256d").find(|e| e.id == "sha256d/scan-1").unwrap();
    let by_gpu = whole_header(GpuScanner::new(&gpu, entry).unwrap(), header);
    assert!(by_processor == by_gpu, "{} and {} shares", by_processor.len(), by_gpu.len());
}
