// C = A * B in f32: every invocation holds a tile of TILE_M rows by 4 columns in registers.
//
// Bindings: 0 the part (uniform), 1 A, rows of K/4 vectors, 2 B, K rows of N/4 vectors, 3 C, rows of N/4 vectors.
// Work: one workgroup computes TILE_M rows by 4 * WORKGROUP columns; neighbouring invocations take neighbouring
// columns, so that loads of A are uniform in a workgroup and loads of B are contiguous.
// Assumes: M is padded to TILE_M, K to 4 and N to 4 * WORKGROUP with zeros.
const WORKGROUP: u32 = 64u;
const TILE_M: u32 = 8u;

struct Part {
    k4: u32,        // K / 4
    n4: u32,        // N / 4
    first_row: u32, // first row of C in this dispatch
    pad: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let column = group.x * WORKGROUP + lane;
    let row = part.first_row + group.y * TILE_M;
    var sums: array<vec4<f32>, TILE_M>;
    for (var k = 0u; k < part.k4; k++) {
        let b0 = b[(4u * k) * part.n4 + column];
        let b1 = b[(4u * k + 1u) * part.n4 + column];
        let b2 = b[(4u * k + 2u) * part.n4 + column];
        let b3 = b[(4u * k + 3u) * part.n4 + column];
        for (var i = 0u; i < TILE_M; i++) {
            let x = a[(row + i) * part.k4 + k];
            sums[i] += x.x * b0 + x.y * b1 + x.z * b2 + x.w * b3;
        }
    }
    for (var i = 0u; i < TILE_M; i++) {
        c[(row + i) * part.n4 + column] = sums[i];
    }
}
