//! sha256d by the SHA extensions of x86, several nonces at a time so that their latencies overlap.

use crate::kernels::sha256d::{HeaderWords, INITIAL, K};
use std::arch::x86_64::*;

/// Constants as aligned groups of four.
#[repr(align(16))]
struct Aligned([u32; 64]);
static ROUND_CONSTANTS: Aligned = Aligned(K);

/// The words among `count` from `first` whose hash has no bit of `mask` in its last word; `count` is a multiple of N.
///
/// # Safety
/// Needs the instructions named below.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) unsafe fn scan<const N: usize>(
    header: &HeaderWords,
    first: u32,
    count: u32,
    mask: u32,
) -> Vec<u32> {
    let (mid0, mid1) = halves(&header.midstate);
    let (init0, init1) = halves(&INITIAL);
    let [t0, t1, t2] = header.tail.map(|word| word as i32);
    let zero = _mm_setzero_si128();
    let one_bit = _mm_set_epi32(0, 0, 0, i32::MIN);
    let (bits_80, bits_32) = (_mm_set_epi32(640, 0, 0, 0), _mm_set_epi32(256, 0, 0, 0));
    let mut found = Vec::new();
    for i in (0..count).step_by(N) {
        let begin = first.wrapping_add(i);
        let mut states = [(mid0, mid1); N];
        let mut blocks = std::array::from_fn(|n| {
            let word = begin.wrapping_add(n as u32) as i32;
            [_mm_set_epi32(word, t2, t1, t0), one_bit, zero, bits_80]
        });
        // SAFETY (both): the caller vouches for the instructions.
        unsafe { compress::<N, 64>(&mut states, &mut blocks) };
        for (state, block) in states.iter_mut().zip(&mut blocks) {
            // From the pairs ABEF and CDGH back to words in order.
            let abef = _mm_shuffle_epi32(_mm_add_epi32(state.0, mid0), 0xb1);
            let cdgh = _mm_shuffle_epi32(_mm_add_epi32(state.1, mid1), 0xb1);
            let (abcd, efgh) = (_mm_unpackhi_epi64(abef, cdgh), _mm_unpacklo_epi64(abef, cdgh));
            *block = [abcd, efgh, one_bit, bits_32];
            *state = (init0, init1);
        }
        unsafe { compress::<N, 61>(&mut states, &mut blocks) };
        for (n, state) in states.iter().enumerate() {
            // After the pair of rounds 60 and 61, the e of round 60 stands in the place of f.
            let last = (_mm_extract_epi32(state.1, 0) as u32).wrapping_add(INITIAL[7]);
            if last & mask == 0 {
                found.push(begin.wrapping_add(n as u32));
            }
        }
    }
    found
}

/// A state as the instructions want it: A, B, E, F and C, D, G, H, highest first.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn halves(state: &[u32; 8]) -> (__m128i, __m128i) {
    let [a, b, c, d, e, f, g, h] = state.map(|word| word as i32);
    (_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h))
}

/// ROUNDS rounds of N messages side by side, in pairs; the last pair is left half done if ROUNDS is odd: its first
/// half has the result in the second register.
///
/// # Safety
/// Needs the instructions named below.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
unsafe fn compress<const N: usize, const ROUNDS: usize>(
    states: &mut [(__m128i, __m128i); N],
    blocks: &mut [[__m128i; 4]; N],
) {
    for group in 0..ROUNDS.div_ceil(4) {
        for (state, block) in states.iter_mut().zip(blocks.iter_mut()) {
            if group >= 4 {
                let word = |i: usize| block[(group + i) % 4];
                let middle = _mm_alignr_epi8(word(3), word(2), 4);
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(word(0), word(1)), middle);
                block[group % 4] = _mm_sha256msg2_epu32(sum, word(3));
            }
            // SAFETY: 64 constants, four at a time, aligned.
            let k = unsafe { _mm_load_si128(ROUND_CONSTANTS.0.as_ptr().add(4 * group).cast()) };
            let kw = _mm_add_epi32(block[group % 4], k);
            state.1 = _mm_sha256rnds2_epu32(state.1, state.0, kw);
            if 4 * group + 2 < ROUNDS {
                let upper = _mm_shuffle_epi32(kw, 0x0e);
                state.0 = _mm_sha256rnds2_epu32(state.0, state.1, upper);
            }
        }
    }
}
