//! The table of kernels: every WGSL file and every variant. A new variant is one line here.

/// A WGSL file with its default parameters.
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
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
pub(super) const SOURCES: &[Source] = sources![
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

/// One choice of a kernel's parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Unique name in results, which begins with its workload: `gemm/register_tile-8x16`.
    pub id: &'static str,
    /// WGSL file: its path under `kernels/` without the extension.
    pub source: &'static str,
    /// Parameters that differ from the file's defaults, as WGSL text.
    pub params: &'static [(&'static str, &'static str)],
    /// Bits of the activations and weights that a matmul kernel supports; empty for other kernels.
    pub takes: Takes,
}

/// Bits of the activations and weights that a matmul kernel supports.
#[derive(Debug, PartialEq, Eq)]
pub struct Takes {
    /// Bits of activations (A).
    pub a: &'static [u32],
    /// Bits of weights (B).
    pub b: &'static [u32],
}

const NO_MATRICES: Takes = Takes { a: &[], b: &[] };
const F32: Takes = Takes { a: &[32], b: &[32] };
/// Compilers take minutes on 32 rows of accumulators with int4 weights.
const NOT_INT4: Takes = Takes { a: &[32, 16], b: &[32, 16, 8] };
/// Float activations with any weights.
const ANY: Takes = Takes { a: &[32, 16], b: &[32, 16, 8, 4] };

type Params = &'static [(&'static str, &'static str)];

const fn plain(id: &'static str, source: &'static str, params: Params) -> Entry {
    Entry { id, source, params, takes: NO_MATRICES }
}

const fn matmul(id: &'static str, source: &'static str, takes: Takes, params: Params) -> Entry {
    Entry { id, source, params, takes }
}

/// Sixteen header versions per nonce, in a loop: they share one message schedule.
const LOOP_16: [(&str, &str); 3] = [("VERSIONS", "16u"), ("UNROLLED", "false"), ("NONCES", "16u")];
/// The form that AMD's compiler turns into the fewest instructions: docs/gpu-isa.md.
const UNIFORM: [(&str, &str); 3] =
    [("UNIFORM_ROTATION", "true"), ("CHOOSE", "1u"), ("MAJORITY", "1u")];
const UNIFORM_LOOP_16: [(&str, &str); 6] =
    [LOOP_16[0], LOOP_16[1], LOOP_16[2], UNIFORM[0], UNIFORM[1], UNIFORM[2]];

/// For cooperative matrices, which take f16: other operands are converted on load.
const HALVES: Takes = Takes { a: &[16, 32], b: &[16, 8, 4] };
/// f32 activations with unquantized weights.
const WIDE: Takes = Takes { a: &[32], b: &[32, 16] };
/// Unquantized operands.
const FLOATS: Takes = Takes { a: &[32, 16], b: &[32, 16] };
const BYTES: Takes = Takes { a: &[8], b: &[8, 4] };
/// For f16 arithmetic, which gains nothing if both operands are f32.
const NARROW: Takes = Takes { a: &[32, 16], b: &[16, 8, 4] };
const TILE_64: [(&str, &str); 2] = [("THREADS_M", "8u"), ("QUADS", "1u")];
const TILE_F16: [(&str, &str); 2] = [("Elem", "f16"), ("STEP", "32u")];
/// Column-major B, and column-major A.
const TRANSPOSED_B: [(&str, &str); 2] = [("B_TERMS", "4u"), ("B_PANEL", "1u")];
const TRANSPOSED_A: [(&str, &str); 2] = [("A_TERMS", "1u"), ("A_PANEL", "0u")];
/// 64×64 tiles for small shapes.
const SMALL_MATRIX: Params = &[("TILES_M", "2u"), ("TILES_N", "2u"), ("TILE_K", "64u")];

