// Memory read bandwidth through textures, the faster path where loads from buffers are slow.
//
// Bindings: 0 where this dispatch begins (uniform), 1 the words, a texel_at texture, 1024 texels wide, 2 one sum per workgroup.
// Work: one workgroup reads WORKGROUP * TEXELS consecutive texels of 16 bytes, alternating between STREAMS places: 1 or 2. TEXELS is
// large, since hardware prefetchers start only after a run of sequential reads. Sums wrap around, so they are exact in any order.
const WORKGROUP: u32 = 8u;
const TEXELS: u32 = 4096u;
const STREAMS: u32 = 1u;

const WORK_PER_INVOCATION: u32 = 16u * TEXELS;
// A subgroup holds a whole workgroup.
const MIN_SUBGROUP: u32 = WORKGROUP;

struct Part {
    first_workgroup: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var words: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

// The sum of a lane's next 8 texels, all in one row of the texture.
fn eight(first: vec2<u32>) -> vec4<u32> {
    var sum = vec4<u32>();
    for (var i = 0u; i < 8u; i++) {
        sum += textureLoad(words, first + vec2<u32>(i * WORKGROUP, 0u));
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = part.first_workgroup + group.x;
    let apart = TEXELS / STREAMS * WORKGROUP;
    var at = block * TEXELS * WORKGROUP + lane;
    var sum = vec4<u32>();
    for (var i = 0u; i < TEXELS / STREAMS; i += 8u) {
        sum += eight(texel_at(at));
        if (STREAMS == 2u) {
            sum += eight(texel_at(at + apart));
        }
        at += 8u * WORKGROUP;
    }
    let all = subgroupAdd(sum.x + sum.y + sum.z + sum.w);
    if (lane == 0u) {
        sums[block] = all;
    }
}
