// C = A * B for devices with slow loads and fast subgroup operations, whose compilers run loops under an execution mask. An
// accumulator is updated once per four terms. A lane multiplies its columns of B by the row of A that it holds; then lanes exchange
// rows (subgroupShuffleXor), until every lane has had every row.
//
// Bindings: 0 Part (uniform), 1 A and 2 B as texel_at textures, 3 C, row-major in vec4s of columns.
// Work: one workgroup (one subgroup) computes TILE_M rows by TILE_N columns. A lane has the columns of one texel of B and loads
// terms of ROWS rows of A. Bytes loaded per FLOP: (A_BITS / TILE_N + B_BITS / TILE_M) / 16.
// Takes: A_BITS 32 or 16; B_BITS 32 or 16. ROWS 2, 4 or 8; with 16 lanes only 2, since compilers take half a minute for more.
// TERMS 8 or 4; 4 only if A_BITS is 32.
// Assumes: subgroups of LANES, 8 or 16.
// Unrolling: in the loop over K accumulators have constant indices, since dynamic ones cost more than anything else; only the final store
// loops over them. There is no other loop in it: on CPUs a subgroup runs the rest of a loop once more, masked, after it leaves the loop.
const LANES: u32 = 8u;
const ROWS: u32 = 8u;
const TERMS: u32 = 4u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 128u / A_BITS;
const A_PANEL: u32 = LANES * ROWS;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 1u;
const B_PANEL: u32 = LANES;
const TILE_M: u32 = LANES * ROWS;
const TILE_N: u32 = LANES * 128u / B_BITS;
const TILE_K: u32 = TERMS;

// vec4s of columns per texel, and per lane: 1 or 2.
const QUADS: u32 = 32u / B_BITS;

@group(0) @binding(1) var a: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var b: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

