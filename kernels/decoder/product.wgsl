// Common part of a decoder's products, appended to the text of each: bindings, unpacking of weights, and epilogues. The preceding
// files define ROWS, B_BITS, OFFSETS, EPSILON, FINISH, HEAD_SIZE, and ROWS_PER_LANE, the number of rows that a lane accumulates.
//
// Epilogues: values of FINISH.
const HEADS: u32 = 0u; // biases, RoPE on queries and keys, keys and values into the KV cache
const ADD: u32 = 1u; // residual add
const GATE: u32 = 2u; // SwiGLU: the first 4 columns of a lane are the gate, the other 4 up
const LOGITS: u32 = 3u; // logits, and the maximum of each tile

const NORM: bool = EPSILON > 0.0;
const LANES_PER_TILE: u32 = 8u;
const MIN_SUBGROUP: u32 = LANES_PER_TILE;
// Texels per chunk, and per group for its scales.
const TEXELS: u32 = B_BITS / 4u;
const SCALE_TEXELS: u32 = select(1u, 2u, OFFSETS);
const INTEGER: bool = B_BITS <= 8u;
const ZERO_POINT: f32 = select(128.0, 8.0, B_BITS == 4u);

struct Part {
    groups: u32,   // of 32 terms
    first: u32,    // first column of this slice of B
    columns: u32,  // of the product
    block: u32,    // first block of ROWS rows
    queries: u32,  // columns of queries (first)
    keys: u32,     // columns of keys (next), and of values (last)
    context: u32,  // positions in the KV cache
    tiles: u32,    // of the product
}
@group(0) @binding(0) var<storage, read> part: Part;
@group(0) @binding(1) var<storage, read> decode_step: Step;
@group(0) @binding(2) var a: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var b: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(4) var scales: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(5) var aux: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(6) var result: texture_storage_2d<rgba32uint, write>;
@group(0) @binding(7) var cache: texture_storage_2d<rgba32uint, write>;
@group(0) @binding(8) var rope_table: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(9) var<storage, read_write> logits: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> largest: array<vec2<u32>>;

fn floats(texel: vec4<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(texel);
}

fn halves(x: u32, y: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(x), unpack2x16float(y));
}

// Accumulators: 2 vec4s of columns per row.
var<private> sums: array<vec4<f32>, 2u * ROWS_PER_LANE>;
// Sum of squares of a row's activations, for RMSNorm.
var<private> squares: array<f32, ROWS_PER_LANE>;
// Scales of a group by column, and the shift that is added to a scaled weight.
var<private> scale: array<vec4<f32>, 2>;
var<private> shift: array<vec4<f32>, 2>;

// Integers are masked without a shift, so each is too large by a power of two; the scales compensate.
fn unscale(quad: u32) -> vec4<f32> {
    if (B_BITS == 8u) {
        return vec4<f32>(1.0, 1.0 / 256.0, 1.0 / 65536.0, 1.0);
    }
    if (quad == 0u) {
        return vec4<f32>(1.0, 1.0 / 16.0, 1.0 / 256.0, 1.0 / 4096.0);
    }
    return vec4<f32>(1.0 / 65536.0, 1.0 / 1048576.0, 1.0 / 16777216.0, 1.0);
}

// Conversions are from i32, which every processor has an instruction for.
fn low_nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(vec4<u32>(word) & vec4<u32>(0xfu, 0xf0u, 0xf00u, 0xf000u)));
}
fn high_nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(vec4<u32>(word & 0xf0000u, word & 0xf00000u, word & 0xf000000u, word >> 28u)));
}
fn bytes(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(vec4<u32>(word & 0xffu, word & 0xff00u, word & 0xff0000u, word >> 24u)));
}

// Raw scales and offsets of a group of a lane.
var<private> scale_texels: array<vec4<u32>, SCALE_TEXELS>;

fn fetch_scales(at: vec2<u32>) {
    scale_texels[0] = textureLoad(scales, at);
    if (OFFSETS) {
        scale_texels[1u % SCALE_TEXELS] = textureLoad(scales, at + vec2<u32>(LANES_PER_TILE, 0u));
    }
}

fn take_scales() {
    let texel = scale_texels[0];
    scale[0] = halves(texel.x, texel.y);
    scale[1] = halves(texel.z, texel.w);
    if (OFFSETS) {
        let offset = scale_texels[1u % SCALE_TEXELS];
        shift[0] = halves(offset.x, offset.y);
        shift[1] = halves(offset.z, offset.w);
    } else {
        shift[0] = -ZERO_POINT * scale[0];
        shift[1] = -ZERO_POINT * scale[1];
    }
    scale[0] *= unscale(0u);
    scale[1] *= unscale(1u);
}

