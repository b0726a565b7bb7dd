// Greedy sampling: a sequence's next token is the argmax over its tiles of logits, lowest index on ties. Then the position advances.
//
// Bindings: 0 Part, 1 the maximum of each tile and its index, 2 tokens, 3 Step.
// Work: one workgroup takes one sequence.
// Takes: WORKGROUP 8 to 256.
const WORKGROUP: u32 = 8u;
const MIN_SUBGROUP: u32 = 4u;

struct Part {
    tiles: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
@group(0) @binding(0) var<storage, read> part: Part;
@group(0) @binding(1) var<storage, read> largest: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> decode_step: Step;

var<workgroup> tops: array<f32, WORKGROUP / MIN_SUBGROUP>;
var<workgroup> firsts: array<u32, WORKGROUP / MIN_SUBGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32, @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32) {
    var best = -3.4e38;
    var index = 0xffffffffu;
    for (var i = lane; i < part.tiles; i += WORKGROUP) {
        let found = largest[group.y * part.tiles + i];
        let better = bitcast<f32>(found.x) > best;
        best = select(best, bitcast<f32>(found.x), better);
        index = select(index, found.y, better);
    }
    let top = subgroupMax(best);
    let first = subgroupMin(select(0xffffffffu, index, best == top));
    if (subgroup_lane == 0u) {
        tops[subgroup] = top;
        firsts[subgroup] = first;
    }
    workgroupBarrier();
    if (lane == 0u) {
        var token = firsts[0];
        var largest_top = tops[0];
        for (var i = 1u; i < subgroups; i++) {
            if (tops[i] > largest_top || (tops[i] == largest_top && firsts[i] < token)) {
                largest_top = tops[i];
                token = firsts[i];
            }
        }
        tokens[group.y] = token;
        if (group.y == 0u) {
            decode_step.position += 1u;
        }
    }
}
