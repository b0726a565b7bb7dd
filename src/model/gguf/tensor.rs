//! Tensors of a GGUF file: their names and storage types, and their places in the file, which are checked before anything is read there.

use super::header::Header;
use super::source::{Source, truncated};
use crate::model::{GROUP, Matrix, Storage, Tensor, Type, Values};
use anyhow::{Context, Result, ensure};
use half::f16;
use std::fs::File;

/// Types that rigbench reads, by their numbers in `enum ggml_type`.
const TYPES: [(usize, Storage); 5] = [
    (0, Storage::F32),
    (1, Storage { kind: Type::F16, offsets: false }),
    (2, Storage { kind: Type::Int4, offsets: false }),
    (3, Storage { kind: Type::Int4, offsets: true }),
    (8, Storage { kind: Type::Int8, offsets: false }),
];

/// ggml's type names by type number; empty for numbers that are unassigned or removed.
const NAMES: [&str; 40] = [
    "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K",
    "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S",
    "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "Q4_0_4_4", "Q4_0_4_8",
    "Q4_0_8_8", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
];

/// Advice on a matrix of an unsupported type. `llama-quantize` stores a wide model's `output.weight` as Q6_K even in a plain Q4_0 file,
/// so the advice must give supported types only: Q8_0, or Q4_0 with `--pure`.
const QUANTIZE: &str = "quantize the original F16 model with llama-quantize to Q8_0, or with llama-quantize --pure to Q4_0";

/// A tensor's name in GGUF.
pub(super) fn name(tensor: Tensor) -> String {
    match tensor {
        Tensor::Embedding => "token_embd.weight".into(),
        Tensor::Norm => "output_norm.weight".into(),
        Tensor::Head => "output.weight".into(),
        Tensor::Layer(layer, part) => format!("blk.{layer}.{}", part.gguf_name()),
    }
}

/// A tensor's type and shape, and its offset and length in the file in bytes.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    pub(super) storage: Storage,
    rows: usize,
    columns: usize,
    at: u64,
    pub(super) bytes: u64,
}

impl Stored {
    /// Finds a tensor of (outputs, inputs) and checks all that the header says of it.
    pub(super) fn find(
        header: &Header,
        name: &str,
        (rows, columns): (usize, usize),
        matrix: bool,
    ) -> Result<Stored> {
        let entry = header.tensors.get(name).with_context(|| missing(name))?;
        let expected = if matrix { [columns, rows, 1, 1] } else { [rows, 1, 1, 1] };
        ensure!(
            entry.sides == expected.map(|side| side as u64),
            "the GGUF's tensor {name} has the shape {:?}, by its metadata it must be {expected:?}: it is damaged or of another architecture, convert the model again",
            entry.sides
        );
        let known = TYPES.into_iter().find(|(kind, _)| *kind == entry.kind as usize);
        let known = known.filter(|(_, storage)| matrix || !storage.kind.scaled());
        let (_, storage) = known.with_context(|| {
            let stored = match NAMES.get(entry.kind as usize) {
                Some(name) if !name.is_empty() => name.to_string(),
                _ => format!("type {}", entry.kind),
            };
            let (read, advice) = match matrix {
                true => ("F32, F16, Q8_0, Q4_0 and Q4_1", QUANTIZE),
                // Quantizing again leaves vectors as they are.
                false => ("F32 and F16", "convert the model again with a current llama.cpp"),
            };
            format!("the GGUF's tensor {name} is {stored}, rigbench reads {read} there: {advice}")
        })?;
        ensure!(
            columns.is_multiple_of(GROUP) || !storage.kind.scaled(),
            "the GGUF's tensor {name} has rows of {columns} weights, not of whole blocks of {GROUP}: it is damaged, download it again"
        );
        // No overflow: sides are below 2^24 each, a group is at most 2^7 bytes.
        let bytes = rows as u64 * columns as u64 * storage.group_bytes() as u64 / GROUP as u64;
        let at = entry.offset.checked_add(header.data);
        let end = at.and_then(|at| at.checked_add(bytes)).filter(|end| *end <= header.length);
        let end = end.with_context(|| truncated(header.length))?;
        ensure!(
            entry.offset.is_multiple_of(header.alignment),
            "the GGUF's tensor {name} does not begin at a multiple of {} bytes: it is damaged, download it again",
            header.alignment
        );
        Ok(Stored { storage, rows, columns, at: end - bytes, bytes })
    }

    /// The part of the file that it takes.
    pub(super) fn range(&self) -> (u64, u64) {
        (self.at, self.at + self.bytes)
    }

    /// Passes its bytes to `take`, whole blocks at a time.
    fn pieces(&self, file: &File, take: impl FnMut(&[u8])) -> Result<()> {
        Source::new(file, self.at)?.pieces(self.bytes, take)
    }

    /// Its weights as f32, if they are F32 or F16.
    pub(super) fn floats(&self, file: &File) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.rows * self.columns);
        self.pieces(file, |bytes| match self.storage.kind {
            Type::F32 => values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            _ => values.extend(bytes.as_chunks().0.iter().map(|b| half(b).to_f32())),
        })?;
        Ok(values)
    }

    pub(super) fn matrix(&self, file: &File) -> Result<Matrix> {
        let values = match self.storage.kind {
            Type::F32 => Values::F32(self.floats(file)?),
            Type::F16 => {
                let mut values = Vec::with_capacity(self.rows * self.columns);
                self.pieces(file, |bytes| values.extend(bytes.as_chunks().0.iter().map(half)))?;
                Values::F16(values)
            }
            Type::Int8 | Type::Int4 => self.integers(file)?,
        };
        Ok(Matrix { rows: self.rows, columns: self.columns, values })
    }

    /// Blocks of a scale, an offset in Q4_1, and a group's integers.
    fn integers(&self, file: &File) -> Result<Values> {
        let groups = self.rows * self.columns / GROUP;
        let mut values: Vec<u8> =
            Vec::with_capacity(groups * GROUP * self.storage.kind.bits() as usize / 8);
        let mut scales = Vec::with_capacity(groups);
        let mut offsets = self.storage.offsets.then(|| Vec::with_capacity(groups));
        self.pieces(file, |bytes| {
            for block in bytes.chunks_exact(self.storage.group_bytes()) {
                let (scale, mut integers) =
                    block.split_first_chunk().expect("a block begins with it");
                scales.push(half(scale));
                if let Some(offsets) = &mut offsets {
                    let (offset, nibbles) = integers.split_first_chunk().expect("likewise");
                    offsets.push(half(offset));
                    integers = nibbles;
                }
                match self.storage.kind {
                    Type::Int8 => values.extend(integers),
                    _ => values.extend(in_order(integers)),
                }
            }
        })?;
        Ok(match self.storage.kind {
            Type::Int8 => Values::Int8 { values: bytemuck::allocation::cast_vec(values), scales },
            _ => Values::Int4 { values, scales, offsets },
        })
    }
}

pub(super) fn missing(name: &str) -> String {
    format!(
        "the GGUF lacks the tensor {name}: it is truncated or of another architecture, download or convert it again"
    )
}

fn half(bytes: &[u8; 2]) -> f16 {
    f16::from_le_bytes(*bytes)
}

/// A block's nibbles in weight order. GGUF stores the first sixteen in the low nibbles of its bytes, the others in the high nibbles.
fn in_order(block: &[u8]) -> impl Iterator<Item = u8> {
    let (pairs, _) = block.as_chunks::<2>();
    let low = pairs.iter().map(|[one, other]| one & 15 | other << 4);
    let high = pairs.iter().map(|[one, other]| one >> 4 | other & 0xf0);
    low.chain(high)
}
