//! Types that weights and activations are stored in: what a value becomes, and what its bits mean.

use super::GROUP;
use half::f16;

/// Storage type of a matrix.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Type {
    /// 4 bytes per weight.
    F32 = 32,
    /// 2 bytes per weight.
    F16 = 16,
    /// 1 byte per weight and a scale per group.
    Int8 = 8,
    /// Half a byte per weight and a scale per group, without offsets.
    Int4 = 4,
}

impl Type {
    /// The type whose elements have so many bits.
    pub const fn of_bits(bits: u32) -> Type {
        match bits {
            32 => Type::F32,
            16 => Type::F16,
            8 => Type::Int8,
            _ => Type::Int4,
        }
    }

    /// Bits of an element.
    #[inline]
    pub const fn bits(self) -> u32 {
        self as u32
    }

    /// Whether values are integers with a scale per group.
    pub fn scaled(self) -> bool {
        self.bits() < 16
    }

    /// Integer steps per standard deviation: about what scaling a group's largest value to the type's range gives.
    pub fn spread(self) -> f32 {
        match self {
            Type::F32 | Type::F16 => 1.0,
            Type::Int8 => 48.0,
            Type::Int4 => 3.0,
        }
    }

    /// Stored bits of `value`, which has standard deviation 1; integer types are scaled afterwards.
    #[inline]
    pub fn encode(self, value: f32) -> u32 {
        /// Adding and subtracting it rounds a value below 2^22 to the nearest integer, ties to even. Without a rounding instruction in
        /// the target, `f32::round_ties_even` would be a function call per element.
        const ROUND: f32 = (3 << 22) as f32;
        let integer = |low: i32, high: i32| {
            let rounded = (value * self.spread() + ROUND) - ROUND;
            (rounded as i32).clamp(low, high)
        };
        match self {
            Type::F32 => value.to_bits(),
            Type::F16 => f16::from_f32(value).to_bits().into(),
            Type::Int8 => integer(-127, 127) as u32 & 0xff,
            Type::Int4 => (integer(-8, 7) + 8) as u32,
        }
    }

    /// The value of stored bits. Exact: a product of an integer and an f16 fits an f32.
    #[inline]
    pub fn decode(self, raw: u32, scale: impl FnOnce() -> f32) -> f32 {
        match self {
            Type::F32 => f32::from_bits(raw),
            Type::F16 => f16::from_bits(raw as u16).to_f32(),
            Type::Int8 => f32::from(raw as u8 as i8) * scale(),
            Type::Int4 => (raw as f32 - 8.0) * scale(),
        }
    }

    /// Bytes of a matrix of `lines` × `terms` elements with its scales.
    pub fn bytes(self, lines: usize, terms: usize) -> u64 {
        let (lines, terms) = (lines as u64, terms as u64);
        let scales = if self.scaled() { 2 * lines * terms.div_ceil(GROUP as u64) } else { 0 };
        (lines * terms * u64::from(self.bits())).div_ceil(8) + scales
    }
}
