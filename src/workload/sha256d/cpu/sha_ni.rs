//! sha256d with x86's SHA-NI instructions, several nonces at a time to hide their latency.

use super::{CpuKernel, Prepared, ShareHit};
use crate::kernels::sha256d::{INITIAL, K};
use std::arch::x86_64::*;

/// Round constants, aligned for vector loads.
#[repr(align(16))]
struct Aligned([u32; 64]);
static ROUND_CONSTANTS: Aligned = Aligned(K);

/// The kernel that scans N nonces at a time.
pub(super) const fn kernel<const N: usize>(id: &'static str) -> CpuKernel {
    CpuKernel { id, width: N as u64, available, scan: scan::<N> }
}

fn available() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("ssse3")
}

/// The shares among `count` words from `first` of every version: no bit of `mask` in the hash's last word. `count` is a multiple of N.
///
/// # Safety
/// Needs the instructions named below.
#[target_feature(enable = "sha,sse4.1,ssse3")]
unsafe fn scan<const N: usize>(p: &Prepared, first: u32, count: u32, mask: u32) -> Vec<ShareHit> {
    let midstates: Vec<_> = p.headers.iter().map(|header| halves(&header.midstate)).collect();
    let (init0, init1) = halves(&INITIAL);
    let [t0, t1, t2] = p.headers[0].tail.map(|word| word as i32);
    let zero = _mm_setzero_si128();
    let one_bit = _mm_set_epi32(0, 0, 0, i32::MIN);
    let (bits_80, bits_32) = (_mm_set_epi32(640, 0, 0, 0), _mm_set_epi32(256, 0, 0, 0));
    let mut found = Vec::new();
    for i in (0..count).step_by(N) {
        let begin = first.wrapping_add(i);
        let keyed: [[__m128i; 16]; N] = std::array::from_fn(|n| {
            let word = begin.wrapping_add(n as u32) as i32;
            let mut block = [_mm_set_epi32(word, t2, t1, t0), one_bit, zero, bits_80];
            // SAFETY (here and below): the caller guarantees the instructions.
            std::array::from_fn(|group| unsafe { next(&mut block, group) })
        });
        for (version, &(mid0, mid1)) in (0..).zip(&midstates) {
            let mut states = [(mid0, mid1); N];
            for group in 0..16 {
                for (state, keyed) in states.iter_mut().zip(&keyed) {
                    unsafe { four_rounds(state, keyed[group]) };
                }
            }
            let mut blocks = [[zero; 4]; N];
            for (state, block) in states.iter_mut().zip(&mut blocks) {
                // From ABEF and CDGH back to ABCD and EFGH.
                let abef = _mm_shuffle_epi32(_mm_add_epi32(state.0, mid0), 0xb1);
                let cdgh = _mm_shuffle_epi32(_mm_add_epi32(state.1, mid1), 0xb1);
                let (abcd, efgh) = (_mm_unpackhi_epi64(abef, cdgh), _mm_unpacklo_epi64(abef, cdgh));
                *block = [abcd, efgh, one_bit, bits_32];
                *state = (init0, init1);
            }
            for group in 0..15 {
                for (state, block) in states.iter_mut().zip(&mut blocks) {
                    unsafe { four_rounds(state, next(block, group)) };
                }
            }
            for (n, (state, block)) in states.iter_mut().zip(&mut blocks).enumerate() {
                // Rounds 60 and 61; after them the e of round 60 is in f's position.
                let keyed = unsafe { next(block, 15) };
                let efgh = _mm_sha256rnds2_epu32(state.1, state.0, keyed);
                let last = (_mm_extract_epi32(efgh, 0) as u32).wrapping_add(INITIAL[7]);
                if last & mask == 0 {
                    found.push(ShareHit { version, word: begin.wrapping_add(n as u32) });
                }
            }
        }
    }
    found
}

/// A state as the SHA instructions take it: A, B, E, F and C, D, G, H, highest first.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn halves(state: &[u32; 8]) -> (__m128i, __m128i) {
    let [a, b, c, d, e, f, g, h] = state.map(|word| word as i32);
    (_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h))
}

/// Words `4 * group` and the three after it of a block's schedule, plus round constants. `block` holds the last sixteen words; groups
/// must come in order.
///
/// # Safety
/// Needs the instructions named below.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
unsafe fn next(block: &mut [__m128i; 4], group: usize) -> __m128i {
    if group >= 4 {
        let word = |i: usize| block[(group + i) % 4];
        let middle = _mm_alignr_epi8(word(3), word(2), 4);
        let sum = _mm_add_epi32(_mm_sha256msg1_epu32(word(0), word(1)), middle);
        block[group % 4] = _mm_sha256msg2_epu32(sum, word(3));
    }
    // SAFETY: 64 constants, four at a time, aligned.
    let k = unsafe { _mm_load_si128(ROUND_CONSTANTS.0.as_ptr().add(4 * group).cast()) };
    _mm_add_epi32(block[group % 4], k)
}

/// Four rounds with four words of the schedule.
///
/// # Safety
/// Needs the instructions named below.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
unsafe fn four_rounds(state: &mut (__m128i, __m128i), keyed: __m128i) {
    state.1 = _mm_sha256rnds2_epu32(state.1, state.0, keyed);
    let upper = _mm_shuffle_epi32(keyed, 0x0e);
    state.0 = _mm_sha256rnds2_epu32(state.0, state.1, upper);
}
