// C = A * B for devices with slow loads and fast subgroup operations: each lane loads terms of ROWS rows of A and broadcasts them
// to all lanes (subgroupBroadcast).
//
// Bindings: 0 Part (uniform), 1 A, 2 B and 4 its scales as texel_at textures, 3 C, row-major in vec4s of columns.
// Work: one workgroup (one subgroup) computes TILE_M rows by TILE_N columns; a lane has the columns of TEXELS texels of B. There are
// more accumulators than registers, so each is updated once per 4 terms. Bytes loaded per FLOP:
// (A_BITS / TILE_N + B_BITS / TILE_M) / 16.
// Takes: A_BITS 32 or 16; B_BITS 32, 16, 8 or 4. ROWS 1, 2 or 4.
// Assumes: subgroups of LANES, 8 or 16. A loop that is not unrolled would index accumulators dynamically, which costs more than
// anything else, so they have constant indices in the main loop.
const LANES: u32 = 8u;
const ROWS: u32 = 2u;
const TEXELS: u32 = 1u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 128u / A_BITS;
const A_PANEL: u32 = 0u;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 1u;
const B_PANEL: u32 = LANES * TEXELS;
const S_TERMS: u32 = 1u;
const S_PANEL: u32 = 0u;
const TILE_M: u32 = LANES * ROWS;
const TILE_N: u32 = LANES * TEXELS * 128u / B_BITS;
const TILE_K: u32 = 32u;

// vec4s of columns per texel, and per lane.
const TEXEL_QUADS: u32 = 32u / B_BITS;
const QUADS: u32 = TEXELS * TEXEL_QUADS;

@group(0) @binding(1) var a: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var b: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(4) var scales: texture_storage_2d<rgba32uint, read>;

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
    if (B_BITS == 16u) {
        return vec4<f32>(unpack2x16float(texel[2u * quad]), unpack2x16float(texel[2u * quad + 1u]));
    }
    if (B_BITS == 8u) {
        return vec4<f32>(unpack4xI8(texel[quad]));
    }
    let nibbles = (vec4<u32>(texel[quad / 2u]) >> (vec4<u32>(0u, 4u, 8u, 12u) + 16u * (quad % 2u))) & vec4<u32>(15u);
    return vec4<f32>(nibbles) - 8.0;
}

var<private> sums: array<vec4<f32>, TILE_M * QUADS>;
// Texels of B for 4 terms, and the scales of their group.
var<private> texels: array<vec4<u32>, 4u * TEXELS>;
var<private> scale: array<vec4<f32>, QUADS>;

fn add(sum: u32, x: vec4<f32>, y0: vec4<f32>, y1: vec4<f32>, y2: vec4<f32>, y3: vec4<f32>) {
    sums[sum] += x.x * y0 + x.y * y1 + x.z * y2 + x.w * y3;
}

// subgroupBroadcast requires a constant lane.
fn add_rows(first: u32, x: vec4<f32>, y0: vec4<f32>, y1: vec4<f32>, y2: vec4<f32>, y3: vec4<f32>) {
    add(first, subgroupBroadcast(x, 0u), y0, y1, y2, y3);
    add(first + QUADS, subgroupBroadcast(x, 1u), y0, y1, y2, y3);
    add(first + 2u * QUADS, subgroupBroadcast(x, 2u), y0, y1, y2, y3);
    add(first + 3u * QUADS, subgroupBroadcast(x, 3u), y0, y1, y2, y3);
    add(first + 4u * QUADS, subgroupBroadcast(x, 4u), y0, y1, y2, y3);
    add(first + 5u * QUADS, subgroupBroadcast(x, 5u), y0, y1, y2, y3);
    add(first + 6u * QUADS, subgroupBroadcast(x, 6u), y0, y1, y2, y3);
    add(first + 7u * QUADS, subgroupBroadcast(x, 7u), y0, y1, y2, y3);
    if (LANES == 16u) {
        add(first + 8u * QUADS, subgroupBroadcast(x, 8u), y0, y1, y2, y3);
        add(first + 9u * QUADS, subgroupBroadcast(x, 9u), y0, y1, y2, y3);
        add(first + 10u * QUADS, subgroupBroadcast(x, 10u), y0, y1, y2, y3);
        add(first + 11u * QUADS, subgroupBroadcast(x, 11u), y0, y1, y2, y3);
        add(first + 12u * QUADS, subgroupBroadcast(x, 12u), y0, y1, y2, y3);
        add(first + 13u * QUADS, subgroupBroadcast(x, 13u), y0, y1, y2, y3);
        add(first + 14u * QUADS, subgroupBroadcast(x, 14u), y0, y1, y2, y3);
        add(first + 15u * QUADS, subgroupBroadcast(x, 15u), y0, y1, y2, y3);
    }
}

fn scaled(term: u32, quad: u32) -> vec4<f32> {
    let y = weights(texels[term * TEXELS + quad / TEXEL_QUADS], quad % TEXEL_QUADS);
    if (B_BITS <= 8u) {
        return y * scale[quad];
    }
    return y;
}