// 4 terms of a texel of A.
fn terms(texel: vec4<u32>, half: u32) -> vec4<f32> {
    if (A_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    let words = select(texel.xy, texel.zw, half == 1u);
    return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}

// 4 columns of a texel of B.
fn weights(texel: vec4<u32>, quad: u32) -> vec4<f32> {
    if (B_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    return vec4<f32>(unpack2x16float(texel[2u * quad]), unpack2x16float(texel[2u * quad + 1u]));
}

var<private> sums: array<vec4<f32>, TILE_M * QUADS>;
// TERMS terms: raw texels of A for each block of LANES rows, the current block of A as floats, B as floats.
var<private> activations: array<vec4<u32>, 2u * ROWS>;
var<private> x: array<vec4<f32>, 2>;
var<private> y: array<vec4<f32>, TERMS * QUADS>;

fn add_four(sum: u32, at: u32, four: vec4<f32>) {
    sums[sum] += (four.x * y[at] + four.y * y[at + 1u]) + (four.z * y[at + 2u] + four.w * y[at + 3u]);
}

fn add(row: u32, quad: u32) {
    let sum = row * QUADS + quad;
    add_four(sum, TERMS * quad, x[0]);
    if (TERMS == 8u) {
        add_four(sum, TERMS * quad + 4u, x[1]);
    }
}

// Updates all columns of the row that a lane holds.
fn add_row(row: u32) {
    add(row, 0u);
    if (QUADS == 2u) {
        add(row, 1u);
    }
}

// Lanes whose indices differ in this bit exchange rows. On CPUs that permutes words within a register, mostly near ones; a
// broadcast from one lane takes one instruction more.
fn exchange(row: u32, bit: u32) {
    x[0] = subgroupShuffleXor(x[0], bit);
    if (TERMS == 8u) {
        x[1] = subgroupShuffleXor(x[1], bit);
    }
    add_row(row);
}

fn add_rows(first: u32) {
    add_row(first);
    exchange(first + 1u, 1u);
    exchange(first + 2u, 2u);
    exchange(first + 3u, 1u);
    exchange(first + 4u, 4u);
    exchange(first + 5u, 1u);
    exchange(first + 6u, 2u);
    exchange(first + 7u, 1u);
    if (LANES == 16u) {
        exchange(first + 8u, 8u);
        exchange(first + 9u, 1u);
        exchange(first + 10u, 2u);
        exchange(first + 11u, 1u);
        exchange(first + 12u, 4u);
        exchange(first + 13u, 1u);
        exchange(first + 14u, 2u);
        exchange(first + 15u, 1u);
    }
}

// The lane whose row a lane holds after n exchanges: a Gray code.
fn held(lane: u32, exchanges: u32) -> u32 {
    return lane ^ exchanges ^ (exchanges >> 1u);
}

// With 16 lanes, the lower 8 store for the upper 8 too. On CPUs a store spills the vector and reloads it lane by lane:
// store-to-load forwarding works for the lower half, loads of the upper half stall.
fn store(sum: vec4<f32>, row: u32, at: u32, pitch: u32, lane: u32) {
    if (LANES == 16u) {
        let upper = subgroupShuffleXor(sum, 8u);
        if (lane < 8u) {
            c[at + row * pitch] = sum;
            c[at + (row ^ 8u) * pitch + 8u * QUADS] = upper;
        }
    } else {
        c[at + row * pitch] = sum;
    }
}

fn decode(texel: vec4<u32>, term: u32) {
    y[term] = weights(texel, 0u);
    if (QUADS == 2u) {
        y[TERMS + term] = weights(texel, 1u);
    }
}

// One step of a panel lies in one row of the texture, so an offset in x is enough.
fn beside(texel: vec2<u32>, by: u32) -> vec2<u32> {
    return texel + vec2<u32>(by, 0u);
}

// A texel of A holds 4 or 8 terms.
fn load(block: u32, from_a: vec2<u32>) {
    activations[2u * block] = textureLoad(a, beside(from_a, block * LANES));
    if (A_BITS == 32u && TERMS == 8u) {
        activations[2u * block + 1u] = textureLoad(a, beside(from_a, block * LANES + A_PANEL));
    }
}

// Prefetches the next block of rows, then multiplies this one.
fn multiply(block: u32, from_a: vec2<u32>) {
    if (block + 1u < ROWS) {
        load(block + 1u, from_a);
    }
    x[0] = terms(activations[2u * block], 0u);
    if (A_BITS == 32u) {
        x[1] = terms(activations[2u * block + 1u], 0u);
    } else {
        x[1] = terms(activations[2u * block], 1u);
    }
    add_rows(block * LANES);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = part.first_row + group.y * TILE_M;
    let column = part.first_column + group.x * TILE_N;
    // Read once: reading a uniform in a loop is not free. Broadcast, since Mesa's software Vulkan bakes uniforms that a loop depends on
    // into some kernels as constants and recompiles them at every dispatch.
    let terms = subgroupBroadcastFirst(part.k);
    var at_a = row * terms / A_TERMS + lane;
    var at_b = column / TILE_N * terms * B_PANEL + lane;
    for (var k = 0u; k < terms; k += TILE_K) {
        let from_b = texel_at(at_b);
        let from_a = texel_at(at_a);
        for (var term = 0u; term < TERMS; term++) {
            decode(textureLoad(b, beside(from_b, term * B_PANEL)), term);
        }
        load(0u, from_a);
        multiply(0u, from_a);
        multiply(1u, from_a);
        if (ROWS >= 4u) {
            multiply(2u, from_a);
            multiply(3u, from_a);
        }
        if (ROWS >= 8u) {
            multiply(4u, from_a);
            multiply(5u, from_a);
            multiply(6u, from_a);
            multiply(7u, from_a);
        }
        at_a += TERMS / A_TERMS * A_PANEL;
        at_b += TERMS * B_PANEL;
    }
    let pitch = part.columns / 4u;
    var at = row * pitch + column / 4u + lane * QUADS;
    for (var block = 0u; block < ROWS; block++) {
        for (var turn = 0u; turn < LANES; turn++) {
            let sum = (block * LANES + turn) * QUADS;
            store(sums[sum], held(lane, turn), at, pitch, lane);
            if (QUADS == 2u) {
                store(sums[sum + 1u], held(lane, turn), at + 1u, pitch, lane);
            }
        }
        at += LANES * pitch;
    }
}
