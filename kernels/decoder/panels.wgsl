// C = A * B, one product of a decoder, with a fused prologue (RMSNorm) and epilogue (RoPE and KV cache, residual add, SwiGLU, or
// maximum of the logits) in registers.
//
// kernels/decoder/product.wgsl follows.
//
// Bindings: 0 Part, 1 Step, 2 A, 3 B and 4 its scales as texel_at textures, 5 operands beside the product (RMSNorm gains and then
// biases, or the residual), 6 the result, 7 the KV cache, 8 the RoPE cos/sin table, 9 logits, 10 the maximum of each tile and its
// index. Those that a FINISH does not use are bound to a small placeholder.
// Work: one workgroup computes ROWS rows by 64 columns; a lane has 8 columns, so 8 lanes span a tile. With SPLIT 1, each lane loads
// a part of A and broadcasts it: good with slow loads and fast subgroup operations. Else SPLIT slices of 8 lanes split K and reduce
// their partial sums in workgroup memory. Weights are stored in the order of use. Bytes of B loaded per FLOP: B_BITS / ROWS / 16.
// Layouts: A has rows in panels of ROWS: texel (row / ROWS * K / 4 + term / 4) * ROWS + row % ROWS. A chunk of B is 4 terms of the
// 8 columns of a lane, B_BITS / 4 texels: int4 has a word per term, int8 two, f16 four, f32 eight. Integers q are unsigned: a
// weight is (q - ZERO_POINT) * scale, or with OFFSETS q * scale + offset. Chunk c of a tile begins at texel
// (tile * K / 4 + c) * B_BITS / 4 * 8 + lane; its texels are 8 apart. Scales are 8 f16 per lane and group of 32 terms, then its
// offsets if it has any.
// Takes: B_BITS 32, 16, 8 or 4. ROWS 1, 2, 4 or 8. SPLIT a power of two.
// Assumes: K a multiple of 32.
const ROWS: u32 = 1u;
const SPLIT: u32 = 1u;
const B_BITS: u32 = 4u;
const OFFSETS: bool = false;
const EPSILON: f32 = 0.0; // of the RMSNorm before the product; 0: no norm
const FINISH: u32 = 0u;
const HEAD_SIZE: u32 = 64u;

const ROWS_PER_LANE: u32 = ROWS;
const WORKGROUP: u32 = LANES_PER_TILE * SPLIT;
// Chunks per load of A.
const CHUNKS: u32 = 8u / ROWS;
// With many rows it is cheaper to scale weights than accumulators.
const SCALED: bool = INTEGER && ROWS >= 4u;

// The current 8 texels of A.
var<private> a_regs: array<vec4<f32>, 8>;
// Texels of several chunks of int4, one each; loaded together to hide latency.
var<private> texels: array<vec4<u32>, CHUNKS>;
// Weights of a chunk: 4 terms of the first 4 columns, then of the other 4.
var<private> weights: array<vec4<f32>, 8>;
// Accumulators of a group: 2 vec4s of columns per row.
var<private> dots: array<vec4<f32>, 2u * ROWS>;
// Sum of a group's activations, for the offset (shift) of its weights.
var<private> totals: array<f32, ROWS>;

fn store_weights(term: u32, low: vec4<f32>, high: vec4<f32>) {
    if (SCALED) {
        weights[term] = low * scale[0] + shift[0];
        weights[4u + term] = high * scale[1] + shift[1];
    } else {
        weights[term] = low;
        weights[4u + term] = high;
    }
}

fn load_texels(at: vec2<u32>) {
    texels[0] = textureLoad(b, at);
    if (CHUNKS >= 2u) {
        texels[1u % CHUNKS] = textureLoad(b, at + vec2<u32>(LANES_PER_TILE, 0u));
    }
    if (CHUNKS >= 4u) {
        texels[2u % CHUNKS] = textureLoad(b, at + vec2<u32>(2u * LANES_PER_TILE, 0u));
        texels[3u % CHUNKS] = textureLoad(b, at + vec2<u32>(3u * LANES_PER_TILE, 0u));
    }
    if (CHUNKS >= 8u) {
        texels[4u % CHUNKS] = textureLoad(b, at + vec2<u32>(4u * LANES_PER_TILE, 0u));
        texels[5u % CHUNKS] = textureLoad(b, at + vec2<u32>(5u * LANES_PER_TILE, 0u));
        texels[6u % CHUNKS] = textureLoad(b, at + vec2<u32>(6u * LANES_PER_TILE, 0u));
        texels[7u % CHUNKS] = textureLoad(b, at + vec2<u32>(7u * LANES_PER_TILE, 0u));
    }
}