fn add_columns(quad: u32, x0: vec4<f32>, x1: vec4<f32>, x2: vec4<f32>, x3: vec4<f32>) {
    let y0 = scaled(0u, quad);
    let y1 = scaled(1u, quad);
    let y2 = scaled(2u, quad);
    let y3 = scaled(3u, quad);
    add_rows(quad, x0, y0, y1, y2, y3);
    if (ROWS >= 2u) {
        add_rows(quad + LANES * QUADS, x1, y0, y1, y2, y3);
    }
    if (ROWS >= 4u) {
        add_rows(quad + 2u * LANES * QUADS, x2, y0, y1, y2, y3);
        add_rows(quad + 3u * LANES * QUADS, x3, y0, y1, y2, y3);
    }
}

// Unpacks a texel of 8 scales.
fn load_scales(first: u32, texel: u32) {
    let eight = textureLoad(scales, texel_at(texel));
    scale[first] = vec4<f32>(unpack2x16float(eight.x), unpack2x16float(eight.y));
    scale[first + 1u] = vec4<f32>(unpack2x16float(eight.z), unpack2x16float(eight.w));
}

fn store_quad(row: u32, at: u32, quad: u32) {
    c[at + quad / TEXEL_QUADS * LANES * TEXEL_QUADS + quad % TEXEL_QUADS] = sums[row * QUADS + quad];
}

fn store(row: u32, at: u32) {
    store_quad(row, at, 0u);
    if (QUADS >= 2u) {
        store_quad(row, at, 1u % QUADS);
    }
    if (QUADS >= 4u) {
        store_quad(row, at, 2u % QUADS);
        store_quad(row, at, 3u % QUADS);
    }
    if (QUADS >= 8u) {
        store_quad(row, at, 4u % QUADS);
        store_quad(row, at, 5u % QUADS);
        store_quad(row, at, 6u % QUADS);
        store_quad(row, at, 7u % QUADS);
    }
}

fn load_weights(first: u32, at: u32) {
    texels[first] = textureLoad(b, texel_at(at));
    if (TEXELS >= 2u) {
        texels[first + 1u] = textureLoad(b, texel_at(at + LANES));
    }
    if (TEXELS >= 4u) {
        texels[first + 2u] = textureLoad(b, texel_at(at + 2u * LANES));
        texels[first + 3u] = textureLoad(b, texel_at(at + 3u * LANES));
    }
}

// Multiplies 4 terms: a whole texel of f32 A, or one half of a texel of f16 A.
fn multiply(at_b: u32, half: u32, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>) {
    load_weights(0u, at_b);
    load_weights(TEXELS, at_b + B_PANEL);
    load_weights(2u * TEXELS, at_b + 2u * B_PANEL);
    load_weights(3u * TEXELS, at_b + 3u * B_PANEL);
    let r0 = terms(x0, half);
    let r1 = terms(x1, half);
    let r2 = terms(x2, half);
    let r3 = terms(x3, half);
    add_columns(0u, r0, r1, r2, r3);
    if (QUADS >= 2u) {
        add_columns(1u % QUADS, r0, r1, r2, r3);
    }
    if (QUADS >= 4u) {
        add_columns(2u % QUADS, r0, r1, r2, r3);
        add_columns(3u % QUADS, r0, r1, r2, r3);
    }
    if (QUADS >= 8u) {
        add_columns(4u % QUADS, r0, r1, r2, r3);
        add_columns(5u % QUADS, r0, r1, r2, r3);
        add_columns(6u % QUADS, r0, r1, r2, r3);
        add_columns(7u % QUADS, r0, r1, r2, r3);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = part.first_row + group.y * TILE_M;
    let column = part.first_column + group.x * TILE_N;
    let quad = column / 4u + lane * TEXEL_QUADS;
    // Read once: reading a uniform in a loop is not free.
    let terms = part.k;
    let rows = part.rows;
    var at_a = row + lane;
    var at_b = column / TILE_N * terms * B_PANEL + lane;
    for (var k = 0u; k < terms; k += TILE_K) {
        if (B_BITS <= 8u) {
            let at = k / 32u * (part.columns / 8u) + quad / 2u;
            load_scales(0u, at);
            if (QUADS >= 8u) {
                load_scales(2u % QUADS, at + 1u);
                load_scales(4u % QUADS, at + 2u);
                load_scales(6u % QUADS, at + 3u);
            } else {
                load_scales(2u % QUADS, at + 1u);
            }
        }
        var step = 0u;
        // Exits at the end: on CPUs a subgroup runs the code after a break once more, masked.
        loop {
            let x0 = textureLoad(a, texel_at(at_a));
            var x1: vec4<u32>;
            var x2: vec4<u32>;
            var x3: vec4<u32>;
            if (ROWS >= 2u) {
                x1 = textureLoad(a, texel_at(at_a + LANES));
            }
            if (ROWS >= 4u) {
                x2 = textureLoad(a, texel_at(at_a + 2u * LANES));
                x3 = textureLoad(a, texel_at(at_a + 3u * LANES));
            }
            multiply(at_b, 0u, x0, x1, x2, x3);
            if (A_BITS == 16u) {
                multiply(at_b + 4u * B_PANEL, 1u, x0, x1, x2, x3);
            }
            at_a += rows;
            at_b += A_TERMS * B_PANEL;
            step += A_TERMS;
            if (step >= TILE_K) {
                break;
            }
        }
    }
    let pitch = part.columns / 4u;
    for (var i = 0u; i < TILE_M; i++) {
        store(i, (row + i) * pitch + quad);
    }
}