fn load_scales(at: vec2<u32>) {
    fetch_scales(at);
    take_scales();
}

// A raw chunk: 4 terms of a lane's columns.
var<private> chunk: array<vec4<u32>, TEXELS>;

fn load_chunk(at: vec2<u32>) {
    chunk[0] = textureLoad(b, at);
    if (TEXELS >= 2u) {
        chunk[1u % TEXELS] = textureLoad(b, at + vec2<u32>(LANES_PER_TILE, 0u));
    }
    if (TEXELS >= 4u) {
        chunk[2u % TEXELS] = textureLoad(b, at + vec2<u32>(2u * LANES_PER_TILE, 0u));
        chunk[3u % TEXELS] = textureLoad(b, at + vec2<u32>(3u * LANES_PER_TILE, 0u));
    }
    if (TEXELS >= 8u) {
        chunk[4u % TEXELS] = textureLoad(b, at + vec2<u32>(4u * LANES_PER_TILE, 0u));
        chunk[5u % TEXELS] = textureLoad(b, at + vec2<u32>(5u * LANES_PER_TILE, 0u));
        chunk[6u % TEXELS] = textureLoad(b, at + vec2<u32>(6u * LANES_PER_TILE, 0u));
        chunk[7u % TEXELS] = textureLoad(b, at + vec2<u32>(7u * LANES_PER_TILE, 0u));
    }
}

// Converts a chunk to float and passes its terms to `store_weights` of the preceding file.
fn put_chunk(first: u32) {
    let t0 = chunk[0];
    let t1 = chunk[1u % TEXELS];
    let t2 = chunk[2u % TEXELS];
    let t3 = chunk[3u % TEXELS];
    if (B_BITS == 4u) {
        store_weights(first, low_nibbles(t0.x), high_nibbles(t0.x));
        store_weights(first + 1u, low_nibbles(t0.y), high_nibbles(t0.y));
        store_weights(first + 2u, low_nibbles(t0.z), high_nibbles(t0.z));
        store_weights(first + 3u, low_nibbles(t0.w), high_nibbles(t0.w));
    } else if (B_BITS == 8u) {
        store_weights(first, bytes(t0.x), bytes(t0.y));
        store_weights(first + 1u, bytes(t0.z), bytes(t0.w));
        store_weights(first + 2u, bytes(t1.x), bytes(t1.y));
        store_weights(first + 3u, bytes(t1.z), bytes(t1.w));
    } else if (B_BITS == 16u) {
        store_weights(first, halves(t0.x, t0.y), halves(t0.z, t0.w));
        store_weights(first + 1u, halves(t1.x, t1.y), halves(t1.z, t1.w));
        store_weights(first + 2u, halves(t2.x, t2.y), halves(t2.z, t2.w));
        store_weights(first + 3u, halves(t3.x, t3.y), halves(t3.z, t3.w));
    } else {
        store_weights(first, floats(t0), floats(t1));
        store_weights(first + 1u, floats(t2), floats(t3));
        store_weights(first + 2u, floats(chunk[4u % TEXELS]), floats(chunk[5u % TEXELS]));
        store_weights(first + 3u, floats(chunk[6u % TEXELS]), floats(chunk[7u % TEXELS]));
    }
}

fn apply_rope(x: vec4<f32>, turn: vec4<f32>) -> vec4<f32> {
    return x.xxzz * turn + x.yyww * vec4<f32>(-turn.y, turn.x, -turn.w, turn.z);
}

fn store(at: u32, x: vec4<f32>) {
    textureStore(result, texel_at(at), bitcast<vec4<u32>>(x));
}

