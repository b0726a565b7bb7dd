// C = A * B for devices whose loads are slow and whose subgroups are not, and whose compilers hold loops under a mask: a
// sum is touched once for TERMS terms.
//
// Bindings: 0 the part (uniform), 1 A and 2 B as folded textures, 3 C, rows of vectors of 4 columns.
// Work: one workgroup, which is one subgroup, computes TILE_M rows by TILE_N columns. A lane holds as many columns as
// TEXELS texels of B have; it loads terms of ROWS rows of A, and every lane hears them from there. It loads
// (1 / TILE_N * A_BITS + 1 / TILE_M * B_BITS) / 16 bytes for an operation.
// Takes: A_BITS 32 or 16; B_BITS 32 or 16. ROWS 1, 2 or 4; TEXELS 1, 2 or 4; TERMS 8, or 4 if A_BITS is 32.
// Assumes: subgroups of LANES, 8 or 16. What compilers do not unroll they would index at run time, which costs more than
// all else; hence no loop has a sum in it but the one over terms, which is one: subgroups on CPUs run the rest of a loop
// once more, masked, after they have left it.
const LANES: u32 = 8u;
const ROWS: u32 = 2u;
const TEXELS: u32 = 1u;
const TERMS: u32 = 8u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 128u / A_BITS;
const A_PANEL: u32 = LANES * ROWS;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 1u;
const B_PANEL: u32 = LANES * TEXELS;
const TILE_M: u32 = LANES * ROWS;
const TILE_N: u32 = LANES * TEXELS * 128u / B_BITS;
const TILE_K: u32 = TERMS;

// Vectors of columns in a texel, and that a lane has.
const TEXEL_QUADS: u32 = 32u / B_BITS;
const QUADS: u32 = TEXELS * TEXEL_QUADS;

