// Copies the last row of each sequence.
//
// Bindings: 0 Part, 1 Step of the source, 2 source rows in panels of FROM, 3 one row per sequence in panels of ROWS.
// Work: an invocation copies 4 terms.
const FROM: u32 = 8u;
const ROWS: u32 = 1u;

const LANES_PER_TILE: u32 = 8u;

struct Part {
    groups: u32, // of 32 terms
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
@group(0) @binding(0) var<storage, read> part: Part;
@group(0) @binding(1) var<storage, read> decode_step: Step;
@group(0) @binding(2) var many: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(3) var picked: texture_storage_2d<rgba32uint, write>;

@compute @workgroup_size(LANES_PER_TILE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let last = group.y * decode_step.tokens + decode_step.tokens - 1u;
    let chunk = group.x * LANES_PER_TILE + lane;
    let chunks = part.groups * 8u;
    let texel = textureLoad(many, texel_at((last / FROM * chunks + chunk) * FROM + last % FROM));
    textureStore(picked, texel_at((group.y / ROWS * chunks + chunk) * ROWS + group.y % ROWS), texel);
}