/// Every variant; the first of each workload is its default.
pub const TABLE: &[Entry] = &[
    plain("sha256d/scan-2", "sha256d/scan", &[]),
    plain("sha256d/scan-16", "sha256d/scan", &LOOP_16),
    plain("sha256d/scan-16-uniform", "sha256d/scan", &UNIFORM_LOOP_16),
    plain(
        "sha256d/scan-1-vec2",
        "sha256d/scan",
        &[
            ("VERSIONS", "1u"),
            ("Word", "vec2<u32>"),
            ("WIDTH", "2u"),
            ("OFFSETS", "vec2<u32>(0u, 1u)"),
        ],
    ),
    plain("sha256d/scan-1", "sha256d/scan", &[("VERSIONS", "1u")]),
    plain("sha256d/scan-2-uniform", "sha256d/scan", &UNIFORM),
    plain(
        "sha256d/scan-16-uniform-256",
        "sha256d/scan",
        &[
            ("WORKGROUP", "256u"),
            UNIFORM_LOOP_16[0],
            UNIFORM_LOOP_16[1],
            UNIFORM_LOOP_16[2],
            UNIFORM_LOOP_16[3],
            UNIFORM_LOOP_16[4],
            UNIFORM_LOOP_16[5],
        ],
    ),
    plain(
        "sha256d/scan-1-vec4",
        "sha256d/scan",
        &[
            ("VERSIONS", "1u"),
            ("Word", "vec4<u32>"),
            ("WIDTH", "4u"),
            ("OFFSETS", "vec4<u32>(0u, 1u, 2u, 3u)"),
        ],
    ),
    plain("sha256d/compact", "sha256d/compact", &[]),
    matmul("gemm/matrix-128x128", "gemm/matrix", HALVES, &[]),
    matmul("gemm/matrix-64x64", "gemm/matrix", HALVES, SMALL_MATRIX),
    matmul(
        "gemm/matrix-128x128-lanes64",
        "gemm/matrix",
        HALVES,
        &[("LANES", "64u"), ("TILE_K", "64u")],
    ),
    matmul(
        "gemm/matrix-64x64-lanes64",
        "gemm/matrix",
        HALVES,
        &[("LANES", "64u"), ("SUBGROUPS_M", "1u"), ("TILES_N", "2u"), ("TILE_K", "64u")],
    ),
    // For the software adapter, so that tests can verify the kernel there.
    matmul(
        "gemm/matrix-64x32-lanes8",
        "gemm/matrix",
        HALVES,
        &[
            ("MATRIX", "8u"),
            ("MatrixA", "coop_mat8x8<f16, A>"),
            ("MatrixB", "coop_mat8x8<f16, B>"),
            ("MatrixC", "coop_mat8x8<f32, C>"),
            ("LANES", "8u"),
            ("SUBGROUPS_M", "1u"),
            ("SUBGROUPS_N", "1u"),
            ("TILES_M", "8u"),
        ],
    ),
    matmul("gemm/exchange-64", "gemm/exchange", F32, &[]),
    matmul("gemm/exchange-32", "gemm/exchange", WIDE, &[("ROWS", "4u")]),
    matmul("gemm/exchange-32-terms8", "gemm/exchange", F32, &[("ROWS", "4u"), ("TERMS", "8u")]),
    matmul("gemm/exchange-16-terms8", "gemm/exchange", FLOATS, &[("ROWS", "2u"), ("TERMS", "8u")]),
    matmul("gemm/broadcast-32", "gemm/broadcast", NOT_INT4, &[("ROWS", "4u")]),
    matmul("gemm/broadcast-16", "gemm/broadcast", ANY, &[]),
    matmul(
        "gemm/exchange-32-lanes16-terms8",
        "gemm/exchange",
        F32,
        &[("LANES", "16u"), ("ROWS", "2u"), ("TERMS", "8u")],
    ),
    matmul("gemm/broadcast-32-lanes16", "gemm/broadcast", NOT_INT4, &[("LANES", "16u")]),
    matmul("gemm/broadcast-16-lanes16", "gemm/broadcast", ANY, &[("LANES", "16u"), ("ROWS", "1u")]),
    matmul("gemm/tile-128x128-f16", "gemm/tile", NARROW, &TILE_F16),
    matmul("gemm/tile-128x128", "gemm/tile", ANY, &[]),
    matmul("gemm/tile-64x64", "gemm/tile", ANY, &TILE_64),
    matmul(
        "gemm/tile-64x64-f16",
        "gemm/tile",
        NARROW,
        &[TILE_F16[0], TILE_F16[1], TILE_64[0], TILE_64[1]],
    ),
    matmul("gemm/tile-32x128", "gemm/tile", ANY, &[("THREADS_M", "8u"), ("ROWS", "4u")]),
    matmul("gemm/dot4-128x64", "gemm/dot4", BYTES, &[]),
    matmul("gemm/dot4-64x64", "gemm/dot4", BYTES, &[("THREADS_M", "8u")]),
    matmul("gemm/dot4-128x128", "gemm/dot4", BYTES, &[("QUADS", "2u")]),
    matmul("gemm/register_tile-8x8", "gemm/register_tile", F32, &[]),
    matmul("gemm-transposed-a/tile-128x128", "gemm/tile", F32, &TRANSPOSED_A),
    matmul(
        "gemm-transposed-a/tile-64x64",
        "gemm/tile",
        F32,
        &[TRANSPOSED_A[0], TRANSPOSED_A[1], TILE_64[0], TILE_64[1]],
    ),
    matmul("gemm-transposed-b/tile-128x128", "gemm/tile", F32, &TRANSPOSED_B),
    matmul(
        "gemm-transposed-b/tile-64x64",
        "gemm/tile",
        F32,
        &[TRANSPOSED_B[0], TRANSPOSED_B[1], TILE_64[0], TILE_64[1]],
    ),
    matmul("gemv/panels-8x2", "gemv/panels", FLOATS, &[("STREAMS", "2u")]),
    matmul("gemv/panels-8-split4", "gemv/panels", ANY, &[("SPLIT_K", "4u")]),
    matmul("gemv/panels-8", "gemv/panels", ANY, &[]),
    matmul("gemv/reduce-64x4", "gemv/reduce", ANY, &[]),
    matmul(
        "gemv/panels-64-split16",
        "gemv/panels",
        ANY,
        &[("WORKGROUP", "64u"), ("SPLIT_K", "16u")],
    ),
    matmul("gemv/reduce-256x4", "gemv/reduce", ANY, &[("WORKGROUP", "256u")]),
    matmul("gemv/reduce-32x4", "gemv/reduce", ANY, &[("WORKGROUP", "32u")]),
    matmul("gemv/reduce-64x2", "gemv/reduce", ANY, &[("COLUMNS", "2u")]),
    matmul("gemv/reduce_dot4-64x4", "gemv/reduce_dot4", BYTES, &[]),
    matmul("gemv/reduce_dot4-256x4", "gemv/reduce_dot4", BYTES, &[("WORKGROUP", "256u")]),
    matmul("gemv/reduce_dot4-32x4", "gemv/reduce_dot4", BYTES, &[("WORKGROUP", "32u")]),
    plain("peak-f32/fma-8", "peak/fma", &[]),
    plain("peak-f32/fma-2", "peak/fma", &[("CHAINS", "2u")]),
    plain("peak-f32/fma-1", "peak/fma", &[("CHAINS", "1u")]),
    plain("peak-f16/fma-8", "peak/fma", &[("Elem", "f16")]),
    plain("peak-dot4/dot4-16", "peak/dot4", &[]),
    plain("peak-dot4/dot4-8", "peak/dot4", &[("CHAINS", "8u")]),
    plain("peak-matrix/matrix-8", "peak/matrix", &[]),
    plain("peak-matrix/matrix-8-lanes64", "peak/matrix", &[("LANES", "64u")]),
    plain(
        "peak-matrix/matrix-4-lanes8",
        "peak/matrix",
        &[
            ("MATRIX", "8u"),
            ("MatrixA", "coop_mat8x8<f16, A>"),
            ("MatrixB", "coop_mat8x8<f16, B>"),
            ("MatrixC", "coop_mat8x8<f32, C>"),
            ("LANES", "8u"),
            ("CHAINS", "4u"),
        ],
    ),
    plain("stream/texels-1", "stream/texels", &[]),
    plain("stream/texels-2", "stream/texels", &[("STREAMS", "2u")]),
    plain("stream/read-16", "stream/read", &[]),
    plain("stream/read-64", "stream/read", &[("TEXELS", "64u")]),
];

