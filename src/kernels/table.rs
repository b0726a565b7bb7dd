//! The table of kernels: every WGSL file and every variant. A new variant is one line here.

/// A WGSL file with its default parameters.
pub struct Source {
    /// Path under `kernels/` without the extension.
    pub name: &'static str,
    /// WGSL.
    pub text: &'static str,
}

macro_rules! text {
    ("generated/sha256d") => {
        include_str!(concat!(env!("OUT_DIR"), "/sha256d.wgsl"))
    };
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/", $name, ".wgsl"))
    };
}

/// `name`, or `name + other + another` for the concatenation of several files.
macro_rules! sources {
    ($($name:tt $(+ $rest:tt)*),* $(,)?) => {
        &[$(Source { name: $name, text: concat!(text!($name) $(, text!($rest))*) }),*]
    };
}

/// Every WGSL file, by its path under `kernels/` without the extension.
pub const SOURCES: &[Source] = sources![
    "sha256d/scan" + "sha256d/hash" + "generated/sha256d",
    "sha256d/compact" + "sha256d/hash",
    "gemm/matrix" + "shared/part",
    "gemm/tile" + "shared/part",
    "gemm/dot4" + "shared/part",
    "gemm/broadcast" + "shared/part" + "shared/texel_at",
    "gemm/exchange" + "shared/part" + "shared/texel_at",
    "gemm/register_tile" + "shared/part",
    "gemv/panels" + "shared/part" + "shared/texel_at",
    "gemv/reduce" + "shared/part",
    "gemv/reduce_dot4" + "shared/part",
    "gemv/add_parts" + "shared/part",
    "decoder/panels" + "decoder/product" + "shared/step" + "shared/texel_at",
    "decoder/rows" + "decoder/product" + "shared/step" + "shared/texel_at",
    "decoder/tiles" + "decoder/block" + "decoder/product" + "shared/step" + "shared/texel_at",
    "decoder/matrices" + "decoder/block" + "decoder/product" + "shared/step" + "shared/texel_at",
    "decoder/attend" + "shared/step" + "shared/texel_at",
    "decoder/embed" + "shared/texel_at",
    "decoder/choose" + "shared/step",
    "decoder/pick" + "shared/step" + "shared/texel_at",
    "peak/fma",
    "peak/dot4",
    "peak/matrix",
    "stream/read",
    "stream/texels" + "shared/texel_at"
];

/// Names and values of parameters.
pub type Params = &'static [(&'static str, &'static str)];

/// One choice of a kernel's parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Unique name in results, which begins with its workload: `gemm/register_tile-8x16`.
    pub id: &'static str,
    /// Parameters that differ from the file's defaults, as WGSL text, in sets.
    pub params: &'static [Params],
    /// Bits of the activations and weights that a matmul kernel supports; empty for other kernels.
    pub takes: Takes,
}

impl Entry {
    /// WGSL file: its path under `kernels/` without the extension, which is the id without what follows a dash in both parts of it.
    pub fn source(&self) -> String {
        let stems = self.id.split('/').map(|part| part.split('-').next().unwrap_or(part));
        stems.collect::<Vec<_>>().join("/")
    }
}

/// Bits of the activations and weights that a matmul kernel supports.
#[derive(Debug, PartialEq, Eq)]
pub struct Takes {
    /// Bits of activations (A).
    pub a: &'static [u32],
    /// Bits of weights (B).
    pub b: &'static [u32],
}

/// Not a matmul kernel.
const PLAIN: Takes = Takes { a: &[], b: &[] };
const F32: Takes = Takes { a: &[32], b: &[32] };
/// Compilers take minutes on 32 rows of accumulators with int4 weights.
const NOT_INT4: Takes = Takes { a: &[32, 16], b: &[32, 16, 8] };
/// Float activations with any weights.
const ANY: Takes = Takes { a: &[32, 16], b: &[32, 16, 8, 4] };

