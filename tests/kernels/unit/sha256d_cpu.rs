//! Every native scan kernel that this CPU supports, against the reference hash.

use super::oracle_sha256d::NIST_SEED;
use crate::support;
use proptest::prelude::*;
use rigbench::kernels::sha256d::Program;
use rigbench::oracle::Verdict;
use rigbench::oracle::sha256d as oracle;
use rigbench::seed::Seed;
use rigbench::workload::Job;
use rigbench::workload::sha256d::cpu::{
    CpuKernel, CpuScanner, KERNELS, Prepared, VERSIONS, kernels,
};
use rigbench::workload::sha256d::{Mining, Scan, Scanner, header_words, judge};

#[test]
fn every_kernel_solves_real_blocks() {
    for kernel in kernels() {
        let mut job = Mining::new(CpuScanner::new(kernel.id), Seed([5; 32]));
        let verdict = job.verify().unwrap();
        assert!(matches!(verdict, Verdict::Agrees { .. }), "{}: {verdict:?}", kernel.id);
    }
    for missing in KERNELS.iter().filter(|kernel| !(kernel.available)()) {
        support::not_run(missing.id, "this processor lacks its instructions");
    }
}

/// The last word of the double hash of `count` words as a kernel computes it, bit by bit: with a mask of one bit it reports the words
/// whose hash has a zero there.
fn last_words(kernel: &CpuKernel, header: &[u8; 80], first: u32, count: u32) -> Vec<u32> {
    let words = header_words(header);
    let prepared = Prepared::new(&Program::new(), vec![words]);
    let mut last = vec![u32::MAX; count as usize];
    for bit in 0..32 {
        for found in kernel.scan(&prepared, first, count, 1 << bit) {
            last[found.word.wrapping_sub(first) as usize] &= !(1 << bit);
        }
    }
    last
}

/// A chain like the Monte Carlo test of NIST's SHA Validation System, from its published seed. Each header consists of the double
/// hashes before it, so that one wrong bit changes everything after it.
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

    /// Any header and any range, including remainders and the last words.
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
            let (found, _) = CpuScanner::new(kernel.id).wait(&scan).unwrap();
            let verdict = judge(&scan, &found);
            prop_assert!(matches!(verdict, Verdict::Agrees { .. }), "{}: {verdict:?}", kernel.id);
        }
    }
}