// KV cache, in texels of 8 f16: keys [sequence][head][dim / 8][position], then values [sequence][head][position][dim / 8].
fn finish_heads(row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    let sequence = row / decode_step.tokens;
    let position = decode_step.position + row % decode_step.tokens;
    let bias = part.groups * 8u + column / 4u;
    var x = low + floats(textureLoad(aux, texel_at(bias)));
    var y = high + floats(textureLoad(aux, texel_at(bias + 1u)));
    if (column < part.queries + part.keys) {
        let turn = position * (HEAD_SIZE / 4u) + column % HEAD_SIZE / 4u;
        x = apply_rope(x, floats(textureLoad(rope_table, texel_at(turn))));
        y = apply_rope(y, floats(textureLoad(rope_table, texel_at(turn + 1u))));
    }
    if (column < part.queries) {
        let at = (row * part.queries + column) / 4u;
        store(at, x * inverseSqrt(f32(HEAD_SIZE)));
        store(at + 1u, y * inverseSqrt(f32(HEAD_SIZE)));
        return;
    }
    let eight = vec4<u32>(pack2x16float(x.xy), pack2x16float(x.zw), pack2x16float(y.xy), pack2x16float(y.zw));
    let key = column - part.queries;
    if (key < part.keys) {
        let line = sequence * (part.keys / 8u) + key / 8u;
        textureStore(cache, texel_at(line * part.context + position), eight);
    } else {
        let head = sequence * (part.keys / HEAD_SIZE) + (key - part.keys) / HEAD_SIZE;
        let sequences = decode_step.rows / decode_step.tokens;
        let at = (sequences * (part.keys / HEAD_SIZE) + head) * part.context + position;
        textureStore(cache, texel_at(at * (HEAD_SIZE / 8u) + key % HEAD_SIZE / 8u), eight);
    }
}

// Reductions over 8 lanes, which may be a part of a subgroup.
fn max_over_lanes(own: f32) -> f32 {
    let max2 = max(own, subgroupShuffleXor(own, 1u));
    let max4 = max(max2, subgroupShuffleXor(max2, 2u));
    return max(max4, subgroupShuffleXor(max4, 4u));
}
fn min_over_lanes(own: u32) -> u32 {
    let min2 = min(own, subgroupShuffleXor(own, 1u));
    let min4 = min(min2, subgroupShuffleXor(min2, 2u));
    return min(min4, subgroupShuffleXor(min4, 4u));
}

fn finish_logits(row: u32, column: u32, tile: u32, lane: u32, low: vec4<f32>, high: vec4<f32>) {
    let first_four = column + vec4<u32>(0u, 1u, 2u, 3u);
    let inside_low = select(vec4<f32>(-3.4e38), low, first_four < vec4<u32>(part.columns));
    let inside_high = select(vec4<f32>(-3.4e38), high, first_four + 4u < vec4<u32>(part.columns));
    let fours = max(inside_low, inside_high);
    let best = max(max(fours.x, fours.y), max(fours.z, fours.w));
    let of_low = select(vec4<u32>(0xffffffffu), first_four, inside_low == vec4<f32>(best));
    let of_high = select(vec4<u32>(0xffffffffu), first_four + 4u, inside_high == vec4<f32>(best));
    let indices = min(of_low, of_high);
    let index = min(min(indices.x, indices.y), min(indices.z, indices.w));
    let top = max_over_lanes(best);
    let first = min_over_lanes(select(0xffffffffu, index, best == top));
    if (row >= decode_step.rows) {
        return;
    }
    let at = (row * part.tiles * 64u + column) / 4u;
    logits[at] = low;
    logits[at + 1u] = high;
    if (lane == 0u) {
        largest[row * part.tiles + tile] = vec2<u32>(bitcast<u32>(top), first);
    }
}

fn finish(r: u32, row: u32, column: u32, lane: u32) {
    var low = sums[2u * r];
    var high = sums[2u * r + 1u];
    if (NORM) {
        let inv_rms = inverseSqrt(squares[r] / f32(32u * part.groups) + EPSILON);
        low *= inv_rms;
        high *= inv_rms;
    }
    if (FINISH == LOGITS) {
        // Rows that do not exist take part in the reduction: subgroup operations need uniform control flow.
        finish_logits(row, column, column / 64u, lane, low, high);
        return;
    }
    if (row >= decode_step.rows || column >= part.columns) {
        return;
    }
    if (FINISH == HEADS) {
        finish_heads(row, column, low, high);
    } else if (FINISH == ADD) {
        let at = (row / ROWS * (part.columns / 4u) + column / 4u) * ROWS + row % ROWS;
        store(at, low + floats(textureLoad(aux, texel_at(at))));
        store(at + ROWS, high + floats(textureLoad(aux, texel_at(at + ROWS))));
    } else {
        let at = (row / ROWS * (part.columns / 8u) + column / 8u) * ROWS + row % ROWS;
        store(at, low / (1.0 + exp(-low)) * high);
    }
}