/// Sixteen header versions per nonce, in a loop: they share one message schedule.
const LOOP_16: Params = &[("VERSIONS", "16u"), ("UNROLLED", "false"), ("NONCES", "16u")];
/// The form that AMD's compiler turns into the fewest instructions: docs/gpu-isa.md.
const UNIFORM: Params = &[("UNIFORM_ROTATION", "true"), ("CHOOSE", "1u"), ("MAJORITY", "1u")];
/// For cooperative matrices, which take f16: other operands are converted on load.
const HALVES: Takes = Takes { a: &[16, 32], b: &[16, 8, 4] };
/// f32 activations with unquantized weights.
const WIDE: Takes = Takes { a: &[32], b: &[32, 16] };
/// Unquantized operands.
const FLOATS: Takes = Takes { a: &[32, 16], b: &[32, 16] };
const BYTES: Takes = Takes { a: &[8], b: &[8, 4] };
/// For f16 arithmetic, which gains nothing if both operands are f32.
const NARROW: Takes = Takes { a: &[32, 16], b: &[16, 8, 4] };
const TILE_64: Params = &[("THREADS_M", "8u"), ("QUADS", "1u")];
const TILE_F16: Params = &[("Elem", "f16"), ("STEP", "32u")];
/// Column-major B, and column-major A.
const TRANSPOSED_B: Params = &[("B_TERMS", "4u"), ("B_PANEL", "1u")];
const TRANSPOSED_A: Params = &[("A_TERMS", "1u"), ("A_PANEL", "0u")];
/// 64×64 tiles for small shapes.
const SMALL_MATRIX: Params = &[("TILES_M", "2u"), ("TILES_N", "2u"), ("TILE_K", "64u")];
/// For the software adapter, so that tests can verify the kernel there.
const MATRIX_8: Params = &[
    ("MATRIX", "8u"),
    ("MatrixA", "coop_mat8x8<f16, A>"),
    ("MatrixB", "coop_mat8x8<f16, B>"),
    ("MatrixC", "coop_mat8x8<f32, C>"),
    ("LANES", "8u"),
];

/// Variants, one a line: id, types, sets of parameters, further parameters.
macro_rules! table {
    ($($id:literal $takes:ident $([$($set:ident),*])? $($name:ident = $value:literal),*;)*) => {
        &[$(Entry {
            id: $id,
            takes: $takes,
            params: &[$($($set,)*)? &[$((stringify!($name), $value)),*]],
        }),*]
    };
}

