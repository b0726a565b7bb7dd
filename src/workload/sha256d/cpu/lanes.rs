//! SIMD vectors of 32-bit words with the operations of the program, for each instruction set.

/// A SIMD vector of 32-bit words.
///
/// # Safety
/// Every method needs the instructions that the type's documentation names.
pub(super) trait Lanes: Copy {
    /// Words of a vector.
    const WIDTH: usize;
    /// Broadcasts a word to every lane.
    unsafe fn splat(word: u32) -> Self;
    /// `first`, `first + 1`, … from lane to lane.
    unsafe fn count_from(first: u32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn big_sigma0(self) -> Self;
    unsafe fn big_sigma1(self) -> Self;
    unsafe fn small_sigma0(self) -> Self;
    unsafe fn small_sigma1(self) -> Self;
    /// SHA-256's Ch: bits of f where e has ones, else of g.
    unsafe fn choose(e: Self, f: Self, g: Self) -> Self;
    /// SHA-256's Maj: the bitwise majority.
    unsafe fn majority(a: Self, b: Self, c: Self) -> Self;
    /// `base ^ (mask & difference)`.
    unsafe fn blend(mask: Self, difference: Self, base: Self) -> Self;
    /// A bit mask of the lanes whose word has no bit of `mask`, first lane lowest.
    unsafe fn without(self, mask: u32) -> u64;
}

/// Two vectors with interleaved operations: while one waits for a result or a port, the other proceeds.
#[derive(Clone, Copy)]
pub(super) struct Pair<A, B>(A, B);

impl<A: Lanes, B: Lanes> Lanes for Pair<A, B> {
    const WIDTH: usize = A::WIDTH + B::WIDTH;
    inline_always! {
        fn splat(word: u32) -> Self {
            // SAFETY (here and below): the caller guarantees the instructions of both.
            unsafe { Pair(A::splat(word), B::splat(word)) }
        }
        fn count_from(first: u32) -> Self {
            let second = first.wrapping_add(A::WIDTH as u32);
            unsafe { Pair(A::count_from(first), B::count_from(second)) }
        }
        fn add(self, other: Self) -> Self { unsafe { Pair(self.0.add(other.0), self.1.add(other.1)) } }
        fn big_sigma0(self) -> Self { unsafe { Pair(self.0.big_sigma0(), self.1.big_sigma0()) } }
        fn big_sigma1(self) -> Self { unsafe { Pair(self.0.big_sigma1(), self.1.big_sigma1()) } }
        fn small_sigma0(self) -> Self { unsafe { Pair(self.0.small_sigma0(), self.1.small_sigma0()) } }
        fn small_sigma1(self) -> Self { unsafe { Pair(self.0.small_sigma1(), self.1.small_sigma1()) } }
        fn choose(e: Self, f: Self, g: Self) -> Self { unsafe { Pair(A::choose(e.0, f.0, g.0), B::choose(e.1, f.1, g.1)) } }
        fn majority(a: Self, b: Self, c: Self) -> Self {
            unsafe { Pair(A::majority(a.0, b.0, c.0), B::majority(a.1, b.1, c.1)) }
        }
        fn blend(mask: Self, difference: Self, base: Self) -> Self {
            unsafe { Pair(A::blend(mask.0, difference.0, base.0), B::blend(mask.1, difference.1, base.1)) }
        }
        fn without(self, mask: u32) -> u64 { unsafe { self.0.without(mask) | self.1.without(mask) << A::WIDTH } }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512, Avx512Half};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    const COUNT: [i32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// A vector type with rotate and ternary-logic instructions: AVX-512, 512 or 256 bits wide.
    macro_rules! with_ternary_logic {
        ($(#[$doc:meta])* $name:ident, $vector:ty, $width:literal, $set1:ident, $load:ident, $add:ident, $rotate:ident,
         $shift:ident, $ternary:ident, $without:ident) => {
            $(#[$doc])*
            #[derive(Clone, Copy)]
            pub(in super::super) struct $name($vector);

            impl $name {
                inline_always! {
                    fn xor3(a: $vector, b: $vector, c: $vector) -> Self { unsafe { $name($ternary(a, b, c, 0x96)) } }
                }
            }

            impl Lanes for $name {
                const WIDTH: usize = $width;
                inline_always! {
                    fn splat(word: u32) -> Self { unsafe { $name($set1(word as i32)) } }
                    fn count_from(first: u32) -> Self {
                        unsafe { $name($add($set1(first as i32), $load(COUNT.as_ptr().cast()))) }
                    }
                    fn add(self, other: Self) -> Self { unsafe { $name($add(self.0, other.0)) } }
                    fn big_sigma0(self) -> Self {
                        unsafe { Self::xor3($rotate(self.0, 2), $rotate(self.0, 13), $rotate(self.0, 22)) }
                    }
                    fn big_sigma1(self) -> Self {
                        unsafe { Self::xor3($rotate(self.0, 6), $rotate(self.0, 11), $rotate(self.0, 25)) }
                    }
                    fn small_sigma0(self) -> Self {
                        unsafe { Self::xor3($rotate(self.0, 7), $rotate(self.0, 18), $shift(self.0, 3)) }
                    }
                    fn small_sigma1(self) -> Self {
                        unsafe { Self::xor3($rotate(self.0, 17), $rotate(self.0, 19), $shift(self.0, 10)) }
                    }
                    fn choose(e: Self, f: Self, g: Self) -> Self { unsafe { $name($ternary(e.0, f.0, g.0, 0xca)) } }
                    fn majority(a: Self, b: Self, c: Self) -> Self { unsafe { $name($ternary(a.0, b.0, c.0, 0xe8)) } }
                    fn blend(mask: Self, difference: Self, base: Self) -> Self {
                        unsafe { $name($ternary(mask.0, difference.0, base.0, 0x6a)) }
                    }
                    fn without(self, mask: u32) -> u64 { unsafe { u64::from($without(self.0, $set1(mask as i32))) } }
                }
            }
        };
    }

    with_ternary_logic!(
        /// 16 words; needs `avx512f`.
        Avx512, __m512i, 16, _mm512_set1_epi32, _mm512_loadu_si512, _mm512_add_epi32, _mm512_ror_epi32,
        _mm512_srli_epi32, _mm512_ternarylogic_epi32, _mm512_testn_epi32_mask
    );
    with_ternary_logic!(
        /// 8 words; needs `avx512f` and `avx512vl`.
        Avx512Half, __m256i, 8, _mm256_set1_epi32, _mm256_loadu_si256, _mm256_add_epi32, _mm256_ror_epi32,
        _mm256_srli_epi32, _mm256_ternarylogic_epi32, _mm256_testn_epi32_mask
    );

    /// 8 words; needs `avx2`.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256i);

    impl Avx2 {
        inline_always! {
            fn rotate<const RIGHT: i32, const LEFT: i32>(self) -> __m256i {
                unsafe { _mm256_or_si256(_mm256_srli_epi32(self.0, RIGHT), _mm256_slli_epi32(self.0, LEFT)) }
            }
            fn xor3(a: __m256i, b: __m256i, c: __m256i) -> Self {
                unsafe { Avx2(_mm256_xor_si256(_mm256_xor_si256(a, b), c)) }
            }
        }
    }

    impl Lanes for Avx2 {
        const WIDTH: usize = 8;
        inline_always! {
            fn splat(word: u32) -> Self { unsafe { Avx2(_mm256_set1_epi32(word as i32)) } }
            fn count_from(first: u32) -> Self {
                unsafe {
                    let count = _mm256_loadu_si256(COUNT.as_ptr().cast());
                    Avx2(_mm256_add_epi32(_mm256_set1_epi32(first as i32), count))
                }
            }
            fn add(self, other: Self) -> Self { unsafe { Avx2(_mm256_add_epi32(self.0, other.0)) } }
            fn big_sigma0(self) -> Self {
                unsafe {
                    Self::xor3(self.rotate::<2, 30>(), self.rotate::<13, 19>(), self.rotate::<22, 10>())
                }
            }
            fn big_sigma1(self) -> Self {
                unsafe {
                    Self::xor3(self.rotate::<6, 26>(), self.rotate::<11, 21>(), self.rotate::<25, 7>())
                }
            }
            fn small_sigma0(self) -> Self {
                let shifted = unsafe { _mm256_srli_epi32(self.0, 3) };
                unsafe { Self::xor3(self.rotate::<7, 25>(), self.rotate::<18, 14>(), shifted) }
            }
            fn small_sigma1(self) -> Self {
                let shifted = unsafe { _mm256_srli_epi32(self.0, 10) };
                unsafe { Self::xor3(self.rotate::<17, 15>(), self.rotate::<19, 13>(), shifted) }
            }
            fn choose(e: Self, f: Self, g: Self) -> Self {
                unsafe { Self::blend(e, Avx2(_mm256_xor_si256(f.0, g.0)), g) }
            }
            fn majority(a: Self, b: Self, c: Self) -> Self {
                unsafe { Self::blend(Avx2(_mm256_xor_si256(a.0, b.0)), Avx2(_mm256_xor_si256(b.0, c.0)), b) }
            }
            fn blend(mask: Self, difference: Self, base: Self) -> Self {
                unsafe { Avx2(_mm256_xor_si256(base.0, _mm256_and_si256(mask.0, difference.0))) }
            }
            fn without(self, mask: u32) -> u64 {
                unsafe {
                    let kept = _mm256_and_si256(self.0, _mm256_set1_epi32(mask as i32));
                    let zero = _mm256_cmpeq_epi32(kept, _mm256_setzero_si256());
                    u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(zero)) as u32)
                }
            }
        }
    }
}