struct Part {
    k: u32,            // terms
    rows: u32,         // of A and C
    columns: u32,      // of B and C
    first_row: u32,    // where this dispatch begins
    first_column: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var a: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var b: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

fn folded(texel: u32) -> vec2<u32> {
    return vec2<u32>(texel & 1023u, texel >> 10u);
}

// Of a texel of A, 4 terms.
fn terms(texel: vec4<u32>, half: u32) -> vec4<f32> {
    if (A_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    let words = select(texel.xy, texel.zw, half == 1u);
    return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}

// Of a texel of B, 4 columns.
fn weights(texel: vec4<u32>, quad: u32) -> vec4<f32> {
    if (B_BITS == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    return vec4<f32>(unpack2x16float(texel[2u * quad]), unpack2x16float(texel[2u * quad + 1u]));
}

var<private> sums: array<vec4<f32>, TILE_M * QUADS>;
// TERMS terms of A as loaded, and of B as loaded and as numbers.
var<private> activations: array<vec4<u32>, 2u * ROWS>;
var<private> texels: array<vec4<u32>, TERMS * TEXELS>;
var<private> y: array<vec4<f32>, TERMS * QUADS>;

// Four terms, in two chains of additions.
fn dot4(x: vec4<f32>, at: u32) -> vec4<f32> {
    return (x.x * y[at] + x.y * y[at + 1u]) + (x.z * y[at + 2u] + x.w * y[at + 3u]);
}

fn add(sum: u32, at: u32, x0: vec4<f32>, x1: vec4<f32>) {
    if (TERMS == 8u) {
        sums[sum] += dot4(x0, at) + dot4(x1, at + 4u % TERMS);
    } else {
        sums[sum] += dot4(x0, at);
    }
}

// All columns of a row: what a lane says serves while it is in a register.
fn add_row(row: u32, x0: vec4<f32>, x1: vec4<f32>) {
    let sum = row * QUADS;
    add(sum, 0u, x0, x1);
    if (QUADS >= 2u) {
        add(sum + 1u % QUADS, TERMS * (1u % QUADS), x0, x1);
    }
    if (QUADS >= 4u) {
        add(sum + 2u % QUADS, TERMS * (2u % QUADS), x0, x1);
        add(sum + 3u % QUADS, TERMS * (3u % QUADS), x0, x1);
    }
    if (QUADS >= 8u) {
        add(sum + 4u % QUADS, TERMS * (4u % QUADS), x0, x1);
        add(sum + 5u % QUADS, TERMS * (5u % QUADS), x0, x1);
        add(sum + 6u % QUADS, TERMS * (6u % QUADS), x0, x1);
        add(sum + 7u % QUADS, TERMS * (7u % QUADS), x0, x1);
    }
}

// The lane of a broadcast must be written out.
fn add_rows(first: u32, x0: vec4<f32>, x1: vec4<f32>) {
    add_row(first, subgroupBroadcast(x0, 0u), subgroupBroadcast(x1, 0u));
    add_row(first + 1u, subgroupBroadcast(x0, 1u), subgroupBroadcast(x1, 1u));
    add_row(first + 2u, subgroupBroadcast(x0, 2u), subgroupBroadcast(x1, 2u));
    add_row(first + 3u, subgroupBroadcast(x0, 3u), subgroupBroadcast(x1, 3u));
    add_row(first + 4u, subgroupBroadcast(x0, 4u), subgroupBroadcast(x1, 4u));
    add_row(first + 5u, subgroupBroadcast(x0, 5u), subgroupBroadcast(x1, 5u));
    add_row(first + 6u, subgroupBroadcast(x0, 6u), subgroupBroadcast(x1, 6u));
    add_row(first + 7u, subgroupBroadcast(x0, 7u), subgroupBroadcast(x1, 7u));
    if (LANES == 16u) {
        add_row(first + 8u, subgroupBroadcast(x0, 8u), subgroupBroadcast(x1, 8u));
        add_row(first + 9u, subgroupBroadcast(x0, 9u), subgroupBroadcast(x1, 9u));
        add_row(first + 10u, subgroupBroadcast(x0, 10u), subgroupBroadcast(x1, 10u));
        add_row(first + 11u, subgroupBroadcast(x0, 11u), subgroupBroadcast(x1, 11u));
        add_row(first + 12u, subgroupBroadcast(x0, 12u), subgroupBroadcast(x1, 12u));
        add_row(first + 13u, subgroupBroadcast(x0, 13u), subgroupBroadcast(x1, 13u));
        add_row(first + 14u, subgroupBroadcast(x0, 14u), subgroupBroadcast(x1, 14u));
        add_row(first + 15u, subgroupBroadcast(x0, 15u), subgroupBroadcast(x1, 15u));
    }
}

fn decode(quad: u32, term: u32) {
    y[TERMS * quad + term] = weights(texels[term * TEXELS + quad / TEXEL_QUADS], quad % TEXEL_QUADS);
}

fn decode_quad(quad: u32) {
    decode(quad, 0u);
    decode(quad, 1u);
    decode(quad, 2u);
    decode(quad, 3u);
    if (TERMS == 8u) {
        decode(quad, 4u % TERMS);
        decode(quad, 5u % TERMS);
        decode(quad, 6u % TERMS);
        decode(quad, 7u % TERMS);
    }
}

// Of 16 lanes, the lower 8 store for the upper ones too: a store takes lanes one by one out of a vector that it wrote to
// memory just before, which forwards its lower half to loads, and stalls them for its upper half.
fn store_quad(row: u32, at: u32, quad: u32, lane: u32) {
    let sum = sums[row * QUADS + quad];
    let to = at + quad / TEXEL_QUADS * LANES * TEXEL_QUADS + quad % TEXEL_QUADS;
    if (LANES == 16u) {
        let upper = subgroupShuffleXor(sum, 8u);
        if (lane < 8u) {
            c[to] = sum;
            c[to + 8u * TEXEL_QUADS] = upper;
        }
    } else {
        c[to] = sum;
    }
}

fn store_row(row: u32, at: u32, lane: u32) {
    store_quad(row, at, 0u, lane);
    if (QUADS >= 2u) {
        store_quad(row, at, 1u % QUADS, lane);
    }
    if (QUADS >= 4u) {
        store_quad(row, at, 2u % QUADS, lane);
        store_quad(row, at, 3u % QUADS, lane);
    }
    if (QUADS >= 8u) {
        store_quad(row, at, 4u % QUADS, lane);
        store_quad(row, at, 5u % QUADS, lane);
        store_quad(row, at, 6u % QUADS, lane);
        store_quad(row, at, 7u % QUADS, lane);
    }
}

fn store_rows(first: u32, at: u32, pitch: u32, lane: u32) {
    for (var i = 0u; i < LANES; i++) {
        store_row(first + i, at + (first + i) * pitch, lane);
    }
}

// One step of a panel stands in one row of the texture, so that what is beside it has no index to fold.
fn load_weights(term: u32, from_b: vec2<u32>) {
    let first = term * TEXELS;
    let at = from_b + vec2<u32>(term * B_PANEL, 0u);
    texels[first] = textureLoad(b, at);
    if (TEXELS >= 2u) {
        texels[first + 1u] = textureLoad(b, at + vec2<u32>(LANES, 0u));
    }
    if (TEXELS >= 4u) {
        texels[first + 2u] = textureLoad(b, at + vec2<u32>(2u * LANES, 0u));
        texels[first + 3u] = textureLoad(b, at + vec2<u32>(3u * LANES, 0u));
    }
}

// A texel of A is 4 or 8 terms. All are loaded before the first is multiplied.
fn load_activations(block: u32, from_a: vec2<u32>) {
    let at = from_a + vec2<u32>(block * LANES, 0u);
    activations[2u * block] = textureLoad(a, at);
    if (A_BITS == 32u && TERMS == 8u) {
        activations[2u * block + 1u] = textureLoad(a, at + vec2<u32>(A_PANEL, 0u));
    }
}

fn multiply(block: u32) {
    let texel = activations[2u * block];
    if (A_BITS == 32u) {
        add_rows(block * LANES, terms(texel, 0u), terms(activations[2u * block + 1u], 0u));
    } else {
        add_rows(block * LANES, terms(texel, 0u), terms(texel, 1u));
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = part.first_row + group.y * TILE_M;
    let column = part.first_column + group.x * TILE_N;
    let quad = column / 4u + lane * TEXEL_QUADS;
    // Read once: a uniform is not free in a loop.
    let terms = part.k;
    var at_a = row * terms / A_TERMS + lane;
    var at_b = column / TILE_N * terms * B_PANEL + lane;
    for (var k = 0u; k < terms; k += TILE_K) {
        let from_b = folded(at_b);
        let from_a = folded(at_a);
        load_weights(0u, from_b);
        load_weights(1u, from_b);
        load_weights(2u, from_b);
        load_weights(3u, from_b);
        if (TERMS == 8u) {
            load_weights(4u % TERMS, from_b);
            load_weights(5u % TERMS, from_b);
            load_weights(6u % TERMS, from_b);
            load_weights(7u % TERMS, from_b);
        }
        load_activations(0u, from_a);
        if (ROWS >= 2u) {
            load_activations(1u % ROWS, from_a);
        }
        if (ROWS >= 4u) {
            load_activations(2u % ROWS, from_a);
            load_activations(3u % ROWS, from_a);
        }
        decode_quad(0u);
        if (QUADS >= 2u) {
            decode_quad(1u % QUADS);
        }
        if (QUADS >= 4u) {
            decode_quad(2u % QUADS);
            decode_quad(3u % QUADS);
        }
        if (QUADS >= 8u) {
            decode_quad(4u % QUADS);
            decode_quad(5u % QUADS);
            decode_quad(6u % QUADS);
            decode_quad(7u % QUADS);
        }
        multiply(0u);
        if (ROWS >= 2u) {
            multiply(1u % ROWS);
        }
        if (ROWS >= 4u) {
            multiply(2u % ROWS);
            multiply(3u % ROWS);
        }
        at_a += TERMS / A_TERMS * A_PANEL;
        at_b += TERMS * B_PANEL;
    }
    let pitch = part.columns / 4u;
    let at = row * pitch + quad;
    store_rows(0u, at, pitch, lane);
    if (ROWS >= 2u) {
        store_rows(LANES, at, pitch, lane);
    }
    if (ROWS >= 4u) {
        store_rows(2u * LANES, at, pitch, lane);
        store_rows(3u * LANES, at, pitch, lane);
    }
}