/// The decoder's kernels; `workload/decoder/gpu` chooses among them.
pub const DECODER: &[Entry] = &[
    plain("decoder/panels", "decoder/panels", &[]),
    plain("decoder/rows", "decoder/rows", &[]),
    plain("decoder/tiles", "decoder/tiles", &[]),
    plain("decoder/matrices", "decoder/matrices", &[]),
    plain("decoder/matrices-lanes64", "decoder/matrices", &[("LANES", "64u")]),
    // For the software adapter, so that tests can verify the kernel there.
    plain(
        "decoder/matrices-lanes8",
        "decoder/matrices",
        &[
            ("MATRIX", "8u"),
            ("MatrixA", "coop_mat8x8<f16, A>"),
            ("MatrixB", "coop_mat8x8<f16, B>"),
            ("MatrixC", "coop_mat8x8<f32, C>"),
            ("LANES", "8u"),
            ("SUBGROUPS_M", "4u"),
        ],
    ),
    plain("decoder/attend", "decoder/attend", &[]),
    plain("decoder/embed", "decoder/embed", &[]),
    plain("decoder/choose", "decoder/choose", &[]),
    plain("decoder/pick", "decoder/pick", &[]),
];

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
    const ADDER: Entry = plain("add_parts", "gemv/add_parts", &[]);
    &ADDER
}

/// The variants of one workload, default first.
pub fn of_workload(workload: &str) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |e| e.id.split('/').next() == Some(workload))
}
