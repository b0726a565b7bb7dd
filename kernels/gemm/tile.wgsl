// C = A * B for GPUs without matrix units: tiles of A and B are staged in workgroup memory, every invocation keeps ROWS rows by
// 4 * QUADS columns of C in registers.
//
// Bindings: 0 Part (uniform), 1 A, 2 B, 3 C, row-major in vec4s of columns, 4 the scales of B.
// Work: one workgroup computes TILE_M rows by TILE_N columns, STEP terms per step. The texels of the next step are prefetched into
// registers while this one is multiplied. Weights are dequantised on the way to workgroup memory. Loads per FLOP:
// (ROWS + 4 * QUADS) / (8 * ROWS * QUADS) values of Elem from workgroup memory, (A_BITS / TILE_N + B_BITS / TILE_M) / 16 bytes from
// the buffers.
// Takes: A_BITS 32 or 16; B_BITS 32, 16, 8 or 4. Elem may be f32 or f16: with f16, the terms of a step are multiplied and
// accumulated in f16, and the steps in f32.
// Layouts: A_TERMS 128 / A_BITS, or 1 with 32 bits only (a transposed A). B_TERMS 1, or 128 / B_BITS (a transposed B). Any panel,
// S_TERMS 1 or 8, any S_PANEL.
// Assumes: M is padded to TILE_M, K to TILE_K and N to TILE_N with zeros. THREADS_M is a multiple of 8. STEP is 16 or 32, and a
// multiple of A_TERMS and B_TERMS. TILE_N is a multiple of 128 / B_BITS.
const THREADS_M: u32 = 16u;
const THREADS_N: u32 = 16u;
const ROWS: u32 = 8u;
const QUADS: u32 = 2u;
const TILE_M: u32 = THREADS_M * ROWS;
const TILE_N: u32 = THREADS_N * 4u * QUADS;
const TILE_K: u32 = 32u;
const STEP: u32 = 16u;
const A_BITS: u32 = 32u;
const A_TERMS: u32 = 128u / A_BITS;
const A_PANEL: u32 = 1u;
const B_BITS: u32 = 32u;
const B_TERMS: u32 = 1u;
const B_PANEL: u32 = 0u;
const S_TERMS: u32 = 1u;
const S_PANEL: u32 = 0u;
alias Elem = f32;

alias Elem4 = vec4<Elem>;
// 2049 needs 12 significant bits; f16 has 11.
const IS_F16: bool = f32(Elem(2049.0)) != 2049.0;
// Roundings of a product to f16: both factors, the product, and each addition to its accumulator.
const F16_ROUNDINGS: u32 = select(0u, STEP + 3u, IS_F16);
const THREADS: u32 = THREADS_M * THREADS_N;
const A_QUADS: u32 = 32u / A_BITS; // vec4s of values per texel
const B_QUADS: u32 = 32u / B_BITS;
const A_LINES: u32 = 128u / A_BITS / A_TERMS; // lines (rows of A, columns of B) per texel
const B_LINES: u32 = 128u / B_BITS / B_TERMS;
// A job fills whole vec4s of workgroup memory from one texel, or from 4 that it transposes.
const A_JOB: u32 = A_LINES;
const B_JOB: u32 = 1u + 3u * (B_TERMS * B_BITS / 128u);
const A_TILE_LINES: u32 = TILE_M / A_LINES; // jobs across the lines of a tile
const B_TILE_LINES: u32 = TILE_N / B_LINES / B_JOB;
const A_TILE_STEPS: u32 = STEP / A_TERMS / A_JOB; // jobs along K
const B_TILE_STEPS: u32 = STEP / B_TERMS;
const A_JOBS: u32 = A_TILE_LINES * A_TILE_STEPS;
const B_JOBS: u32 = B_TILE_LINES * B_TILE_STEPS;
const A_ROUNDS: u32 = (A_JOBS + THREADS - 1u) / THREADS;
const B_ROUNDS: u32 = (B_JOBS + THREADS - 1u) / THREADS;
const S_QUADS: u32 = (B_LINES + 3u) / 4u; // vec4s of scales per job

// Padding against bank conflicts: the tile of A skips a vec4 after every 8 rows, and 2 after every 4 terms; the tile of B skips one
// after each term. Neighbouring invocations store to different banks in every layout.
const A_PITCH: u32 = TILE_M / 8u * 9u + 2u;
const B_PITCH: u32 = TILE_N / 4u + 1u;

@group(0) @binding(1) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scales: array<vec2<u32>>; // 4 f16 each

