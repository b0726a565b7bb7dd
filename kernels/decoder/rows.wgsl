// C = A * B, one product of a decoder for many rows, on devices with slow loads and fast subgroup operations. Prologue, epilogue,
// bindings and layouts are those of panels.wgsl.
// kernels/decoder/product.wgsl follows.
//
// Work: one workgroup (one subgroup of 8 lanes) computes ROWS rows by 64 columns; a lane has 8 columns. It loads terms of ROWS / 8
// rows and broadcasts them to all lanes. An accumulator is updated once per 8 terms, and a weight is dequantised once per ROWS rows.
// Bytes loaded per FLOP: (2 * B_BITS / ROWS + 1) / 32.
// Takes: B_BITS 32, 16, 8 or 4. ROWS 8 or 16.
// Assumes: K a multiple of 32.
const ROWS: u32 = 16u;
const B_BITS: u32 = 4u;
const OFFSETS: bool = false;
const EPSILON: f32 = 0.0; // of the RMSNorm before the product; 0: no norm
const FINISH: u32 = 0u;
const HEAD_SIZE: u32 = 64u;

const ROWS_PER_LANE: u32 = ROWS;
const WORKGROUP: u32 = LANES_PER_TILE;
// Steps of 8 terms per group, and texels of B per step.
const STEPS: u32 = 4u;
const STEP_TEXELS: u32 = 2u * TEXELS * LANES_PER_TILE;

// Weights of a step: 8 terms of the first 4 columns, then of the other 4.
var<private> weights: array<vec4<f32>, 16>;
// Sums of squares of the rows that a lane loads.
var<private> lane_squares: vec2<f32>;

fn store_weights(term: u32, low: vec4<f32>, high: vec4<f32>) {
    if (INTEGER) {
        weights[term] = low * scale[0] + shift[0];
        weights[8u + term] = high * scale[1] + shift[1];
    } else {
        weights[term] = low;
        weights[8u + term] = high;
    }
}

fn add(sum: u32, at: u32, x0: vec4<f32>, x1: vec4<f32>) {
    sums[sum] += x0.x * weights[at] + x0.y * weights[at + 1u] + x0.z * weights[at + 2u] + x0.w * weights[at + 3u]
        + x1.x * weights[at + 4u] + x1.y * weights[at + 5u] + x1.z * weights[at + 6u] + x1.w * weights[at + 7u];
}

fn add_row(row: u32, x0: vec4<f32>, x1: vec4<f32>) {
    add(2u * row, 0u, x0, x1);
    add(2u * row + 1u, 8u, x0, x1);
}

// Adds 8 terms of 8 rows. subgroupBroadcast requires a constant lane.
fn add_rows(first: u32, at: vec2<u32>, gain0: vec4<f32>, gain1: vec4<f32>) {
    var x0 = floats(textureLoad(a, at));
    var x1 = floats(textureLoad(a, at + vec2<u32>(ROWS, 0u)));
    if (NORM) {
        lane_squares[first / 8u] += dot(x0, x0) + dot(x1, x1);
        x0 *= gain0;
        x1 *= gain1;
    }
    add_row(first, subgroupBroadcast(x0, 0u), subgroupBroadcast(x1, 0u));
    add_row(first + 1u, subgroupBroadcast(x0, 1u), subgroupBroadcast(x1, 1u));
    add_row(first + 2u, subgroupBroadcast(x0, 2u), subgroupBroadcast(x1, 2u));
    add_row(first + 3u, subgroupBroadcast(x0, 3u), subgroupBroadcast(x1, 3u));
    add_row(first + 4u, subgroupBroadcast(x0, 4u), subgroupBroadcast(x1, 4u));
    add_row(first + 5u, subgroupBroadcast(x0, 5u), subgroupBroadcast(x1, 5u));
    add_row(first + 6u, subgroupBroadcast(x0, 6u), subgroupBroadcast(x1, 6u));
    add_row(first + 7u, subgroupBroadcast(x0, 7u), subgroupBroadcast(x1, 7u));
}

fn broadcast_squares(first: u32, own: f32) {
    squares[first] = subgroupBroadcast(own, 0u);
    squares[first + 1u] = subgroupBroadcast(own, 1u);
    squares[first + 2u] = subgroupBroadcast(own, 2u);
    squares[first + 3u] = subgroupBroadcast(own, 3u);
    squares[first + 4u] = subgroupBroadcast(own, 4u);
    squares[first + 5u] = subgroupBroadcast(own, 5u);
    squares[first + 6u] = subgroupBroadcast(own, 6u);
    squares[first + 7u] = subgroupBroadcast(own, 7u);
}

fn finish_rows(first: u32, row: u32, column: u32, lane: u32) {
    finish(first, row + first, column, lane);
    finish(first + 1u, row + first + 1u, column, lane);
    finish(first + 2u, row + first + 2u, column, lane);
    finish(first + 3u, row + first + 3u, column, lane);
    finish(first + 4u, row + first + 4u, column, lane);
    finish(first + 5u, row + first + 5u, column, lane);
    finish(first + 6u, row + first + 6u, column, lane);
    finish(first + 7u, row + first + 7u, column, lane);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = part.block + group.y;
    // Read once: loading it in the loop is not free.
    let steps = part.groups * STEPS;
    var at_a = block * steps * 2u * ROWS + lane;
    var at_b = group.x * steps * STEP_TEXELS + lane;
    let at_scales = group.x * part.groups * SCALE_TEXELS * LANES_PER_TILE + lane;
    for (var step = 0u; step < steps; step++) {
        if (INTEGER) {
            load_scales(texel_at(at_scales + step / STEPS * SCALE_TEXELS * LANES_PER_TILE));
        }
        var gain0: vec4<f32>;
        var gain1: vec4<f32>;
        if (NORM) {
            gain0 = floats(textureLoad(aux, texel_at(2u * step)));
            gain1 = floats(textureLoad(aux, texel_at(2u * step + 1u)));
        }
        let from_b = texel_at(at_b);
        load_chunk(from_b);
        put_chunk(0u);
        load_chunk(from_b + vec2<u32>(TEXELS * LANES_PER_TILE, 0u));
        put_chunk(4u);
        let from_a = texel_at(at_a);
        add_rows(0u, from_a, gain0, gain1);
        if (ROWS >= 16u) {
            add_rows(8u % ROWS, from_a + vec2<u32>(8u, 0u), gain0, gain1);
        }
        at_a += 2u * ROWS;
        at_b += STEP_TEXELS;
    }
    if (NORM) {
        broadcast_squares(0u, lane_squares.x);
        if (ROWS >= 16u) {
            broadcast_squares(8u % ROWS, lane_squares.y);
        }
    }
    let column = part.first + group.x * 64u + lane * 8u;
    finish_rows(0u, block * ROWS, column, lane);
    if (ROWS >= 16u) {
        finish_rows(8u % ROWS, block * ROWS, column, lane);
    }
}
