// y = x * B for one row of activations: lanes go across the columns, so weights stream in memory order. Each lane's activations are
// broadcast.
//
// Bindings: 0 Part (uniform), 1 x, 2 B and 4 its scales as texel_at textures, 3 y or its partial sums, vec4s of columns.
// Work: one workgroup computes TILE_N columns over one of SPLIT_K slices of K; another kernel reduces the partial sums. A lane has
// the columns of one texel of B. Loads alternate between STREAMS places along K, since two streams get more bandwidth than one.
// Bytes of B loaded per FLOP: B_BITS / 16, as a weight is used once.
// Takes: A_BITS 32 or 16; B_BITS 32, 16, 8 or 4; STREAMS 1, or 2 where weights have no scales; WORKGROUP up to 64.
const WORKGROUP: u32 = 8u;
const SPLIT_K: u32 = 1u;
const STREAMS: u32 = 1u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 128u / A_BITS;
const A_PANEL: u32 = 0u;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 1u;
const B_PANEL: u32 = WORKGROUP;
const S_TERMS: u32 = 1u;
const S_PANEL: u32 = 0u;
const TILE_M: u32 = 1u;
const TILE_N: u32 = WORKGROUP * 128u / B_BITS;
// A scale group of 32 terms per stream; 8 lanes hold its activations in f32, 4 in f16.
const TILE_K: u32 = 32u * STREAMS;

// Maximum offset of accumulated weights, in standard deviations.
const WEIGHT_EXCESS: u32 = select(0u, 4u, B_BITS == 4u);
// vec4s of columns per lane.
const QUADS: u32 = 32u / B_BITS;
// Lanes that hold a group's activations.
const HOLDERS: u32 = 32u / A_TERMS;
const MIN_SUBGROUP: u32 = HOLDERS;

@group(0) @binding(1) var a: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var b: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(4) var scales: texture_storage_2d<rgba32uint, read>;