var<workgroup> a_tile: array<Elem4, STEP / 4u * A_PITCH>; // 4 terms of a row
var<workgroup> b_tile: array<Elem4, STEP * B_PITCH>; // 4 columns
// Prefetched for the next step.
var<private> a_next: array<vec4<u32>, A_ROUNDS * A_JOB>;
var<private> b_next: array<vec4<u32>, B_ROUNDS * B_JOB>;
var<private> s_next: array<vec2<u32>, B_ROUNDS * S_QUADS>;

// Index of a texel; panel 0 means one panel of all lines.
fn position(line: u32, step: u32, lines: u32, steps: u32, panel: u32) -> u32 {
    if (panel == 0u) {
        return step * lines + line;
    }
    return (line / panel * steps + step) * panel + line % panel;
}

fn a_slot(k4: u32, row: u32) -> u32 {
    return k4 * A_PITCH + row + row / 8u;
}

// The i-th vec4 of values of a texel.
fn quad(texel: vec4<u32>, i: u32, bits: u32) -> vec4<f32> {
    if (bits == 32u) {
        return bitcast<vec4<f32>>(texel);
    }
    if (bits == 16u) {
        return vec4<f32>(unpack2x16float(texel[2u * i]), unpack2x16float(texel[2u * i + 1u]));
    }
    if (bits == 8u) {
        return vec4<f32>(unpack4xI8(texel[i]));
    }
    let nibbles = texel[i / 2u] >> (i % 2u * 16u);
    return vec4<f32>((vec4<u32>(nibbles) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u)) - 8.0;
}

// Line and step, within a tile, of a job's first texel. Neighbouring jobs read neighbouring texels: loads are coalesced.
fn a_place(job: u32) -> vec2<u32> {
    if (A_PANEL == 1u) {
        return vec2<u32>(job / A_TILE_STEPS, job % A_TILE_STEPS * A_JOB);
    }
    return vec2<u32>(job % A_TILE_LINES, job / A_TILE_LINES * A_JOB);
}
fn b_place(job: u32) -> vec2<u32> {
    if (B_PANEL == 1u) {
        return vec2<u32>(job / B_TILE_STEPS * B_JOB, job % B_TILE_STEPS);
    }
    return vec2<u32>(job % B_TILE_LINES * B_JOB, job / B_TILE_LINES);
}

// Scales of the 4 columns from 4 * columns on, in a group of 32 terms.
fn scales_of(columns: u32, group: u32) -> vec2<u32> {
    if (S_TERMS == 1u) {
        let texel = position(columns / 2u, group, part.columns / 8u, part.k / 32u, S_PANEL);
        return scales[2u * texel + columns % 2u];
    }
    var found: vec4<u32>;
    for (var i = 0u; i < 4u; i++) {
        let texel = position(4u * columns + i, group / 8u, part.columns, (part.k + 255u) / 256u, S_PANEL);
        let four = scales[2u * texel + group / 4u % 2u];
        found[i] = (select(four.x, four.y, group % 4u >= 2u) >> (group % 2u * 16u)) & 0xffffu;
    }
    return found.xz | (found.yw << vec2<u32>(16u));
}

fn fetch(k: u32, row: u32, column: u32, lane: u32) {
    for (var r = 0u; r < A_ROUNDS; r++) {
        let job = r * THREADS + lane;
        if (A_JOBS % THREADS == 0u || job < A_JOBS) {
            let place = a_place(job) + vec2<u32>(row / A_LINES, k / A_TERMS);
            for (var j = 0u; j < A_JOB; j++) {
                a_next[r * A_JOB + j] =
                    a[position(place.x, place.y + j, part.rows / A_LINES, part.k / A_TERMS, A_PANEL)];
            }
        }
    }
    for (var r = 0u; r < B_ROUNDS; r++) {
        let job = r * THREADS + lane;
        if (B_JOBS % THREADS == 0u || job < B_JOBS) {
            let place = b_place(job) + vec2<u32>(column / B_LINES, k / B_TERMS);
            for (var j = 0u; j < B_JOB; j++) {
                b_next[r * B_JOB + j] =
                    b[position(place.x + j, place.y, part.columns / B_LINES, part.k / B_TERMS, B_PANEL)];
            }
            if (B_BITS <= 8u) {
                for (var i = 0u; i < S_QUADS; i++) {
                    s_next[r * S_QUADS + i] =
                        scales_of(place.x * B_LINES / 4u + i, place.y * B_TERMS / 32u);
                }
            }
        }
    }
}

// The 4 values of a prefetched texel of 32-bit A.
fn a_values(i: u32) -> vec4<f32> {
    return quad(a_next[i], 0u, A_BITS);
}

