// C = A * B, one product of a decoder for many rows, on matrix units: f16 products with f32 accumulators. Prologue, epilogue, bindings
// and layouts are those of panels.wgsl.
// kernels/decoder/block.wgsl and kernels/decoder/product.wgsl follow.
//
// Work: one workgroup of SUBGROUPS_M by SUBGROUPS_N subgroups computes ROWS rows by 64 columns. Accumulators go through workgroup
// memory to the invocations that run the epilogue. Bytes loaded per FLOP: (B_BITS / ROWS + 1 / 2) / 16.
// Takes: B_BITS 32, 16, 8 or 4. MATRIX 8 or 16.
// Assumes: a device that lists MATRIX x MATRIX x MATRIX with f16 in and f32 out, and subgroups of LANES; activations, and weights
// times RMSNorm gains, in the range of f16, as inference in f16 needs too.
// Rounding: both are rounded to f16, each by at most 2^-11 of itself, more below 2^-14.
enable f16;
enable wgpu_cooperative_matrix;

const ROWS: u32 = 64u;
const B_BITS: u32 = 4u;
const OFFSETS: bool = false;
const EPSILON: f32 = 0.0; // of the RMSNorm before the product; 0: no norm
const FINISH: u32 = 0u;
const HEAD_SIZE: u32 = 64u;
// Side of the cooperative matrices, and the types to match.
const MATRIX: u32 = 16u;
alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias MatrixC = coop_mat16x16<f32, C>;
const LANES: u32 = 32u;
const SUBGROUPS_M: u32 = 2u;
const SUBGROUPS_N: u32 = 2u;
const WORKGROUP: u32 = LANES * SUBGROUPS_M * SUBGROUPS_N;
const TILES_M: u32 = ROWS / SUBGROUPS_M / MATRIX;
const TILES_N: u32 = 64u / SUBGROUPS_N / MATRIX;

alias Elem = f16;
// Stride of a row in vec4s, padded by 16 bytes: 8 rows start in different banks.
const A_ROW: u32 = CHUNKS + 2u;
const A_CHUNK: u32 = 1u;
const C_PITCH: u32 = 2u * LANES_PER_TILE + 1u;

var<workgroup> block_c: array<vec4<f32>, ROWS * C_PITCH>;
var<private> products: array<MatrixC, TILES_M * TILES_N>;
var<private> own_row: u32;
// In vec4s.
var<private> own_column: u32;

fn multiply() {
    for (var term = 0u; term < 32u; term += MATRIX) {
        var from_a: array<MatrixA, TILES_M>;
        for (var m = 0u; m < TILES_M; m++) {
            from_a[m] = coopLoadT<MatrixA>(&block_a[(own_row + m * MATRIX) * A_ROW + term / 4u * A_CHUNK], A_ROW);
        }
        for (var n = 0u; n < TILES_N; n++) {
            let from_b = coopLoadT<MatrixB>(&block_b[term * B_PITCH + own_column + n * (MATRIX / 4u)], B_PITCH);
            for (var m = 0u; m < TILES_M; m++) {
                products[n * TILES_M + m] = coopMultiplyAdd(from_a[m], from_b, products[n * TILES_M + m]);
            }
        }
    }
}

// A row of the workgroup is a subgroup, as in gemm/matrix.wgsl.
@compute @workgroup_size(LANES, SUBGROUPS_N, SUBGROUPS_M)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(local_invocation_id) place: vec3<u32>,
) {
    let block = part.block + group.y;
    own_row = place.z * (MATRIX * TILES_M);
    own_column = place.y * (MATRIX * TILES_N / 4u);
    multiply_all(block, group.x, thread);
    for (var n = 0u; n < TILES_N; n++) {
        for (var m = 0u; m < TILES_M; m++) {
            // naga 30 accepts only names as arguments of a coopStore.
            let product = products[n * TILES_M + m];
            let at = (own_row + m * MATRIX) * C_PITCH + own_column + n * (MATRIX / 4u);
            coopStoreT(product, &block_c[at], C_PITCH);
        }
    }
    workgroupBarrier();
    for (var r = 0u; r < ROWS_PER_LANE; r++) {
        let at = (thread / LANES_PER_TILE + r * APART) * C_PITCH + thread % LANES_PER_TILE;
        sums[2u * r] = block_c[at];
        sums[2u * r + 1u] = block_c[at + LANES_PER_TILE];
    }
    finish_all(block, group.x, thread);
}
