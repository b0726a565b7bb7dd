//! Matrices as models store them: as floats, or as small integers with a scale per group.

use super::Type;
use half::f16;

/// Weights of a row that share a scale in an integer type: the block size of Q8_0, Q4_0 and Q4_1.
pub const GROUP: usize = 32;

/// A row-major matrix: `rows` outputs with `columns` weights each, one per input.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub columns: usize,
    /// The weights as stored.
    pub values: Values,
}

/// Weights in row-major order. Integer types have a scale per [`GROUP`] weights of a row; `columns` is a multiple of [`GROUP`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Unquantized.
    F32(Vec<f32>),
    /// Unquantized.
    F16(Vec<f16>),
    /// w = scale · value, as in GGUF's Q8_0.
    Int8 {
        /// One per weight.
        values: Vec<i8>,
        /// One per group.
        scales: Vec<f16>,
    },
    /// w = scale · (nibble − 8) as in GGUF's Q4_0, or with offsets w = scale · nibble + offset as in Q4_1.
    Int4 {
        /// Two weights per byte, low nibble first.
        values: Vec<u8>,
        /// One per group.
        scales: Vec<f16>,
        /// One per group.
        offsets: Option<Vec<f16>>,
    },
}

/// How a matrix stores its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// Type of a weight.
    pub(crate) kind: Type,
    /// Whether scales come with offsets.
    pub(crate) offsets: bool,
}

impl Storage {
    pub(crate) const F32: Storage = Storage { kind: Type::F32, offsets: false };

    /// How many f16 a group of weights shares: a scale, an offset.
    pub(crate) fn halves(self) -> usize {
        usize::from(self.kind.scaled()) + usize::from(self.offsets)
    }

    /// Bytes of a group of weights with its scale and offset.
    pub(crate) fn group_bytes(self) -> usize {
        GROUP * self.kind.bits() as usize / 8 + self.halves() * size_of::<f16>()
    }
}

impl Matrix {
    pub(crate) fn storage(&self) -> Storage {
        let kind = match self.values {
            Values::F32(_) => Type::F32,
            Values::F16(_) => Type::F16,
            Values::Int8 { .. } => Type::Int8,
            Values::Int4 { .. } => Type::Int4,
        };
        Storage { kind, offsets: matches!(self.values, Values::Int4 { offsets: Some(_), .. }) }
    }

    /// The bits of a weight as stored; a row-major index.
    pub(crate) fn stored(&self, at: usize) -> u32 {
        match &self.values {
            Values::F32(values) => values[at].to_bits(),
            Values::F16(values) => values[at].to_bits().into(),
            Values::Int8 { values, .. } => (values[at] as u8).into(),
            Values::Int4 { values, .. } => u32::from(values[at / 2] >> (4 * (at % 2)) & 15),
        }
    }

    /// The scale of a group and its offset, if it has one; 1 for floats.
    pub(crate) fn scale(&self, group: usize) -> (f16, Option<f16>) {
        match &self.values {
            Values::F32(_) | Values::F16(_) => (f16::ONE, None),
            Values::Int8 { scales, .. } => (scales[group], None),
            Values::Int4 { scales, offsets, .. } => {
                (scales[group], offsets.as_ref().map(|offsets| offsets[group]))
            }
        }
    }

    /// A weight in f32, exact except for rounding when an offset is added.
    pub(crate) fn weight(&self, at: usize) -> f32 {
        let (stored, (scale, offset)) = (self.stored(at), self.scale(at / GROUP));
        match offset {
            Some(offset) => scale.to_f32() * stored as f32 + offset.to_f32(),
            None => self.storage().kind.decode(stored, || scale.to_f32()),
        }
    }

    /// A row's weights in f32, exact except for rounding when an offset is added.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn dequantized_row(&self, row: usize) -> Vec<f32> {
        assert!(row < self.rows, "row {row} of a matrix that has {}", self.rows);
        (row * self.columns..(row + 1) * self.columns).map(|at| self.weight(at)).collect()
    }
}