fn add_row(row: u32, x: vec4<f32>) {
    if (INTEGER && !SCALED) {
        totals[row] += x.x + x.y + x.z + x.w;
    }
    dots[2u * row] += x.x * weights[0] + x.y * weights[1] + x.z * weights[2] + x.w * weights[3];
    dots[2u * row + 1u] += x.x * weights[4] + x.y * weights[5] + x.z * weights[6] + x.w * weights[7];
}

// Adds the i-th chunk of the current texels of A.
fn add_chunk(i: u32, first: vec2<u32>) {
    if (B_BITS == 4u) {
        chunk[0] = texels[i];
    } else {
        load_chunk(first + vec2<u32>(i * TEXELS * LANES_PER_TILE, 0u));
    }
    put_chunk(0u);
    add_row(0u, a_regs[i * ROWS]);
    if (ROWS >= 2u) {
        add_row(1u % ROWS, a_regs[(i * ROWS + 1u) % 8u]);
    }
    if (ROWS >= 4u) {
        add_row(2u % ROWS, a_regs[(i * ROWS + 2u) % 8u]);
        add_row(3u % ROWS, a_regs[(i * ROWS + 3u) % 8u]);
    }
    if (ROWS >= 8u) {
        add_row(4u % ROWS, a_regs[4]);
        add_row(5u % ROWS, a_regs[5]);
        add_row(6u % ROWS, a_regs[6]);
        add_row(7u % ROWS, a_regs[7]);
    }
}

// subgroupBroadcast requires a constant lane.
fn broadcast_a(x: vec4<f32>) {
    a_regs[0] = subgroupBroadcast(x, 0u);
    a_regs[1] = subgroupBroadcast(x, 1u);
    a_regs[2] = subgroupBroadcast(x, 2u);
    a_regs[3] = subgroupBroadcast(x, 3u);
    a_regs[4] = subgroupBroadcast(x, 4u);
    a_regs[5] = subgroupBroadcast(x, 5u);
    a_regs[6] = subgroupBroadcast(x, 6u);
    a_regs[7] = subgroupBroadcast(x, 7u);
}

// Without broadcasts: one load per texel, uniform across the 8 lanes.
fn load_a(i: u32, at: u32, gain: u32) {
    var x = floats(textureLoad(a, texel_at(at + i)));
    if (NORM) {
        squares[i % ROWS] += dot(x, x);
        x *= floats(textureLoad(aux, texel_at(gain + i / ROWS)));
    }
    a_regs[i] = x;
}

fn broadcast_all(at: u32, gain: u32) {
    load_a(0u, at, gain);
    load_a(1u, at, gain);
    load_a(2u, at, gain);
    load_a(3u, at, gain);
    load_a(4u, at, gain);
    load_a(5u, at, gain);
    load_a(6u, at, gain);
    load_a(7u, at, gain);
}

fn end_group(row: u32) {
    sums[2u * row] += dots[2u * row] * scale[0] + totals[row] * shift[0];
    sums[2u * row + 1u] += dots[2u * row + 1u] * scale[1] + totals[row] * shift[1];
    dots[2u * row] = vec4<f32>();
    dots[2u * row + 1u] = vec4<f32>();
    totals[row] = 0.0;
}

// Sums a row's squares over the lanes that loaded it.
fn add_squares(r: u32) {
    var sum = a_regs[r].x;
    if (ROWS <= 4u) {
        sum += a_regs[(r + ROWS) % 8u].x;
    }
    if (ROWS <= 2u) {
        sum += a_regs[(r + 2u * ROWS) % 8u].x + a_regs[(r + 3u * ROWS) % 8u].x;
    }
    if (ROWS == 1u) {
        sum += a_regs[4].x + a_regs[5].x + a_regs[6].x + a_regs[7].x;
    }
    squares[r] = sum;
}

// Split-K partial sums, and those of the squares of activations.
var<workgroup> partials: array<vec4<f32>, 2u * ROWS * WORKGROUP>;
var<workgroup> found_squares: array<f32, ROWS * WORKGROUP>;

// Tree reduction of the partial sums into the first 8 lanes.
fn reduce_partials(lane: u32) {
    for (var i = 0u; i < 2u * ROWS; i++) {
        partials[i * WORKGROUP + lane] = sums[i];
    }
    for (var r = 0u; r < ROWS; r++) {
        found_squares[r * WORKGROUP + lane] = squares[r];
    }
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half >= LANES_PER_TILE; half /= 2u) {
        if (lane < half) {
            for (var i = 0u; i < 2u * ROWS; i++) {
                partials[i * WORKGROUP + lane] += partials[i * WORKGROUP + lane + half];
            }
            for (var r = 0u; r < ROWS; r++) {
                found_squares[r * WORKGROUP + lane] += found_squares[r * WORKGROUP + lane + half];
            }
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 2u * ROWS; i++) {
        sums[i] = partials[i * WORKGROUP + lane];
    }
    for (var r = 0u; r < ROWS; r++) {
        squares[r] = found_squares[r * WORKGROUP + lane];
    }
}