// 4 columns of a texel of B; int4 with an offset of 8.
fn weights(texel: vec4<u32>, quad: u32) -> vec4<f32> {
    if (B_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    if (B_BITS == 16u) {
        return vec4<f32>(unpack2x16float(texel[2u * quad]), unpack2x16float(texel[2u * quad + 1u]));
    }
    if (B_BITS == 8u) {
        return vec4<f32>(unpack4xI8(texel[quad]));
    }
    let shifts = vec4<u32>(0u, 4u, 8u, 12u) + 16u * (quad % 2u);
    return vec4<f32>((vec4<u32>(texel[quad / 2u]) >> shifts) & vec4<u32>(15u));
}

// Accumulators of a group, and of all groups times their scales.
var<private> dots: array<vec4<f32>, QUADS>;
var<private> sums: array<vec4<f32>, QUADS>;
// Sum of a group's activations, to subtract the offset of int4 weights.
var<private> total: f32;

fn add_quad(quad: u32, x: vec4<f32>, t0: vec4<u32>, t1: vec4<u32>, t2: vec4<u32>, t3: vec4<u32>) {
    dots[quad] += x.x * weights(t0, quad) + x.y * weights(t1, quad) + x.z * weights(t2, quad) + x.w * weights(t3, quad);
}

// A texel of B at an offset in the same texture row.
fn load(first: vec2<u32>, by: u32) -> vec4<u32> {
    return textureLoad(b, first + vec2<u32>(by, 0u));
}

// Adds 4 terms, `by` texels after the first. They update each accumulator once: there may be more than registers.
fn add(first: vec2<u32>, by: u32, x: vec4<f32>) {
    let t0 = load(first, by);
    let t1 = load(first, by + WORKGROUP);
    let t2 = load(first, by + 2u * WORKGROUP);
    let t3 = load(first, by + 3u * WORKGROUP);
    if (B_BITS == 4u) {
        total += x.x + x.y + x.z + x.w;
    }
    add_quad(0u, x, t0, t1, t2, t3);
    if (QUADS >= 2u) {
        add_quad(1u % QUADS, x, t0, t1, t2, t3);
    }
    if (QUADS >= 4u) {
        add_quad(2u % QUADS, x, t0, t1, t2, t3);
        add_quad(3u % QUADS, x, t0, t1, t2, t3);
    }
    if (QUADS >= 8u) {
        add_quad(4u % QUADS, x, t0, t1, t2, t3);
        add_quad(5u % QUADS, x, t0, t1, t2, t3);
        add_quad(6u % QUADS, x, t0, t1, t2, t3);
        add_quad(7u % QUADS, x, t0, t1, t2, t3);
    }
}

// Adds one broadcast texel of x. Calls are unrolled: subgroupBroadcast requires a constant lane.
fn add_terms(first: vec2<u32>, by: u32, texel: vec4<u32>) {
    if (A_BITS == 32u) {
        add(first, by, bitcast<vec4<f32>>(texel));
    } else {
        add(first, by, vec4<f32>(unpack2x16float(texel.x), unpack2x16float(texel.y)));
        add(first, by + 4u * WORKGROUP, vec4<f32>(unpack2x16float(texel.z), unpack2x16float(texel.w)));
    }
}

// Texel coordinates of both streams.
fn places(at: u32, apart: u32) -> vec4<u32> {
    return vec4<u32>(texel_at(at), texel_at(at + apart * WORKGROUP));
}

// Adds the terms at one offset of each stream.
fn add_streams(first: vec4<u32>, by: u32, x0: vec4<u32>, x1: vec4<u32>) {
    add_terms(first.xy, by, x0);
    if (STREAMS == 2u) {
        add_terms(first.zw, by, x1);
    }
}

fn scale_quads(quad: u32, texel: u32) {
    let eight = textureLoad(scales, texel_at(texel));
    let first = vec4<f32>(unpack2x16float(eight.x), unpack2x16float(eight.y));
    let second = vec4<f32>(unpack2x16float(eight.z), unpack2x16float(eight.w));
    sums[quad] += (dots[quad] - 8.0 * total) * first;
    sums[quad + 1u] += (dots[quad + 1u] - 8.0 * total) * second;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
    let terms = part.k / SPLIT_K;
    let apart = terms / STREAMS;
    let columns = part.columns;
    let column = part.first_column + group.x * TILE_N;
    let quad = column / 4u + lane * QUADS;
    let first_k = group.z * terms;
    var at = (column / TILE_N * part.k + first_k) * WORKGROUP + lane;
    var at_x = first_k / A_TERMS + subgroup_lane % HOLDERS;
    for (var k = first_k; k < first_k + apart; k += 32u) {
        let x0 = textureLoad(a, texel_at(at_x));
        var x1: vec4<u32>;
        if (STREAMS == 2u) {
            x1 = textureLoad(a, texel_at(at_x + apart / A_TERMS));
        }
        // Half a group lies in one row of the texture, so offsets in x are enough.
        let low = places(at, apart);
        let high = places(at + 16u * WORKGROUP, apart);
        let held = A_TERMS * WORKGROUP;
        add_streams(low, 0u, subgroupBroadcast(x0, 0u), subgroupBroadcast(x1, 0u));
        add_streams(low, held, subgroupBroadcast(x0, 1u), subgroupBroadcast(x1, 1u));
        if (HOLDERS == 4u) {
            add_streams(high, 0u, subgroupBroadcast(x0, 2u), subgroupBroadcast(x1, 2u));
            add_streams(high, held, subgroupBroadcast(x0, 3u), subgroupBroadcast(x1, 3u));
        } else {
            add_streams(low, 2u * held, subgroupBroadcast(x0, 2u), subgroupBroadcast(x1, 2u));
            add_streams(low, 3u * held, subgroupBroadcast(x0, 3u), subgroupBroadcast(x1, 3u));
            add_streams(high, 0u, subgroupBroadcast(x0, 4u), subgroupBroadcast(x1, 4u));
            add_streams(high, held, subgroupBroadcast(x0, 5u), subgroupBroadcast(x1, 5u));
            add_streams(high, 2u * held, subgroupBroadcast(x0, 6u), subgroupBroadcast(x1, 6u));
            add_streams(high, 3u * held, subgroupBroadcast(x0, 7u), subgroupBroadcast(x1, 7u));
        }
        at += 32u * WORKGROUP;
        at_x += HOLDERS;
        if (B_BITS <= 8u) {
            let scale = k / 32u * (columns / 8u) + quad / 2u;
            scale_quads(0u, scale);
            scale_quads(2u % QUADS, scale + 1u);
            if (QUADS >= 8u) {
                scale_quads(4u % QUADS, scale + 2u);
                scale_quads(6u % QUADS, scale + 3u);
            }
            for (var i = 0u; i < QUADS; i++) {
                dots[i] = vec4<f32>();
            }
            total = 0.0;
        }
    }
    let first = group.z * columns / 4u + quad;
    for (var i = 0u; i < QUADS; i++) {
        c[first + i] = select(dots[i], sums[i], B_BITS <= 8u);
    }
}
