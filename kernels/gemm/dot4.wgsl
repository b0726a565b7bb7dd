// C = A * B of int8 A and int8 or int4 B with scales: dot products of 4 terms (dot4I8Packed), tiles of A and B in workgroup memory,
// ROWS rows by 4 * QUADS columns of C in the registers of every invocation.
//
// Bindings: 0 Part (uniform), 1 A, 2 B, 3 C, row-major in vec4s of columns, 4 the scales of B, 5 the scales of A.
// Work: one workgroup computes TILE_M rows by TILE_N columns, TILE_K terms per step. A word holds 4 terms. The sum of a group of 32
// terms is exact in i32; then both scales are applied and groups are accumulated in f32: 8 dot products and 3 more instructions per
// group and element of C. The texels of the next step are prefetched into registers while this one is multiplied. int4 is unpacked to
// int8 on the way to workgroup memory, from which (ROWS + 4 * QUADS) / (8 * ROWS * QUADS) bytes are loaded per operation, without
// scales.
// Takes: A_BITS 8; B_BITS 8 or 4.
// Layouts: A_TERMS 16 or 4. B_TERMS 4, or 128 / B_BITS (a transposed B). Any panel, S_TERMS 1 or 8, any S_PANEL.
// Assumes: M is padded to TILE_M, K to TILE_K and N to TILE_N with zeros. THREADS_M is a multiple of 8, TILE_K of 32, TILE_N of
// 128 / B_BITS.
const THREADS_M: u32 = 16u;
const THREADS_N: u32 = 16u;
const ROWS: u32 = 8u;
const QUADS: u32 = 1u;
const TILE_M: u32 = THREADS_M * ROWS;
const TILE_N: u32 = THREADS_N * 4u * QUADS;
const TILE_K: u32 = 32u;
const A_BITS: u32 = 8u;
const A_TERMS: u32 = 16u;
const A_PANEL: u32 = 1u;
const B_BITS: u32 = 8u;
const B_TERMS: u32 = 4u;
const B_PANEL: u32 = 0u;
const S_TERMS: u32 = 1u;
const S_PANEL: u32 = 0u;

const THREADS: u32 = THREADS_M * THREADS_N;
const GROUPS: u32 = TILE_K / 32u;
const B_QUADS: u32 = 8u / B_BITS; // vec4s of words per texel
const A_LINES: u32 = 16u / A_TERMS; // lines (rows of A, columns of B) per texel
const B_LINES: u32 = 128u / B_BITS / B_TERMS;
// A job fills whole vec4s of workgroup memory from one texel, or from 4 that it transposes.
const A_JOB: u32 = A_LINES;
const B_JOB: u32 = 1u + 3u * (B_TERMS * B_BITS / 128u);
const A_TILE_LINES: u32 = TILE_M / A_LINES; // jobs across the lines of a tile
const B_TILE_LINES: u32 = TILE_N / B_LINES / B_JOB;
const A_TILE_STEPS: u32 = TILE_K / A_TERMS / A_JOB; // jobs along K
const B_TILE_STEPS: u32 = TILE_K / B_TERMS;
const A_JOBS: u32 = A_TILE_LINES * A_TILE_STEPS;
const B_JOBS: u32 = B_TILE_LINES * B_TILE_STEPS;
const A_ROUNDS: u32 = (A_JOBS + THREADS - 1u) / THREADS;
const B_ROUNDS: u32 = (B_JOBS + THREADS - 1u) / THREADS;
const ROW_JOBS: u32 = TILE_M / 4u * GROUPS; // loads of 4 scales
const COLUMN_JOBS: u32 = TILE_N / 4u * GROUPS;
const_assert ROW_JOBS <= THREADS && COLUMN_JOBS <= THREADS;

// Padded as in tile.wgsl to avoid bank conflicts between stores of neighbouring invocations.
const A_PITCH: u32 = TILE_M / 8u * 9u + 2u;
const B_PITCH: u32 = TILE_N / 4u + 1u;

@group(0) @binding(1) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scales: array<vec2<u32>>; // 4 f16 each
@group(0) @binding(5) var<storage, read> row_scales: array<vec2<u32>>;

var<workgroup> a_tile: array<vec4<u32>, TILE_K / 16u * A_PITCH>; // 4 words of a row
var<workgroup> b_tile: array<vec4<u32>, TILE_K / 4u * B_PITCH>; // a word of each of 4 columns
var<workgroup> row_scale: array<f32, GROUPS * TILE_M>;
var<workgroup> column_scale: array<vec4<f32>, COLUMN_JOBS>;
// Prefetched for the next step.
var<private> a_next: array<vec4<u32>, A_ROUNDS * A_JOB>;
var<private> b_next: array<vec4<u32>, B_ROUNDS * B_JOB>;
var<private> row_scale_next: vec2<u32>;
var<private> column_scale_next: vec2<u32>;

// Index of a texel; panel 0 means one panel of all lines.
fn position(line: u32, step: u32, lines: u32, steps: u32, panel: u32) -> u32 {
    if (panel == 0u) {
        return step * lines + line;
    }
    return (line / panel * steps + step) * panel + line % panel;
}

fn a_slot(words: u32, row: u32) -> u32 {
    return words * A_PITCH + row + row / 8u;
}

// Unpacks 4 nibbles, each a value + 8, to 4 int8.
fn spread(nibbles: u32) -> u32 {
    let pairs = (nibbles | (nibbles << 8u)) & 0x00ff00ffu;
    let bytes = (pairs | (pairs << 4u)) & 0x0f0f0f0fu;
    return ((bytes | 0x80808080u) - 0x08080808u) ^ 0x80808080u; // bit 7 is set: no byte borrows
}

