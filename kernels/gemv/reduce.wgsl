// C = A * B for one row of A, or a few: the invocations of a workgroup split K for COLUMNS columns and reduce their partial sums,
// first within subgroups.
//
// Bindings: 0 Part (uniform), 1 A, 2 B, 3 C, 4 the scales of B.
// Work: one workgroup computes COLUMNS columns of one row. An invocation loads 16 bytes of each column at a time; loads of
// neighbouring invocations are coalesced. Bytes loaded per FLOP: (A_BITS / COLUMNS + B_BITS) / 16.
// Integer weights are read as unsigned, since bytes convert to float in one instruction. The offset is the same for all columns and
// is subtracted by means of the sum of the terms of A.
// Takes: A_BITS 32 or 16; B_BITS 32, 16, 8 or 4. COLUMNS is at most WORKGROUP; subgroups may have any size.
// Assumes: N is padded to COLUMNS and K to TILE_K with zeros.
const WORKGROUP: u32 = 64u;
const COLUMNS: u32 = 4u;
const TILE_M: u32 = 1u;
const TILE_N: u32 = COLUMNS;
const TILE_K: u32 = 32u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 128u / A_BITS;
const A_PANEL: u32 = 1u;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 128u / B_BITS;
const B_PANEL: u32 = 1u;
const S_TERMS: u32 = 8u;
const S_PANEL: u32 = 1u;

// Maximum offset of accumulated weights, in standard deviations.
const WEIGHT_EXCESS: u32 = select(0u, 4u, B_BITS <= 8u);
// A subgroup has at least 4 lanes.
const MIN_SUBGROUP: u32 = 4u;
const MOST_SUBGROUPS: u32 = (WORKGROUP + MIN_SUBGROUP - 1u) / MIN_SUBGROUP;

@group(0) @binding(1) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read> scales: array<u32>; // 2 f16 each

var<workgroup> found: array<f32, MOST_SUBGROUPS * COLUMNS>;

// The terms of A for the q-th vec4 of weights of texel `step` of a column.
fn terms(row: u32, step: u32, q: u32) -> vec4<f32> {
    let texel = a[row * (part.k / A_TERMS) + step * B_TERMS / A_TERMS + 4u * q / A_TERMS];
    if (A_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    let half = select(texel.xy, texel.zw, step * B_TERMS % A_TERMS / 4u + q % 2u == 1u);
    return vec4<f32>(unpack2x16float(half.x), unpack2x16float(half.y));
}

// The q-th vec4 of weights of a texel; integers are unsigned, with an offset of EXCESS.
fn weights(texel: vec4<u32>, q: u32) -> vec4<f32> {
    if (B_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    if (B_BITS == 16u) {
        return vec4<f32>(unpack2x16float(texel[2u * q]), unpack2x16float(texel[2u * q + 1u]));
    }
    if (B_BITS == 8u) {
        return vec4<f32>(unpack4xU8(texel[q] ^ 0x80808080u));
    }
    let even = unpack4xU8(texel[q / 2u] & 0x0f0f0f0fu);
    let odd = unpack4xU8((texel[q / 2u] >> 4u) & 0x0f0f0f0fu);
    let low = vec4<f32>(vec4<u32>(even.xy, odd.xy).xzyw);
    let high = vec4<f32>(vec4<u32>(even.zw, odd.zw).xzyw);
    return select(low, high, q % 2u == 1u);
}
const EXCESS: f32 = select(128.0, 8.0, B_BITS == 4u);

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32, @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32) {
    let row = part.first_row + group.y;
    let column = part.first_column + group.x * COLUMNS;
    let steps = part.k / B_TERMS;
    let groups = (part.k + 255u) / 256u * 8u; // per column, padded to 8
    var sums: array<f32, COLUMNS>;
    for (var s = lane; s < steps; s += WORKGROUP) {
        var texels: array<vec4<u32>, COLUMNS>;
        for (var i = 0u; i < COLUMNS; i++) {
            texels[i] = b[(column + i) * steps + s];
        }
        if (B_BITS >= 16u) {
            for (var q = 0u; q < B_TERMS / 4u; q++) {
                let x = terms(row, s, q);
                for (var i = 0u; i < COLUMNS; i++) {
                    let w = weights(texels[i], q);
                    sums[i] = fma(x.x, w.x, fma(x.y, w.y, fma(x.z, w.z, fma(x.w, w.w, sums[i]))));
                }
            }
        } else {
            var products: array<f32, COLUMNS>;
            var all = vec4<f32>();
            for (var q = 0u; q < B_TERMS / 4u; q++) {
                let x = terms(row, s, q);
                all += x;
                for (var i = 0u; i < COLUMNS; i++) {
                    let w = weights(texels[i], q);
                    products[i] = fma(x.x, w.x, fma(x.y, w.y, fma(x.z, w.z, fma(x.w, w.w, products[i]))));
                }
            }
            let excess = EXCESS * (all.x + all.y + all.z + all.w);
            for (var i = 0u; i < COLUMNS; i++) {
                let at = (column + i) * groups + s * B_TERMS / 32u;
                let scale = unpack2x16float(scales[at / 2u] >> (at % 2u * 16u)).x;
                sums[i] = fma(products[i] - excess, scale, sums[i]);
            }
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