// Accumulators that need no scaling already cover all groups.
fn move_to_sums(row: u32) {
    sums[2u * row] = dots[2u * row];
    sums[2u * row + 1u] = dots[2u * row + 1u];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    let lane = invocation % LANES_PER_TILE;
    let slice = select(invocation / LANES_PER_TILE, 0u, SPLIT == 1u);
    let block = part.block + group.y;
    let groups = part.groups;
    var at_a = (block * groups + slice) * 8u * ROWS;
    var at_b = (group.x * groups + slice) * 8u * TEXELS * LANES_PER_TILE + lane;
    var at_scales = (group.x * groups + slice) * SCALE_TEXELS * LANES_PER_TILE + lane;
    var at_gain = slice * 8u;
    var lane_squares = 0.0;
    for (var g = slice; g < groups; g += SPLIT) {
        if (INTEGER) {
            load_scales(texel_at(at_scales));
            at_scales += SPLIT * SCALE_TEXELS * LANES_PER_TILE;
        }
        for (var fetch = 0u; fetch < ROWS; fetch++) {
            if (SPLIT > 1u) {
                broadcast_all(at_a, at_gain);
            } else {
                var x = floats(textureLoad(a, texel_at(at_a + lane)));
                if (NORM) {
                    lane_squares += dot(x, x);
                    x *= floats(textureLoad(aux, texel_at(at_gain + lane / ROWS)));
                }
                broadcast_a(x);
            }
            let from_b = texel_at(at_b);
            at_a += LANES_PER_TILE;
            at_b += CHUNKS * TEXELS * LANES_PER_TILE;
            at_gain += CHUNKS;
            if (B_BITS == 4u) {
                load_texels(from_b);
            }
            add_chunk(0u, from_b);
            if (CHUNKS >= 2u) {
                add_chunk(1u % CHUNKS, from_b);
            }
            if (CHUNKS >= 4u) {
                add_chunk(2u % CHUNKS, from_b);
                add_chunk(3u % CHUNKS, from_b);
            }
            if (CHUNKS >= 8u) {
                add_chunk(4u % CHUNKS, from_b);
                add_chunk(5u % CHUNKS, from_b);
                add_chunk(6u % CHUNKS, from_b);
                add_chunk(7u % CHUNKS, from_b);
            }
        }
        if (INTEGER && !SCALED) {
            end_group(0u);
            if (ROWS >= 2u) {
                end_group(1u % ROWS);
            }
        }
        // Skips the groups of the other slices.
        at_a += (SPLIT - 1u) * 8u * ROWS;
        at_b += (SPLIT - 1u) * 8u * TEXELS * LANES_PER_TILE;
        at_gain += (SPLIT - 1u) * 8u;
    }
    if (!INTEGER || SCALED) {
        move_to_sums(0u);
        if (ROWS >= 2u) {
            move_to_sums(1u % ROWS);
        }
        if (ROWS >= 4u) {
            move_to_sums(2u % ROWS);
            move_to_sums(3u % ROWS);
        }
        if (ROWS >= 8u) {
            move_to_sums(4u % ROWS);
            move_to_sums(5u % ROWS);
            move_to_sums(6u % ROWS);
            move_to_sums(7u % ROWS);
        }
    }
    if (NORM && SPLIT == 1u) {
        broadcast_a(vec4<f32>(lane_squares));
        add_squares(0u);
        if (ROWS >= 2u) {
            add_squares(1u % ROWS);
        }
        if (ROWS >= 4u) {
            add_squares(2u % ROWS);
            add_squares(3u % ROWS);
        }
        if (ROWS >= 8u) {
            add_squares(4u % ROWS);
            add_squares(5u % ROWS);
            add_squares(6u % ROWS);
            add_squares(7u % ROWS);
        }
    }
    if (SPLIT > 1u) {
        reduce_partials(invocation);
        if (invocation >= LANES_PER_TILE) {
            return;
        }
    }
    let row = block * ROWS;
    let column = part.first + group.x * 64u + lane * 8u;
    finish(0u, row, column, lane);
    if (ROWS >= 2u) {
        finish(1u % ROWS, row + 1u, column, lane);
    }
    if (ROWS >= 4u) {
        finish(2u % ROWS, row + 2u, column, lane);
        finish(3u % ROWS, row + 3u, column, lane);
    }
    if (ROWS >= 8u) {
        finish(4u % ROWS, row + 4u, column, lane);
        finish(5u % ROWS, row + 5u, column, lane);
        finish(6u % ROWS, row + 6u, column, lane);
        finish(7u % ROWS, row + 7u, column, lane);
    }
}