// The q-th vec4 of words of a texel of B.
fn words(texel: vec4<u32>, q: u32) -> vec4<u32> {
    if (B_BITS == 8u) {
        return texel;
    }
    let low = texel[2u * q];
    let high = texel[2u * q + 1u];
    return vec4<u32>(
        spread(low & 0xffffu), spread(low >> 16u), spread(high & 0xffffu), spread(high >> 16u));
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
        }
    }
    if (lane < ROW_JOBS) {
        let group = k / 32u + lane / (TILE_M / 4u);
        row_scale_next = row_scales[(group * part.rows + row) / 4u + lane % (TILE_M / 4u)];
    }
    if (lane < COLUMN_JOBS) {
        column_scale_next = scales_of(column / 4u + lane % (TILE_N / 4u), k / 32u + lane / (TILE_N / 4u));
    }
}

// Registers to workgroup memory.
fn stage(lane: u32) {
    for (var r = 0u; r < A_ROUNDS; r++) {
        let job = r * THREADS + lane;
        if (A_JOBS % THREADS == 0u || job < A_JOBS) {
            let place = a_place(job);
            if (A_JOB == 1u) {
                a_tile[a_slot(place.y, place.x)] = a_next[r];
            } else {
                let i = r * A_JOB;
                for (var j = 0u; j < 4u; j++) {
                    a_tile[a_slot(place.y / 4u, 4u * place.x + j)] =
                        vec4<u32>(a_next[i][j], a_next[i + 1u][j], a_next[i + 2u][j], a_next[i + 3u][j]);
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
                    b_tile[place.y * B_PITCH + place.x * B_QUADS + q] = words(b_next[r], q);
                } else {
                    let i = r * B_JOB;
                    let w0 = words(b_next[i], q);
                    let w1 = words(b_next[i + 1u], q);
                    let w2 = words(b_next[i + 2u], q);
                    let w3 = words(b_next[i + 3u], q);
                    for (var j = 0u; j < 4u; j++) {
                        b_tile[(place.y * (B_TERMS / 4u) + 4u * q + j) * B_PITCH + place.x / 4u] =
                            vec4<u32>(w0[j], w1[j], w2[j], w3[j]);
                    }
                }
            }
        }
    }
    if (lane < ROW_JOBS) {
        let four = vec4<f32>(unpack2x16float(row_scale_next.x), unpack2x16float(row_scale_next.y));
        for (var j = 0u; j < 4u; j++) {
            row_scale[4u * lane + j] = four[j];
        }
    }
    if (lane < COLUMN_JOBS) {
        column_scale[lane] =
            vec4<f32>(unpack2x16float(column_scale_next.x), unpack2x16float(column_scale_next.y));
    }
}

// Adds the dot products of 4 terms of a row with those of 4 columns.
fn dot(row: u32, columns: vec4<u32>, sums: vec4<i32>) -> vec4<i32> {
    return vec4<i32>(dot4I8Packed(row, columns.x), dot4I8Packed(row, columns.y),
        dot4I8Packed(row, columns.z), dot4I8Packed(row, columns.w)) + sums;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = part.first_row + group.y * TILE_M;
    let column = part.first_column + group.x * TILE_N;
    let x = lane % THREADS_N;
    let y = lane / THREADS_N;
    var sums: array<vec4<f32>, ROWS * QUADS>;
    fetch(0u, row, column, lane);
    for (var k = 0u; k < part.k; k += TILE_K) {
        stage(lane);
        workgroupBarrier();
        if (k + TILE_K < part.k) {
            fetch(k + TILE_K, row, column, lane);
        }
        for (var g = 0u; g < GROUPS; g++) {
            var dots = array<vec4<i32>, ROWS * QUADS>();
            for (var h = 0u; h < 2u; h++) {
                let w = 2u * g + h;
                var weights: array<vec4<u32>, 4u * QUADS>;
                for (var j = 0u; j < 4u; j++) {
                    for (var q = 0u; q < QUADS; q++) {
                        weights[j * QUADS + q] = b_tile[(4u * w + j) * B_PITCH + q * THREADS_N + x];
                    }
                }
                for (var i = 0u; i < ROWS; i++) {
                    let terms = a_tile[a_slot(w, y) + i * (THREADS_M / 8u * 9u)];
                    for (var q = 0u; q < QUADS; q++) {
                        var d = dots[i * QUADS + q];
                        d = dot(terms.x, weights[q], d);
                        d = dot(terms.y, weights[QUADS + q], d);
                        d = dot(terms.z, weights[2u * QUADS + q], d);
                        dots[i * QUADS + q] = dot(terms.w, weights[3u * QUADS + q], d);
                    }
                }
            }
            for (var q = 0u; q < QUADS; q++) {
                let scale = column_scale[g * (TILE_N / 4u) + q * THREADS_N + x];
                for (var i = 0u; i < ROWS; i++) {
                    let both = scale * row_scale[g * TILE_M + i * THREADS_M + y];
                    sums[i * QUADS + q] = fma(vec4<f32>(dots[i * QUADS + q]), both, sums[i * QUADS + q]);
                }
            }
        }
        workgroupBarrier();
    }
    let pitch = part.columns / 4u;
    for (var i = 0u; i < ROWS; i++) {
        for (var q = 0u; q < QUADS; q++) {
            c[(row + i * THREADS_M + y) * pitch + column / 4u + q * THREADS_N + x] = sums[i * QUADS + q];
        }
    }
}
