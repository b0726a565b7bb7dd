// Token embedding: a row of the residual stream is a column of the embedding matrix, which is the LM head's if tied.
//
// Bindings: 0 Part, 1 tokens, 2 the matrix and 3 its scales, in the layout of kernels/decoder/panels.wgsl, 4 rows, an A in panels
// of ROWS.
// Work: an invocation dequantises 4 terms of one row. Tokens outside this slice of the matrix are skipped.
// Takes: B_BITS 32, 16, 8 or 4.
const ROWS: u32 = 1u;
const B_BITS: u32 = 4u;
const OFFSETS: bool = false;

const LANES_PER_TILE: u32 = 8u;
const TEXELS: u32 = B_BITS / 4u;
const SCALE_TEXELS: u32 = select(1u, 2u, OFFSETS);
const ZERO_POINT: f32 = select(128.0, 8.0, B_BITS == 4u);

struct Part {
    groups: u32,  // of 32 terms
    first: u32,   // first token of this slice
    columns: u32, // tokens of this slice
    pad: u32,
}
@group(0) @binding(0) var<storage, read> part: Part;
@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var b: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var scales: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(4) var rows: texture_storage_2d<rgba32uint, write>;

fn half_of(texel: vec4<u32>, column: u32) -> f32 {
    return unpack2x16float(texel[column / 2u] >> (column % 2u * 16u)).x;
}

@compute @workgroup_size(LANES_PER_TILE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y;
    let column = tokens[row] - part.first;
    if (column >= part.columns) {
        return;
    }
    let chunk = group.x * LANES_PER_TILE + lane;
    let tile = column / 64u;
    let of_lane = column % 64u / 8u;
    let own = column % 8u;
    let at = (tile * part.groups * 8u + chunk) * TEXELS * LANES_PER_TILE + of_lane;
    var x: vec4<f32>;
    for (var term = 0u; term < 4u; term++) {
        if (B_BITS == 4u) {
            let texel = textureLoad(b, texel_at(at));
            x[term] = f32((texel[term] >> (4u * own)) & 15u);
        } else if (B_BITS == 8u) {
            let texel = textureLoad(b, texel_at(at + term / 2u * LANES_PER_TILE));
            x[term] = f32((texel[term % 2u * 2u + own / 4u] >> (own % 4u * 8u)) & 255u);
        } else if (B_BITS == 16u) {
            x[term] = half_of(textureLoad(b, texel_at(at + term * LANES_PER_TILE)), own);
        } else {
            let texel = textureLoad(b, texel_at(at + (2u * term + own / 4u) * LANES_PER_TILE));
            x[term] = bitcast<f32>(texel[own % 4u]);
        }
    }
    if (B_BITS <= 8u) {
        let at_scale = (tile * part.groups + chunk / 8u) * SCALE_TEXELS * LANES_PER_TILE + of_lane;
        let scale = half_of(textureLoad(scales, texel_at(at_scale)), own);
        if (OFFSETS) {
            x = x * scale + half_of(textureLoad(scales, texel_at(at_scale + LANES_PER_TILE)), own);
        } else {
            x = (x - ZERO_POINT) * scale;
        }
    }
    let to = (row / ROWS * part.groups * 8u + chunk) * ROWS + row % ROWS;
    textureStore(rows, texel_at(to), bitcast<vec4<u32>>(x));
}
