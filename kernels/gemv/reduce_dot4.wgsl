// C = A * B of int8 A and int8 or int4 B with scales, for one row of A, or a few: dot products of 4 terms (dot4I8Packed). The
// invocations of a workgroup split K for COLUMNS columns and reduce their partial sums, first within subgroups.
//
// Bindings: 0 Part (uniform), 1 A, 2 B, 3 C, 4 the scales of B, 5 the scales of A.
// Work: one workgroup computes COLUMNS columns of one row. An invocation loads 16 bytes of each column at a time, half a group of 32
// terms or a whole one; neighbours' loads are coalesced. The sum is exact in i32; then both scales are applied. Bytes loaded per
// operation, without scales: (8 / COLUMNS + B_BITS) / 16.
// Nibbles stay unsigned, with an offset of 8 that is subtracted by means of the sum of the terms of A.
// Takes: A_BITS 8; B_BITS 8 or 4. COLUMNS is at most WORKGROUP; subgroups may have any size.
// Assumes: N is padded to COLUMNS and K to TILE_K with zeros.
const WORKGROUP: u32 = 64u;
const COLUMNS: u32 = 4u;
const TILE_M: u32 = 1u;
const TILE_N: u32 = COLUMNS;
const TILE_K: u32 = 32u;
const A_BITS: u32 = 8u;
const A_TERMS: u32 = 16u;
const A_PANEL: u32 = 1u;
const B_BITS: u32 = 8u;
const B_TERMS: u32 = 128u / B_BITS;
const B_PANEL: u32 = 1u;
const S_TERMS: u32 = 8u;
const S_PANEL: u32 = 1u;

// A subgroup has at least 4 lanes.
const MIN_SUBGROUP: u32 = 4u;
const MOST_SUBGROUPS: u32 = (WORKGROUP + MIN_SUBGROUP - 1u) / MIN_SUBGROUP;

@group(0) @binding(1) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read> scales: array<u32>; // 2 f16 each
@group(0) @binding(5) var<storage, read> row_scales: array<u32>;

var<workgroup> found: array<f32, MOST_SUBGROUPS * COLUMNS>;

fn dot(x: vec4<u32>, w: vec4<u32>, sum: i32) -> i32 {
    let first = sum + dot4I8Packed(x.x, w.x) + dot4I8Packed(x.y, w.y);
    return first + dot4I8Packed(x.z, w.z) + dot4I8Packed(x.w, w.w);
}

// Bytes 0 and 2 of each word, adjacent.
fn even_bytes(x: vec4<u32>) -> vec4<u32> {
    return (x & vec4<u32>(0xffu)) | ((x >> vec4<u32>(8u)) & vec4<u32>(0xff00u));
}

// Of 16 terms, the 8 even ones, then the 8 odd ones: the order of the low and the high nibbles of two words.
fn by_parity(x: vec4<u32>) -> vec4<u32> {
    let even = even_bytes(x);
    let odd = even_bytes(x >> vec4<u32>(8u));
    return vec4<u32>(even.xz | (even.yw << vec2<u32>(16u)), odd.xz | (odd.yw << vec2<u32>(16u)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32, @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32) {
    let row = part.first_row + group.y;
    let column = part.first_column + group.x * COLUMNS;
    let steps = part.k / B_TERMS;
    let groups = (part.k + 255u) / 256u * 8u; // per column, padded to 8
    let rows = (part.rows + 7u) / 8u * 8u; // of A, padded to 8
    var sums: array<f32, COLUMNS>;
    for (var s = lane; s < steps; s += WORKGROUP) {
        var texels: array<vec4<u32>, COLUMNS>;
        for (var i = 0u; i < COLUMNS; i++) {
            texels[i] = b[(column + i) * steps + s];
        }
        let at = row * (part.k / A_TERMS) + s * B_TERMS / A_TERMS;
        var dots: array<i32, COLUMNS>;
        if (B_BITS == 8u) {
            let x = a[at];
            for (var i = 0u; i < COLUMNS; i++) {
                dots[i] = dot(x, texels[i], 0i);
            }
        } else {
            let x0 = by_parity(a[at]);
            let x1 = by_parity(a[at + 1u]);
            let ones = vec4<u32>(0x01010101u);
            let excess = -8i * dot(x1, ones, dot(x0, ones, 0i));
            for (var i = 0u; i < COLUMNS; i++) {
                let low = texels[i] & vec4<u32>(0x0f0f0f0fu);
                let high = (texels[i] >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
                dots[i] = dot(x1, vec4<u32>(low.zw, high.zw), dot(x0, vec4<u32>(low.xy, high.xy), excess));
            }
        }
        let g = s * B_TERMS / 32u;
        let row_at = g * rows + row;
        let row_scale = unpack2x16float(row_scales[row_at / 2u] >> (row_at % 2u * 16u)).x;
        for (var i = 0u; i < COLUMNS; i++) {
            let scale_at = (column + i) * groups + g;
            let scale = unpack2x16float(scales[scale_at / 2u] >> (scale_at % 2u * 16u)).x;
            sums[i] = fma(f32(dots[i]), row_scale * scale, sums[i]);
        }
    }
    for (var i = 0u; i < COLUMNS; i++) {
        let sum = subgroupAdd(sums[i]);
        if (subgroup_lane == 0u) {
            found[subgroup * COLUMNS + i] = sum;
        }
    }
    workgroupBarrier();
    if (lane < COLUMNS) {
        var sum = 0.0;
        for (var i = 0u; i < subgroups; i++) {
            sum += found[i * COLUMNS + lane];
        }
        c[row * part.columns + column + lane] = sum;
    }
}
