// C = A * B on matrix units (tensor cores): f16 products with f32 accumulators, operands staged as f16 in workgroup memory. Each
// subgroup keeps TILES_M × TILES_N accumulator matrices in registers. The next block is prefetched from memory into registers while
// the staged one is multiplied (double buffering).
//
// Bindings: 0 Part, 1 A (f16, or f32 in the range of f16), 2 B (f16, int8 or int4), 3 C, 4 scales of B.
// Work: a workgroup of SUBGROUPS_M × SUBGROUPS_N subgroups computes TILE_M × TILE_N of C. Bytes loaded per FLOP:
// (TILE_M * A_BITS + TILE_N * B_BITS) / (16 * TILE_M * TILE_N), 0.016 for f16 and 128 × 128.
// Assumes: a device that lists MATRIX × MATRIX × MATRIX with f16 in and f32 out, and subgroups of LANES.
// Rounding: products of f16 are exact in f32; their sums are rounded by the device. In addition, f32 activations and dequantised
// int8 or int4 weights are rounded to f16, each by at most 2^-11 of itself; below 2^-14 f16 loses precision or becomes zero.
enable f16;
enable wgpu_cooperative_matrix;

// Bits of the operands, and the element types of their buffers.
const A_BITS: u32 = 16u; // 16 or 32
alias ElementA = f16; // f16 or f32
const B_BITS: u32 = 16u; // 16, 8 or 4
alias ElementB = f16; // f16 or u32
// Side of the cooperative matrices, 8 or 16, and the types to match.
const MATRIX: u32 = 16u;
alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias MatrixC = coop_mat16x16<f32, C>;
const LANES: u32 = 32u; // 8, 32 or 64
const SUBGROUPS_M: u32 = 2u;
const SUBGROUPS_N: u32 = 2u;
const TILES_M: u32 = 4u;
const TILES_N: u32 = 4u;
const TILE_M: u32 = MATRIX * TILES_M * SUBGROUPS_M;
const TILE_N: u32 = MATRIX * TILES_N * SUBGROUPS_N;
const TILE_K: u32 = 32u; // a multiple of 32 that gives each invocation whole texels of A and B
// A texel holds terms of one line (row of A, column of B), as matrix units take them. Blocks of A or B are contiguous runs of
// texels, one after another, so loads are coalesced.
const A_TERMS: u32 = 128u / A_BITS;
const B_TERMS: u32 = 128u / B_BITS;
const S_TERMS: u32 = 1u;
const A_PANEL: u32 = TILE_M;
const B_PANEL: u32 = TILE_N;
const S_PANEL: u32 = TILE_N / 8u;

// Roundings of a product to f16; that of an f32 activation counts twice, for values below 2^-14.
const F16_ROUNDINGS: u32 = select(0u, 2u, A_BITS == 32u) + select(0u, 1u, B_BITS < 16u);
const THREADS: u32 = LANES * SUBGROUPS_M * SUBGROUPS_N;
// Texels per block, texels that an invocation loads, and vec4s per texel: two of f16, one of wider elements.
const A_TEXELS: u32 = TILE_M * TILE_K / A_TERMS;
const B_TEXELS: u32 = TILE_N * TILE_K / B_TERMS;
const A_LOADS: u32 = A_TEXELS / THREADS;
const B_LOADS: u32 = B_TEXELS / THREADS;
const A_VECTORS: u32 = 32u / A_BITS;
const B_VECTORS: u32 = select(1u, 2u, B_BITS == 16u);
const_assert A_TEXELS % THREADS == 0u && B_TEXELS % THREADS == 0u;
// Pitch of a staged line in vec4s, padded by 16 bytes: 8 lines start in different banks.
const PITCH: u32 = TILE_K / 4u + 2u;

@group(0) @binding(1) var<storage, read> a: array<vec4<ElementA>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<ElementB>>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read> scales: array<f16>;

var<workgroup> block_a: array<vec4<f16>, TILE_M * PITCH>;
var<workgroup> block_b: array<vec4<f16>, TILE_N * PITCH>;

// Texels prefetched into registers, not yet in workgroup memory.
var<private> texels_a: array<vec4<ElementA>, A_LOADS * A_VECTORS>;
var<private> texels_b: array<vec4<ElementB>, B_LOADS * B_VECTORS>;
var<private> texel_scales: array<f16, B_LOADS>;

