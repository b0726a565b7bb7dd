// How fast a device reads memory through textures, which are the faster way where loads from buffers are slow.
//
// Bindings: 0 where this dispatch begins (uniform), 1 the words, a texture folded to 1024 texels a row, 2 one sum for
// each workgroup.
// Work: one workgroup reads WORKGROUP * TEXELS neighbouring texels of 16 bytes, from two places in turns. Sums wrap
// around, so they are exact in any order.
// Assumes: subgroups of 8 lanes or more, which hold whole workgroups.
const WORKGROUP: u32 = 8u;
const TEXELS: u32 = 512u;

const WORK_PER_INVOCATION: u32 = 16u * TEXELS;

struct Part {
    first_workgroup: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var words: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

fn load(texel: u32) -> vec4<u32> {
    return textureLoad(words, vec2<u32>(texel & 1023u, texel >> 10u));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = part.first_workgroup + group.x;
    var first = block * TEXELS * WORKGROUP + lane;
    var second = first + TEXELS / 2u * WORKGROUP;
    var sum = vec4<u32>();
    for (var i = 0u; i < TEXELS / 2u; i += 4u) {
        sum += load(first) + load(second);
        sum += load(first + WORKGROUP) + load(second + WORKGROUP);
        sum += load(first + 2u * WORKGROUP) + load(second + 2u * WORKGROUP);
        sum += load(first + 3u * WORKGROUP) + load(second + 3u * WORKGROUP);
        first += 4u * WORKGROUP;
        second += 4u * WORKGROUP;
    }
    let all = subgroupAdd(sum.x + sum.y + sum.z + sum.w);
    if (lane == 0u) {
        sums[block] = all;
    }
}
