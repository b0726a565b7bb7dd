//! Weight types of a GGUF file: those that rigbench reads, and the names of the others.

use super::GROUP;

/// Storage type of weights.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Format {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q8_0,
}

impl Format {
    /// The type with this number; `None` if rigbench does not read it.
    pub(super) fn of(kind: u32) -> Option<Format> {
        Some(match kind {
            0 => Format::F32,
            1 => Format::F16,
            2 => Format::Q4_0,
            3 => Format::Q4_1,
            8 => Format::Q8_0,
            _ => return None,
        })
    }

    /// Bytes per block, and weights per block.
    pub(super) fn block(self) -> (u64, u64) {
        match self {
            Format::F32 => (4, 1),
            Format::F16 => (2, 1),
            Format::Q4_0 => (18, GROUP as u64),
            Format::Q4_1 => (20, GROUP as u64),
            Format::Q8_0 => (34, GROUP as u64),
        }
    }
}

/// ggml's type names by number in `enum ggml_type`; some types have since been removed.
const NAMES: &[(u32, &str)] = &[
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (6, "Q5_0"),
    (7, "Q5_1"),
    (8, "Q8_0"),
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (12, "Q4_K"),
    (13, "Q5_K"),
    (14, "Q6_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (30, "BF16"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
];

/// The name of a type.
pub(super) fn name(kind: u32) -> String {
    let known = NAMES.iter().find(|(number, _)| *number == kind);
    known.map_or_else(|| format!("type {kind}"), |(_, name)| name.to_string())
}

/// Advice on a matrix of an unsupported type. `llama-quantize` stores a wide model's `output.weight` as Q6_K even in a plain Q4_0 file,
/// so the advice must give supported types only: Q8_0, or Q4_0 with `--pure`.
pub(super) const QUANTIZE: &str = "quantize the original F16 model with llama-quantize to Q8_0, or with llama-quantize --pure to Q4_0";