// A row of the workgroup is a subgroup. @builtin(subgroup_id) would say the same, but some drivers crash on modules with both matrices
// and subgroup capabilities.
@compute @workgroup_size(LANES, SUBGROUPS_N, SUBGROUPS_M)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(local_invocation_id) place: vec3<u32>,
) {
    let tile_row = part.first_row / TILE_M + group.y;
    let tile_column = part.first_column / TILE_N + group.x;
    let row = place.z * (MATRIX * TILES_M);
    let column = place.y * (MATRIX * TILES_N);

    var sums: array<MatrixC, TILES_M * TILES_N>;

    // The next block to load: this invocation's first texel of A and of B, and the block's first scale.
    var at_a = tile_row * (part.k / A_TERMS * TILE_M) + thread;
    var at_b = tile_column * (part.k / B_TERMS * TILE_N) + thread;
    var at_scales = tile_column * (part.k / 32u * TILE_N);
    load(at_a, at_b, at_scales, thread);
    store(thread);
    workgroupBarrier();
    for (var k = TILE_K; k <= part.k; k += TILE_K) {
        // The last block is loaded and staged once more than needed, which saves a branch.
        if (k < part.k) {
            at_a += A_TEXELS;
            at_b += B_TEXELS;
            at_scales += TILE_K / 32u * TILE_N;
        }
        load(at_a, at_b, at_scales, thread);

        for (var step = 0u; step < TILE_K / MATRIX; step++) {
            let term = step * (MATRIX / 4u);
            var from_a: array<MatrixA, TILES_M>;
            for (var m = 0u; m < TILES_M; m++) {
                from_a[m] = coopLoadT<MatrixA>(&block_a[(row + m * MATRIX) * PITCH + term], PITCH);
            }
            for (var n = 0u; n < TILES_N; n++) {
                let from_b = coopLoad<MatrixB>(&block_b[(column + n * MATRIX) * PITCH + term], PITCH);
                for (var m = 0u; m < TILES_M; m++) {
                    sums[n * TILES_M + m] = coopMultiplyAdd(from_a[m], from_b, sums[n * TILES_M + m]);
                }
            }
        }

        workgroupBarrier();
        store(thread);
        workgroupBarrier();
    }

    let pitch = part.columns;
    let corner = (tile_row * TILE_M + row) * pitch + tile_column * TILE_N + column;
    for (var n = 0u; n < TILES_N; n++) {
        for (var m = 0u; m < TILES_M; m++) {
            // naga 30 accepts only names as arguments of a coopStore.
            let sum = sums[n * TILES_M + m];
            let at = corner + m * MATRIX * pitch + n * MATRIX;
            coopStoreT(sum, &c[at], pitch);
        }
    }
}

// Memory to registers.
fn load(at_a: u32, at_b: u32, at_scales: u32, thread: u32) {
    for (var i = 0u; i < A_LOADS; i++) {
        for (var j = 0u; j < A_VECTORS; j++) {
            texels_a[i * A_VECTORS + j] = a[(at_a + i * THREADS) * A_VECTORS + j];
        }
    }
    for (var i = 0u; i < B_LOADS; i++) {
        for (var j = 0u; j < B_VECTORS; j++) {
            texels_b[i * B_VECTORS + j] = b[(at_b + i * THREADS) * B_VECTORS + j];
        }
        if (B_BITS <= 8u) {
            let texel = i * THREADS + thread;
            texel_scales[i] = scales[at_scales + texel / TILE_N * B_TERMS / 32u * TILE_N + texel % TILE_N];
        }
    }
}

// Registers to workgroup memory, dequantised to f16.
fn store(thread: u32) {
    for (var i = 0u; i < A_LOADS; i++) {
        let texel = i * THREADS + thread;
        let to = texel % TILE_M * PITCH + texel / TILE_M * (A_TERMS / 4u);
        for (var j = 0u; j < A_VECTORS; j++) {
            block_a[to + j] = vec4<f16>(texels_a[i * A_VECTORS + j]);
        }
    }
    for (var i = 0u; i < B_LOADS; i++) {
        let texel = i * THREADS + thread;
        let to = texel % TILE_N * PITCH + texel / TILE_N * (B_TERMS / 4u);
        if (B_BITS == 16u) {
            for (var j = 0u; j < B_VECTORS; j++) {
                block_b[to + j] = vec4<f16>(texels_b[i * B_VECTORS + j]);
            }
        } else {
            let words = vec4<u32>(texels_b[i]);
            let scale = f32(texel_scales[i]);
            for (var j = 0u; j < 4u; j++) {
                if (B_BITS == 8u) {
                    block_b[to + j] = from_bytes(words[j], scale);
                } else {
                    let terms = from_nibbles(words[j], scale);
                    block_b[to + 2u * j] = terms[0];
                    block_b[to + 2u * j + 1u] = terms[1];
                }
            }
        }
    }
}

// Dequantises 4 int8. An unsigned integer below 1024 becomes f16 without a conversion: it is or-ed into the mantissa of 1024
// (0x6400). Both products with the scale and their difference are exact in f32; only the result is rounded.
fn from_bytes(word: u32, scale: f32) -> vec4<f16> {
    let unsigned = word ^ 0x80808080u;
    let even = above_1024(unsigned & 0x00ff00ffu);
    let odd = above_1024((unsigned >> 8u) & 0x00ff00ffu);
    return vec4<f16>(vec4<f32>(even.x, odd.x, even.y, odd.y) * scale - (1024.0 + 128.0) * scale);
}

// Dequantises 8 int4; the nibbles of a pair are 4 apart.
fn from_nibbles(word: u32, scale: f32) -> array<vec4<f16>, 2> {
    let p0 = above_1024(word & 0x000f000fu);
    let p1 = above_1024((word >> 4u) & 0x000f000fu);
    let p2 = above_1024((word >> 8u) & 0x000f000fu);
    let p3 = above_1024((word >> 12u) & 0x000f000fu);
    let bias = (1024.0 + 8.0) * scale;
    return array(
        vec4<f16>(vec4<f32>(p0.x, p1.x, p2.x, p3.x) * scale - bias),
        vec4<f16>(vec4<f32>(p0.y, p1.y, p2.y, p3.y) * scale - bias),
    );
}

fn above_1024(halves: u32) -> vec2<f32> {
    return unpack2x16float(halves | 0x64006400u);
}
