// C = A * B, one product of a decoder for many rows, on GPUs without matrix units. Prologue, epilogue, bindings and layouts are those
// of panels.wgsl, without SPLIT.
// kernels/decoder/block.wgsl and kernels/decoder/product.wgsl follow.
//
// Work: one workgroup computes ROWS rows by 64 columns, an invocation 8 columns of ROWS_PER_LANE rows. Loads per FLOP:
// (B_BITS / ROWS + 1 / 2) / 16 bytes from memory, (1 / 8 + 1 / ROWS_PER_LANE) / 2 values from workgroup memory.
// Takes: B_BITS 32, 16, 8 or 4. ROWS 64. WORKGROUP 64, 128, 256 or 512.
// Assumes: K a multiple of 32.
const ROWS: u32 = 64u;
const WORKGROUP: u32 = 64u;
const B_BITS: u32 = 4u;
const OFFSETS: bool = false;
const EPSILON: f32 = 0.0; // of the RMSNorm before the product; 0: no norm
const FINISH: u32 = 0u;
const HEAD_SIZE: u32 = 64u;

alias Elem = f32;
// Rows that are read together are adjacent; each chunk is padded by a vec4 to avoid bank conflicts.
const A_ROW: u32 = 1u;
const A_CHUNK: u32 = ROWS + 1u;

var<private> own_lane: u32;
var<private> own_row: u32;

fn multiply() {
    for (var c = 0u; c < CHUNKS; c++) {
        var weights: array<vec4<f32>, 8>;
        for (var term = 0u; term < 4u; term++) {
            let at = (4u * c + term) * B_PITCH + own_lane;
            weights[2u * term] = block_b[at];
            weights[2u * term + 1u] = block_b[at + LANES_PER_TILE];
        }
        for (var r = 0u; r < ROWS_PER_LANE; r++) {
            let x = block_a[(own_row + r * APART) * A_ROW + c * A_CHUNK];
            for (var half = 0u; half < 2u; half++) {
                var sum = sums[2u * r + half];
                sum = fma(vec4<f32>(x.x), weights[half], sum);
                sum = fma(vec4<f32>(x.y), weights[2u + half], sum);
                sum = fma(vec4<f32>(x.z), weights[4u + half], sum);
                sums[2u * r + half] = fma(vec4<f32>(x.w), weights[6u + half], sum);
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let block = part.block + group.y;
    own_lane = thread % LANES_PER_TILE;
    own_row = thread / LANES_PER_TILE;
    multiply_all(block, group.x, thread);
    finish_all(block, group.x, thread);
}