// The q-th vec4 of values of a prefetched texel of B.
fn b_values(i: u32, q: u32) -> vec4<f32> {
    return quad(b_next[i], q, B_BITS);
}

fn scaled(values: vec4<f32>, i: u32) -> vec4<f32> {
    if (B_BITS > 8u) {
        return values;
    }
    return values * vec4<f32>(unpack2x16float(s_next[i].x), unpack2x16float(s_next[i].y));
}

// Registers to workgroup memory.
fn stage(lane: u32) {
    for (var r = 0u; r < A_ROUNDS; r++) {
        let job = r * THREADS + lane;
        if (A_JOBS % THREADS == 0u || job < A_JOBS) {
            let place = a_place(job);
            if (A_JOB == 1u) {
                for (var q = 0u; q < A_QUADS; q++) {
                    a_tile[a_slot(place.y * A_QUADS + q, place.x)] = Elem4(quad(a_next[r], q, A_BITS));
                }
            } else {
                let i = r * A_JOB;
                let rows =
                    transpose(mat4x4<f32>(a_values(i), a_values(i + 1u), a_values(i + 2u), a_values(i + 3u)));
                for (var j = 0u; j < 4u; j++) {
                    a_tile[a_slot(place.y / 4u, 4u * place.x + j)] = Elem4(rows[j]);
                }
            }
        }
    }
    for (var r = 0u; r < B_ROUNDS; r++) {
        let job = r * THREADS + lane;
        if (B_JOBS % THREADS == 0u || job < B_JOBS) {
            let place = b_place(job);
            for (var q = 0u; q < B_QUADS; q++) {
                if (B_JOB == 1u) {
                    b_tile[place.y * B_PITCH + place.x * B_QUADS + q] =
                        Elem4(scaled(b_values(r, q), r * S_QUADS + q));
                } else {
                    let i = r * B_JOB;
                    let terms = transpose(mat4x4<f32>(b_values(i, q), b_values(i + 1u, q),
                        b_values(i + 2u, q), b_values(i + 3u, q)));
                    for (var j = 0u; j < 4u; j++) {
                        b_tile[(place.y * B_TERMS + 4u * q + j) * B_PITCH + place.x / 4u] =
                            Elem4(scaled(terms[j], r));
                    }
                }
            }
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = part.first_row + group.y * TILE_M;
    let column = part.first_column + group.x * TILE_N;
    let x = lane % THREADS_N;
    let y = lane / THREADS_N;
    var sums: array<vec4<f32>, ROWS * QUADS>; // f32 accumulators of earlier steps, if Elem is f16
    var products: array<Elem4, ROWS * QUADS>; // accumulators: of this step if Elem is f16, else of all
    fetch(0u, row, column, lane);
    for (var k = 0u; k < part.k; k += STEP) {
        stage(lane);
        workgroupBarrier();
        if (k + STEP < part.k) {
            fetch(k + STEP, row, column, lane);
        }
        for (var k4 = 0u; k4 < STEP / 4u; k4++) {
            var weights: array<Elem4, 4u * QUADS>;
            for (var j = 0u; j < 4u; j++) {
                for (var q = 0u; q < QUADS; q++) {
                    weights[j * QUADS + q] = b_tile[(4u * k4 + j) * B_PITCH + q * THREADS_N + x];
                }
            }
            for (var i = 0u; i < ROWS; i++) {
                let terms = a_tile[a_slot(k4, y) + i * (THREADS_M / 8u * 9u)];
                for (var q = 0u; q < QUADS; q++) {
                    var p = products[i * QUADS + q];
                    p = fma(Elem4(terms.x), weights[q], p);
                    p = fma(Elem4(terms.y), weights[QUADS + q], p);
                    p = fma(Elem4(terms.z), weights[2u * QUADS + q], p);
                    products[i * QUADS + q] = fma(Elem4(terms.w), weights[3u * QUADS + q], p);
                }
            }
        }
        if (IS_F16) {
            for (var i = 0u; i < ROWS * QUADS; i++) {
                sums[i] += vec4<f32>(products[i]);
                products[i] = Elem4();
            }
        }
        workgroupBarrier();
    }
    let pitch = part.columns / 4u;
    for (var i = 0u; i < ROWS; i++) {
        for (var q = 0u; q < QUADS; q++) {
            let at = (row + i * THREADS_M + y) * pitch + column / 4u + q * THREADS_N + x;
            c[at] = sums[i * QUADS + q] + vec4<f32>(products[i * QUADS + q]);
        }
    }
}
