// Peak int8 dot-product throughput: chains of dot4I8Packed in registers, on values that never become constant.
//
// Bindings: 1 initial values, 2 sums, one per invocation until there are no more.
// Work: in each of ROUNDS rounds, each of CHAINS words is incremented by the dot product of the next two words. Words wrap around on
// overflow, so results are exact. The loop does not access memory.
// Assumes: INPUTS random words of initial values. ROUNDS is a multiple of UNROLLED.
const WORKGROUP: u32 = 256u;
const CHAINS: u32 = 16u;
const ROUNDS: u32 = 1024u;
const INPUTS: u32 = 4096u;
const WORK_PER_INVOCATION: u32 = ROUNDS * CHAINS * 8u;

const UNROLLED: u32 = 16u; // rounds per iteration

@group(0) @binding(1) var<storage, read> starts: array<i32>;
@group(0) @binding(2) var<storage, read_write> sums: array<i32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var x: array<i32, CHAINS>;
    for (var i = 0u; i < CHAINS; i++) {
        x[i] = starts[(id.x * CHAINS + i) % INPUTS];
    }
    for (var round = 0u; round < ROUNDS; round += UNROLLED) {
        for (var u = 0u; u < UNROLLED; u++) {
            for (var i = 0u; i < CHAINS; i++) {
                x[i] += dot4I8Packed(bitcast<u32>(x[(i + 1u) % CHAINS]), bitcast<u32>(x[(i + 2u) % CHAINS]));
            }
        }
    }
    var sum = 0i;
    for (var i = 0u; i < CHAINS; i++) {
        sum += x[i];
    }
    // Initial values repeat, so invocations that share a sum compute the same one.
    sums[id.x % arrayLength(&sums)] = sum;
}
