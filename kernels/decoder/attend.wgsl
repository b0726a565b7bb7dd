// Attention of one query over its sequence's keys and values up to its own position, in one pass (online softmax): exponents are
// relative to the running maximum of the scores.
//
// Bindings: 0 Part, 1 Step, 2 queries, 3 the KV cache and 4 the result as texel_at textures.
// Work: one workgroup takes one head of one row; each of SPLIT slices of 8 lanes takes every SPLIT-th block of 8 positions. For
// keys, a lane has a position; for values, it has 8 or 16 dimensions and gets the softmax weights of 8 positions from its neighbours.
// Layouts: as kernels/decoder/product.wgsl writes them; the result is an A with rows in panels of ROWS.
// Assumes: HEAD_SIZE a multiple of 8, at most 128; scores below 3e38.
const ROWS: u32 = 1u;
const SPLIT: u32 = 1u;
const HEAD_SIZE: u32 = 64u;

const LANES_PER_TILE: u32 = 8u;
const MIN_SUBGROUP: u32 = LANES_PER_TILE;
const WORKGROUP: u32 = LANES_PER_TILE * SPLIT;
// Texels of 8 f16 per head.
const EIGHTS: u32 = HEAD_SIZE / 8u;

struct Part {
    heads: u32,
    key_heads: u32,
    context: u32, // positions in the KV cache
    first: u32,   // first row of this dispatch
}
@group(0) @binding(0) var<storage, read> part: Part;
@group(0) @binding(1) var<storage, read> decode_step: Step;
@group(0) @binding(2) var queries: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var cache: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(4) var result: texture_storage_2d<rgba32uint, write>;

fn halves(x: u32, y: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(x), unpack2x16float(y));
}

var<private> query: array<vec4<f32>, 2u * EIGHTS>;
var<private> score: f32;
var<private> low: array<vec4<f32>, 2>;
var<private> high: array<vec4<f32>, 2>;

fn load_query(eight: u32, at: u32) {
    if (eight < EIGHTS) {
        let i = 2u * (eight % EIGHTS);
        query[i] = bitcast<vec4<f32>>(textureLoad(queries, texel_at(at + i)));
        query[i + 1u] = bitcast<vec4<f32>>(textureLoad(queries, texel_at(at + i + 1u)));
    }
}

fn add_score(eight: u32, at: u32) {
    if (eight < EIGHTS) {
        let i = 2u * (eight % EIGHTS);
        let texel = textureLoad(cache, texel_at(at + eight * part.context));
        score += dot(query[i], halves(texel.x, texel.y)) + dot(query[i + 1u], halves(texel.z, texel.w));
    }
}

fn add_value(weight: f32, at: u32, lane: u32) {
    let texel = textureLoad(cache, texel_at(at + min(lane, EIGHTS - 1u)));
    low[0] += weight * halves(texel.x, texel.y);
    high[0] += weight * halves(texel.z, texel.w);
    if (EIGHTS > LANES_PER_TILE) {
        let more = textureLoad(cache, texel_at(at + min(lane + LANES_PER_TILE, EIGHTS - 1u)));
        low[1] += weight * halves(more.x, more.y);
        high[1] += weight * halves(more.z, more.w);
    }
}

fn store(row: u32, eight: u32, first: vec4<f32>, second: vec4<f32>) {
    let at = (row / ROWS * (part.heads * HEAD_SIZE / 4u) + 2u * eight) * ROWS + row % ROWS;
    textureStore(result, texel_at(at), bitcast<vec4<u32>>(first));
    textureStore(result, texel_at(at + ROWS), bitcast<vec4<u32>>(second));
}

// The weight of one of 8 neighbours. With SPLIT 1 its lane is constant: a broadcast is faster than a shuffle.
fn lane_weight(weight: f32, first: u32, i: u32, told: f32) -> f32 {
    if (SPLIT == 1u) {
        return told;
    }
    return subgroupShuffle(weight, first + i);
}

// Partial results: running maximum, sum of softmax weights, weighted sum of values.
var<workgroup> tops: array<f32, WORKGROUP>;
var<workgroup> totals: array<f32, WORKGROUP>;
var<workgroup> sums: array<vec4<f32>, 4u * WORKGROUP>;

