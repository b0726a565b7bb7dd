//! sha256d on the processor: the `sha2` crate's compression function, with the state after the header's first 64
//! bytes computed once, on every thread.

use super::{Scan, Scanned, Scanner};
use crate::kernels::{Kernel, sha256d::INITIAL};
use crate::workload::JobError;
use rayon::prelude::*;
use sha2::block_api::compress256;
use std::collections::VecDeque;

/// Words that one thread takes at a time.
const CHUNK: u64 = 4096;

#[derive(Default)]
pub(super) struct CpuScanner {
    submitted: VecDeque<Scan>,
}

impl Scanner for CpuScanner {
    fn granule(&self) -> u64 {
        CHUNK
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
        let words = (0..scan.count / CHUNK)
            .into_par_iter()
            .flat_map_iter(|chunk| {
                scan_chunk(&scan, scan.first.wrapping_add((chunk * CHUNK) as u32))
            })
            .collect();
        Ok(Scanned { words, gpu_seconds: None })
    }
}

/// The shares among [`CHUNK`] words from `first`.
fn scan_chunk(scan: &Scan, first: u32) -> Vec<u32> {
    let (head, tail) = scan.header.split_at(64);
    let mut midstate = INITIAL;
    compress256(&mut midstate, &[head.try_into().expect("64 bytes")]);
    let mut inner = [0u8; 64];
    inner[..16].copy_from_slice(tail);
    inner[16] = 0x80;
    inner[62..].copy_from_slice(&(80u16 * 8).to_be_bytes());
    let mut outer = [0u8; 64];
    outer[32] = 0x80;
    outer[62..].copy_from_slice(&(32u16 * 8).to_be_bytes());
    let mask = scan.mask();
    let mut shares = Vec::new();
    for i in 0..CHUNK as u32 {
        let word = first.wrapping_add(i);
        inner[12..16].copy_from_slice(&word.to_be_bytes());
        let mut state = midstate;
        compress256(&mut state, &[inner]);
        for (bytes, word) in outer.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        let mut state = INITIAL;
        compress256(&mut state, &[outer]);
        if state[7] & mask == 0 {
            shares.push(word);
        }
    }
    shares
}
