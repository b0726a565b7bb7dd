// Memory read bandwidth: the sum of all words of a buffer.
//
// Bindings: 0 where this dispatch begins (uniform), 1 the buffer, 2 one sum per workgroup.
// Work: one workgroup reads WORKGROUP * TEXELS consecutive texels of 16 bytes. Loads are coalesced, and an invocation's loads are
// independent. Sums wrap around, so they are exact in any order. 4 bytes are written per WORK_PER_INVOCATION * WORKGROUP read.
// Assumes: the buffer's size is a multiple of that, and much larger than the caches.
const WORKGROUP: u32 = 256u;
const TEXELS: u32 = 16u;
const WORK_PER_INVOCATION: u32 = 16u * TEXELS;

struct Part {
    first_workgroup: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var<storage, read> words: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

var<workgroup> found: array<u32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = part.first_workgroup + group.x;
    var sum = vec4<u32>();
    for (var i = 0u; i < TEXELS; i++) {
        sum += words[(block * TEXELS + i) * WORKGROUP + lane];
    }
    found[lane] = sum.x + sum.y + sum.z + sum.w;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            found[lane] += found[lane + half];
        }
    }
    if (lane == 0u) {
        sums[block] = found[0];
    }
}