// Merges the partial results in the first 8 lanes; returns the softmax denominator.
fn gather(invocation: u32, lane: u32, top: f32, total: f32) -> f32 {
    tops[invocation] = top;
    totals[invocation] = total;
    for (var i = 0u; i < 2u; i++) {
        sums[i * WORKGROUP + invocation] = low[i];
        sums[(2u + i) * WORKGROUP + invocation] = high[i];
    }
    workgroupBarrier();
    var largest = top;
    for (var i = 0u; i < WORKGROUP; i++) {
        largest = max(largest, tops[i]);
    }
    var all = 0.0;
    for (var i = 0u; i < WORKGROUP; i++) {
        all += totals[i] * exp(tops[i] - largest);
    }
    low = array<vec4<f32>, 2>();
    high = array<vec4<f32>, 2>();
    for (var i = lane; i < WORKGROUP; i += LANES_PER_TILE) {
        let less = exp(tops[i] - largest);
        for (var j = 0u; j < 2u; j++) {
            low[j] += sums[j * WORKGROUP + i] * less;
            high[j] += sums[(2u + j) * WORKGROUP + i] * less;
        }
    }
    return all;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let lane = invocation % LANES_PER_TILE;
    let slice = select(invocation / LANES_PER_TILE, 0u, SPLIT == 1u);
    let neighbours = subgroup_lane - subgroup_lane % LANES_PER_TILE;
    let row = part.first + group.y;
    let sequence = row / decode_step.tokens;
    let last = decode_step.position + row % decode_step.tokens;
    let key_head = group.x / (part.heads / part.key_heads);
    let key_line = sequence * part.key_heads + key_head;
    let at_keys = key_line * EIGHTS * part.context;
    let at_values = (decode_step.rows / decode_step.tokens * part.key_heads + key_line) * part.context * EIGHTS;
    let at_query = (row * part.heads + group.x) * (HEAD_SIZE / 4u);
    load_query(0u, at_query);
    load_query(1u, at_query);
    load_query(2u, at_query);
    load_query(3u, at_query);
    load_query(4u, at_query);
    load_query(5u, at_query);
    load_query(6u, at_query);
    load_query(7u, at_query);
    load_query(8u, at_query);
    load_query(9u, at_query);
    load_query(10u, at_query);
    load_query(11u, at_query);
    load_query(12u, at_query);
    load_query(13u, at_query);
    load_query(14u, at_query);
    load_query(15u, at_query);
    var top = -3e38;
    var total = 0.0;
    // All lanes run the same number of iterations, for the subgroup operations.
    for (var turn = 0u; turn <= last; turn += WORKGROUP) {
        let first = turn + slice * LANES_PER_TILE;
        let at = at_keys + min(first + lane, last);
        score = 0.0;
        add_score(0u, at);
        add_score(1u, at);
        add_score(2u, at);
        add_score(3u, at);
        add_score(4u, at);
        add_score(5u, at);
        add_score(6u, at);
        add_score(7u, at);
        add_score(8u, at);
        add_score(9u, at);
        add_score(10u, at);
        add_score(11u, at);
        add_score(12u, at);
        add_score(13u, at);
        add_score(14u, at);
        add_score(15u, at);
        // A lane past the last position has the score of the last one.
        let larger = max(top, subgroupMax(score));
        let less = exp(top - larger);
        top = larger;
        let weight = select(0.0, exp(score - larger), first + lane <= last);
        total = total * less + weight;
        low[0] *= less;
        high[0] *= less;
        if (EIGHTS > LANES_PER_TILE) {
            low[1] *= less;
            high[1] *= less;
        }
        // Past the last position the weight is 0 and the last value is read, as the cache may hold NaN there.
        add_value(lane_weight(weight, neighbours, 0u, subgroupBroadcast(weight, 0u)), at_values + min(first, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 1u, subgroupBroadcast(weight, 1u)), at_values + min(first + 1u, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 2u, subgroupBroadcast(weight, 2u)), at_values + min(first + 2u, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 3u, subgroupBroadcast(weight, 3u)), at_values + min(first + 3u, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 4u, subgroupBroadcast(weight, 4u)), at_values + min(first + 4u, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 5u, subgroupBroadcast(weight, 5u)), at_values + min(first + 5u, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 6u, subgroupBroadcast(weight, 6u)), at_values + min(first + 6u, last) * EIGHTS, lane);
        add_value(lane_weight(weight, neighbours, 7u, subgroupBroadcast(weight, 7u)), at_values + min(first + 7u, last) * EIGHTS, lane);
    }
    var all: f32;
    if (SPLIT == 1u) {
        all = subgroupAdd(total);
    } else {
        all = gather(invocation, lane, top, total);
        if (invocation >= LANES_PER_TILE) {
            return;
        }
    }
    let share = 1.0 / all;
    if (lane < EIGHTS) {
        store(row, group.x * EIGHTS + lane, low[0] * share, high[0] * share);
    }
    if (EIGHTS > LANES_PER_TILE && lane + LANES_PER_TILE < EIGHTS) {
        store(row, group.x * EIGHTS + lane + LANES_PER_TILE, low[1] * share, high[1] * share);
    }
}
