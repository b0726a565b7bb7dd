//! SIMD vectors of floats and of 32-bit words with the operations of the kernels, for each instruction set.

/// A SIMD vector of floats.
///
/// # Safety
/// Every method needs the instructions that the type's documentation names; pointers are valid for `WIDTH` elements.
pub(super) trait Lanes: Copy {
    /// Floats of a vector.
    const WIDTH: usize;
    /// A vector of as many 32-bit words.
    type Words: Copy;
    /// Broadcasts a float to every lane.
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self * factor + sum`, fused if the CPU has FMA.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// Converts from f16.
    unsafe fn from_f16(from: *const u16) -> Self;
    /// Converts signed integers; those of more than 24 bits are rounded.
    unsafe fn from_words(words: Self::Words) -> Self;
    /// The signed byte of every word that begins at bit `at`.
    unsafe fn byte(words: Self::Words, at: u32) -> Self;
    /// The nibble of every word that begins at bit `at`, minus 8.
    unsafe fn nibble(words: Self::Words, at: u32) -> Self;
    /// Broadcasts a word to every lane.
    unsafe fn splat_words(word: u32) -> Self::Words;
    unsafe fn load_words(from: *const u32) -> Self::Words;
    unsafe fn xor(words: Self::Words, mask: u32) -> Self::Words;
    /// `words` shifted right, masked.
    unsafe fn field(words: Self::Words, shift: u32, mask: u32) -> Self::Words;
    /// `sum` plus the dot product of four unsigned and four signed bytes in every lane (DP4a).
    unsafe fn dot(sum: Self::Words, unsigned: Self::Words, signed: Self::Words) -> Self::Words;
}

/// Prefetches a cache line for soon, or if `from_l1` for immediate use, where the CPU supports that.
#[inline(always)]
pub(super) fn prefetch<T>(line: *const T, from_l1: bool) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint; it neither reads nor faults, whatever the address is.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        if from_l1 {
            _mm_prefetch::<_MM_HINT_T0>(line.cast());
        } else {
            _mm_prefetch::<_MM_HINT_T1>(line.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (line, from_l1);
}

/// For every CPU: loops that the compiler vectorizes.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 8]);

/// The lanes `f(0)`, `f(1)`, …
#[inline(always)]
fn from_lanes<T>(f: impl FnMut(usize) -> T) -> [T; 8] {
    std::array::from_fn(f)
}

impl Lanes for Portable {
    const WIDTH: usize = 8;
    type Words = [u32; 8];
    inline_always! {
        fn splat(value: f32) -> Self { Portable([value; 8]) }
        fn load(from: *const f32) -> Self {
            // SAFETY (here and below): the caller guarantees the pointer.
            unsafe { Portable(from.cast::<[f32; 8]>().read_unaligned()) }
        }
        fn store(self, to: *mut f32) { unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) } }
        fn add(self, other: Self) -> Self { Portable(from_lanes(|i| self.0[i] + other.0[i])) }
        fn mul(self, other: Self) -> Self { Portable(from_lanes(|i| self.0[i] * other.0[i])) }
        fn mul_add(self, factor: Self, sum: Self) -> Self {
            // Every aarch64 CPU has FMA; elsewhere `mul_add` may be a function call.
            if cfg!(target_arch = "aarch64") {
                Portable(from_lanes(|i| self.0[i].mul_add(factor.0[i], sum.0[i])))
            } else {
                Portable(from_lanes(|i| self.0[i] * factor.0[i] + sum.0[i]))
            }
        }
        fn from_f16(from: *const u16) -> Self {
            let halves = unsafe { from.cast::<[u16; 8]>().read_unaligned() };
            Portable(from_lanes(|i| {
                let bits = u32::from(halves[i]);
                // The exponent biases differ by 112; scaling also makes subnormals normal. Infinity and NaN keep the largest exponent.
                let scale = f32::from_bits((127 + 112) << 23);
                let finite = (f32::from_bits((bits & 0x7fff) << 13) * scale).to_bits();
                let infinite = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
                f32::from_bits(finite | infinite | (bits & 0x8000) << 16)
            }))
        }
        fn from_words(words: [u32; 8]) -> Self { Portable(from_lanes(|i| words[i] as i32 as f32)) }
        fn byte(words: [u32; 8], at: u32) -> Self { Portable(from_lanes(|i| f32::from((words[i] >> at) as i8))) }
        fn nibble(words: [u32; 8], at: u32) -> Self { Portable(from_lanes(|i| ((words[i] >> at & 15) as i32 - 8) as f32)) }
        fn splat_words(word: u32) -> [u32; 8] { [word; 8] }
        fn load_words(from: *const u32) -> [u32; 8] { unsafe { from.cast::<[u32; 8]>().read_unaligned() } }
        fn xor(words: [u32; 8], mask: u32) -> [u32; 8] { words.map(|word| word ^ mask) }
        fn field(words: [u32; 8], shift: u32, mask: u32) -> [u32; 8] { words.map(|word| word >> shift & mask) }
        fn dot(sum: [u32; 8], unsigned: [u32; 8], signed: [u32; 8]) -> [u32; 8] {
            from_lanes(|i| {
                // In 16 bits, which hold every product of bytes.
                let product = |at: u32| {
                    i32::from(i16::from((unsigned[i] >> at) as u8) * i16::from((signed[i] >> at) as i8))
                };
                let products = product(0) + product(8) + product(16) + product(24);
                sum[i].wrapping_add(products as u32)
            })
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    /// The values of a nibble.
    const NIBBLES: [f32; 16] =
        [-8., -7., -6., -5., -4., -3., -2., -1., 0., 1., 2., 3., 4., 5., 6., 7.];

    /// 16 floats; needs `avx512f` and `avx512bw`, with VNNI also `avx512vnni`.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512<const VNNI: bool>(__m512);

    impl<const VNNI: bool> Lanes for Avx512<VNNI> {
        const WIDTH: usize = 16;
        type Words = __m512i;
        inline_always! {
            fn splat(value: f32) -> Self {
                // SAFETY (here and below): the caller guarantees the instructions and the pointer.
                unsafe { Avx512(_mm512_set1_ps(value)) }
            }
            fn load(from: *const f32) -> Self { unsafe { Avx512(_mm512_loadu_ps(from)) } }
            fn store(self, to: *mut f32) { unsafe { _mm512_storeu_ps(to, self.0) } }
            fn add(self, other: Self) -> Self { unsafe { Avx512(_mm512_add_ps(self.0, other.0)) } }
            fn mul(self, other: Self) -> Self { unsafe { Avx512(_mm512_mul_ps(self.0, other.0)) } }
            fn mul_add(self, factor: Self, sum: Self) -> Self {
                unsafe { Avx512(_mm512_fmadd_ps(self.0, factor.0, sum.0)) }
            }
            fn from_f16(from: *const u16) -> Self { unsafe { Avx512(_mm512_cvtph_ps(_mm256_loadu_si256(from.cast()))) } }
            fn from_words(words: __m512i) -> Self { unsafe { Avx512(_mm512_cvtepi32_ps(words)) } }
            fn byte(words: __m512i, at: u32) -> Self {
                unsafe {
                    let top = _mm512_sllv_epi32(words, _mm512_set1_epi32(24 - at as i32));
                    Avx512(_mm512_cvtepi32_ps(_mm512_srai_epi32(top, 24)))
                }
            }
            fn nibble(words: __m512i, at: u32) -> Self {
                unsafe {
                    // The permutation uses only the four lowest bits of an index.
                    let index = _mm512_srlv_epi32(words, _mm512_set1_epi32(at as i32));
                    Avx512(_mm512_permutexvar_ps(index, _mm512_loadu_ps(NIBBLES.as_ptr())))
                }
            }
            fn splat_words(word: u32) -> __m512i { unsafe { _mm512_set1_epi32(word as i32) } }
            fn load_words(from: *const u32) -> __m512i { unsafe { _mm512_loadu_si512(from.cast()) } }
            fn xor(words: __m512i, mask: u32) -> __m512i {
                unsafe { _mm512_xor_si512(words, _mm512_set1_epi32(mask as i32)) }
            }
            fn field(words: __m512i, shift: u32, mask: u32) -> __m512i {
                unsafe {
                    let shifted = _mm512_srlv_epi32(words, _mm512_set1_epi32(shift as i32));
                    _mm512_and_si512(shifted, _mm512_set1_epi32(mask as i32))
                }
            }
            fn dot(sum: __m512i, unsigned: __m512i, signed: __m512i) -> __m512i {
                unsafe {
                    if VNNI {
                        return _mm512_dpbusd_epi32(sum, unsigned, signed);
                    }
                    // Widened to 16 bits, because sums of two byte products would saturate there.
                    let even = _mm512_and_si512(unsigned, _mm512_set1_epi16(0xff));
                    let even = _mm512_madd_epi16(even, _mm512_srai_epi16(_mm512_slli_epi16(signed, 8), 8));
                    let odd = _mm512_srli_epi16(unsigned, 8);
                    let odd = _mm512_madd_epi16(odd, _mm512_srai_epi16(signed, 8));
                    _mm512_add_epi32(sum, _mm512_add_epi32(even, odd))
                }
            }
        }
    }

    /// 8 floats; needs `avx2`, `fma` and `f16c`, with VNNI also `avxvnni`.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2<const VNNI: bool>(__m256);

    impl<const VNNI: bool> Lanes for Avx2<VNNI> {
        const WIDTH: usize = 8;
        type Words = __m256i;
        inline_always! {
            fn splat(value: f32) -> Self { unsafe { Avx2(_mm256_set1_ps(value)) } }
            fn load(from: *const f32) -> Self { unsafe { Avx2(_mm256_loadu_ps(from)) } }
            fn store(self, to: *mut f32) { unsafe { _mm256_storeu_ps(to, self.0) } }
            fn add(self, other: Self) -> Self { unsafe { Avx2(_mm256_add_ps(self.0, other.0)) } }
            fn mul(self, other: Self) -> Self { unsafe { Avx2(_mm256_mul_ps(self.0, other.0)) } }
            fn mul_add(self, factor: Self, sum: Self) -> Self { unsafe { Avx2(_mm256_fmadd_ps(self.0, factor.0, sum.0)) } }
            fn from_f16(from: *const u16) -> Self { unsafe { Avx2(_mm256_cvtph_ps(_mm_loadu_si128(from.cast()))) } }
            fn from_words(words: __m256i) -> Self { unsafe { Avx2(_mm256_cvtepi32_ps(words)) } }
            fn byte(words: __m256i, at: u32) -> Self {
                unsafe {
                    let top = _mm256_sllv_epi32(words, _mm256_set1_epi32(24 - at as i32));
                    Avx2(_mm256_cvtepi32_ps(_mm256_srai_epi32(top, 24)))
                }
            }
            fn nibble(words: __m256i, at: u32) -> Self {
                unsafe {
                    let nibble = Self::field(words, at, 15);
                    Avx2(_mm256_cvtepi32_ps(_mm256_sub_epi32(nibble, _mm256_set1_epi32(8))))
                }
            }
            fn splat_words(word: u32) -> __m256i { unsafe { _mm256_set1_epi32(word as i32) } }
            fn load_words(from: *const u32) -> __m256i { unsafe { _mm256_loadu_si256(from.cast()) } }
            fn xor(words: __m256i, mask: u32) -> __m256i {
                unsafe { _mm256_xor_si256(words, _mm256_set1_epi32(mask as i32)) }
            }
            fn field(words: __m256i, shift: u32, mask: u32) -> __m256i {
                unsafe {
                    let shifted = _mm256_srlv_epi32(words, _mm256_set1_epi32(shift as i32));
                    _mm256_and_si256(shifted, _mm256_set1_epi32(mask as i32))
                }
            }
            fn dot(sum: __m256i, unsigned: __m256i, signed: __m256i) -> __m256i {
                unsafe {
                    if VNNI {
                        return _mm256_dpbusd_avx_epi32(sum, unsigned, signed);
                    }
                    let even = _mm256_and_si256(unsigned, _mm256_set1_epi16(0xff));
                    let even = _mm256_madd_epi16(even, _mm256_srai_epi16(_mm256_slli_epi16(signed, 8), 8));
                    let odd = _mm256_srli_epi16(unsigned, 8);
                    let odd = _mm256_madd_epi16(odd, _mm256_srai_epi16(signed, 8));
                    _mm256_add_epi32(sum, _mm256_add_epi32(even, odd))
                }
            }
        }
    }
}
