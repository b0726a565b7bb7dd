// Staging of A and B in workgroup memory, for a decoder's products of many rows on devices with thousands of invocations. It goes
// between the text of such a product and kernels/decoder/product.wgsl. The texels of the next group of 32 terms are prefetched into
// registers while this one is multiplied.
//
// The preceding file defines Elem, A_ROW and A_CHUNK: the element type in workgroup memory, and the strides of rows and chunks of A
// there, in vec4s. B has one row of 16 vec4s per term, the first 4 columns of each lane and then the other 4.
alias Elem4 = vec4<Elem>;
const CHUNKS: u32 = 8u; // of 4 terms, per group
const A_LOADS: u32 = CHUNKS * ROWS / WORKGROUP;
// Each row is padded by a vec4 to avoid bank conflicts.
const B_PITCH: u32 = 2u * LANES_PER_TILE + 1u;
// Invocations that stage B, one chunk of one lane each.
const STAGERS: u32 = CHUNKS * LANES_PER_TILE;
const_assert WORKGROUP % ROWS == 0u && WORKGROUP >= STAGERS && A_LOADS >= 1u;
// Distance between the rows of an invocation.
const APART: u32 = WORKGROUP / LANES_PER_TILE;
const ROWS_PER_LANE: u32 = ROWS / APART;

var<workgroup> block_a: array<Elem4, (ROWS - 1u) * A_ROW + (CHUNKS - 1u) * A_CHUNK + 1u>;
var<workgroup> block_b: array<Elem4, 32u * B_PITCH>;
var<workgroup> squares_found: array<f32, WORKGROUP>;

// Prefetched for the next group.
var<private> next_a: array<vec4<u32>, A_LOADS>;
// RMSNorm gains of the chunk's 4 terms, which are multiplied into the weights.
var<private> next_gain: vec4<f32>;
// Where the chunk goes in block_b.
var<private> chunk_at: u32;
// Sum of squares of the row that this invocation stages.
var<private> lane_squares: f32;

fn store_weights(term: u32, low: vec4<f32>, high: vec4<f32>) {
    var weights = array(low, high);
    if (INTEGER) {
        weights = array(low * scale[0] + shift[0], high * scale[1] + shift[1]);
    }
    if (NORM) {
        weights = array(weights[0] * next_gain[term], weights[1] * next_gain[term]);
    }
    block_b[chunk_at + term * B_PITCH] = Elem4(weights[0]);
    block_b[chunk_at + term * B_PITCH + LANES_PER_TILE] = Elem4(weights[1]);
}

// Memory to registers.
fn fetch(group: u32, block: u32, tile: u32, thread: u32) {
    let at_a = (block * part.groups + group) * CHUNKS * ROWS + thread;
    for (var i = 0u; i < A_LOADS; i++) {
        next_a[i] = textureLoad(a, texel_at(at_a + i * WORKGROUP));
    }
    if (WORKGROUP == STAGERS || thread < STAGERS) {
        let lane = thread % LANES_PER_TILE;
        let of_group = thread / LANES_PER_TILE;
        if (INTEGER) {
            fetch_scales(texel_at((tile * part.groups + group) * SCALE_TEXELS * LANES_PER_TILE + lane));
        }
        load_chunk(texel_at(((tile * part.groups + group) * CHUNKS + of_group) * TEXELS * LANES_PER_TILE + lane));
        if (NORM) {
            next_gain = floats(textureLoad(aux, texel_at(group * CHUNKS + of_group)));
        }
    }
}

// Registers to workgroup memory.
fn stage(thread: u32) {
    for (var i = 0u; i < A_LOADS; i++) {
        let texel = i * WORKGROUP + thread;
        let x = floats(next_a[i]);
        if (NORM) {
            lane_squares += dot(x, x);
        }
        block_a[texel % ROWS * A_ROW + texel / ROWS * A_CHUNK] = Elem4(x);
    }
    if (WORKGROUP == STAGERS || thread < STAGERS) {
        if (INTEGER) {
            take_scales();
        }
        put_chunk(0u);
    }
}

// Sums a row's squares over the invocations that staged it.
fn share_squares(thread: u32, first: u32) {
    squares_found[thread] = lane_squares;
    workgroupBarrier();
    for (var r = 0u; r < ROWS_PER_LANE; r++) {
        for (var i = first + r * APART; i < WORKGROUP; i += ROWS) {
            squares[r] += squares_found[i];
        }
    }
}

// Main loop over K; `multiply` of the preceding file takes the staged terms.
fn multiply_all(block: u32, tile: u32, thread: u32) {
    chunk_at = thread / LANES_PER_TILE * 4u * B_PITCH + thread % LANES_PER_TILE;
    fetch(0u, block, tile, thread);
    for (var group = 0u; group < part.groups; group++) {
        stage(thread);
        workgroupBarrier();
        if (group + 1u < part.groups) {
            fetch(group + 1u, block, tile, thread);
        }
        multiply();
        workgroupBarrier();
    }
    if (NORM) {
        share_squares(thread, thread / LANES_PER_TILE);
    }
}

fn finish_all(block: u32, tile: u32, thread: u32) {
    let lane = thread % LANES_PER_TILE;
    for (var r = 0u; r < ROWS_PER_LANE; r++) {
        finish(r, block * ROWS + thread / LANES_PER_TILE + r * APART, part.first + tile * 64u + lane * 8u, lane);
    }
}