/// Every variant; the first of each workload is its default.
pub const TABLE: &[Entry] = table! {
    "sha256d/scan-2" PLAIN;
    "sha256d/scan-16" PLAIN [LOOP_16];
    "sha256d/scan-16-uniform" PLAIN [LOOP_16, UNIFORM];
    "sha256d/scan-1-vec2" PLAIN VERSIONS = "1u", Word = "vec2<u32>", WIDTH = "2u", OFFSETS = "vec2<u32>(0u, 1u)";
    "sha256d/scan-1" PLAIN VERSIONS = "1u";
    "sha256d/scan-2-uniform" PLAIN [UNIFORM];
    "sha256d/scan-16-uniform-256" PLAIN [LOOP_16, UNIFORM] WORKGROUP = "256u";
    "sha256d/compact" PLAIN;
    "gemm/matrix-128x128" HALVES;
    "gemm/matrix-64x64" HALVES [SMALL_MATRIX];
    "gemm/matrix-128x128-lanes64" HALVES LANES = "64u", TILE_K = "64u";
    "gemm/matrix-64x64-lanes64" HALVES LANES = "64u", SUBGROUPS_M = "1u", TILES_N = "2u", TILE_K = "64u";
    "gemm/matrix-64x32-lanes8" HALVES [MATRIX_8] SUBGROUPS_M = "1u", SUBGROUPS_N = "1u", TILES_M = "8u";
    "gemm/exchange-64" F32;
    "gemm/exchange-32" WIDE ROWS = "4u";
    "gemm/exchange-32-terms8" F32 ROWS = "4u", TERMS = "8u";
    "gemm/exchange-16-terms8" FLOATS ROWS = "2u", TERMS = "8u";
    "gemm/broadcast-32" NOT_INT4 ROWS = "4u";
    "gemm/broadcast-16" ANY;
    "gemm/exchange-32-lanes16-terms8" F32 LANES = "16u", ROWS = "2u", TERMS = "8u";
    "gemm/broadcast-32-lanes16" NOT_INT4 LANES = "16u";
    "gemm/broadcast-16-lanes16" ANY LANES = "16u", ROWS = "1u";
    "gemm/tile-128x128-f16" NARROW [TILE_F16];
    "gemm/tile-128x128" ANY;
    "gemm/tile-64x64" ANY [TILE_64];
    "gemm/tile-64x64-f16" NARROW [TILE_F16, TILE_64];
    "gemm/tile-32x128" ANY THREADS_M = "8u", ROWS = "4u";
    "gemm/dot4-128x64" BYTES;
    "gemm/dot4-64x64" BYTES THREADS_M = "8u";
    "gemm/dot4-128x128" BYTES QUADS = "2u";
    "gemm/register_tile-8x8" F32;
    "gemm-transposed-a/tile-128x128" F32 [TRANSPOSED_A];
    "gemm-transposed-a/tile-64x64" F32 [TRANSPOSED_A, TILE_64];
    "gemm-transposed-b/tile-128x128" F32 [TRANSPOSED_B];
    "gemm-transposed-b/tile-64x64" F32 [TRANSPOSED_B, TILE_64];
    "gemv/panels-8x2" FLOATS STREAMS = "2u";
    "gemv/panels-8-split4" ANY SPLIT_K = "4u";
    "gemv/panels-8" ANY;
    "gemv/reduce-64x4" ANY;
    "gemv/panels-64-split16" ANY WORKGROUP = "64u", SPLIT_K = "16u";
    "gemv/reduce-256x4" ANY WORKGROUP = "256u";
    "gemv/reduce-32x4" ANY WORKGROUP = "32u";
    "gemv/reduce-64x2" ANY COLUMNS = "2u";
    "gemv/reduce_dot4-64x4" BYTES;
    "gemv/reduce_dot4-256x4" BYTES WORKGROUP = "256u";
    "gemv/reduce_dot4-32x4" BYTES WORKGROUP = "32u";
    "peak-f32/fma-8" PLAIN;
    "peak-f32/fma-2" PLAIN CHAINS = "2u";
    "peak-f32/fma-1" PLAIN CHAINS = "1u";
    "peak-f16/fma-8" PLAIN Elem = "f16";
    "peak-dot4/dot4-16" PLAIN;
    "peak-dot4/dot4-8" PLAIN CHAINS = "8u";
    "peak-matrix/matrix-8" PLAIN;
    "peak-matrix/matrix-8-lanes64" PLAIN LANES = "64u";
    "peak-matrix/matrix-4-lanes8" PLAIN [MATRIX_8] CHAINS = "4u";
    "stream/texels-1" PLAIN;
    "stream/texels-2" PLAIN STREAMS = "2u";
    "stream/read-16" PLAIN;
    "stream/read-64" PLAIN TEXELS = "64u";
};

/// The decoder's kernels; `workload/decoder/gpu` chooses among them.
pub const DECODER: &[Entry] = table! {
    "decoder/panels" PLAIN;
    "decoder/rows" PLAIN;
    "decoder/tiles" PLAIN;
    "decoder/matrices" PLAIN;
    "decoder/matrices-lanes64" PLAIN LANES = "64u";
    "decoder/matrices-lanes8" PLAIN [MATRIX_8] SUBGROUPS_M = "4u";
    "decoder/attend" PLAIN;
    "decoder/embed" PLAIN;
    "decoder/choose" PLAIN;
    "decoder/pick" PLAIN;
};

/// The decoder kernel with this id.
///
/// # Panics
/// If there is none: a choice and the table do not match, which the tests of every choice detect.
pub fn of_decoder(id: &str) -> &'static Entry {
    let entry = DECODER.iter().find(|e| e.id == id);
    entry.unwrap_or_else(|| panic!("the table has no kernel {id}"))
}

/// The kernel that reduces the partial sums of a split-K kernel.
pub fn adder() -> &'static Entry {
    const ADDER: &[Entry] = table! { "gemv/add_parts" PLAIN; };
    &ADDER[0]
}

/// The variants of one workload, default first.
pub fn of_workload(workload: &str) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |e| e.id.split('/').next() == Some(workload))
}
