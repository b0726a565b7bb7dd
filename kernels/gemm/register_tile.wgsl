// C = A * B in f32: every invocation keeps a tile of TILE_M rows by 4 columns of C in registers.
//
// Bindings: 0 Part (uniform), 1 A, a vec4 of 4 terms of each row, then the next 4 terms of each row, 2 B, row-major in vec4s of
// columns, 3 C likewise.
// Work: one workgroup computes TILE_M rows by 4 * WORKGROUP columns. Neighbouring invocations take neighbouring columns, so loads of
// A are uniform across a workgroup and loads of B are coalesced. Bytes loaded per FLOP: (TILE_M + 4) / (2 * TILE_M).
// Assumes: M is padded to TILE_M, K to TILE_K and N to TILE_N with zeros.
const WORKGROUP: u32 = 64u;
const TILE_M: u32 = 8u;
const TILE_N: u32 = 4u * WORKGROUP;
const TILE_K: u32 = 4u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 4u;
const A_PANEL: u32 = 0u;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 1u;
const B_PANEL: u32 = 0u;

@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let pitch = part.columns / 4u;
    let column = part.first_column / 4u + group.x * WORKGROUP + lane;
    let row = part.first_row + group.y * TILE_M;
    var sums: array<vec4<f32>, TILE_M>;
    for (var k = 0u; k < part.k / TILE_K; k++) {
        let b0 = b[(4u * k) * pitch + column];
        let b1 = b[(4u * k + 1u) * pitch + column];
        let b2 = b[(4u * k + 2u) * pitch + column];
        let b3 = b[(4u * k + 3u) * pitch + column];
        for (var i = 0u; i < TILE_M; i++) {
            let x = a[k * part.rows + row + i];
            let half = fma(vec4<f32>(x.y), b1, fma(vec4<f32>(x.x), b0, sums[i]));
            sums[i] = fma(vec4<f32>(x.w), b3, fma(vec4<f32>(x.z), b2, half));
        }
    }
    for (var i = 0u; i < TILE_M; i++) {
        c[(row + i) * pitch + column] = sums[i];
    }
}
