// Peak FMA throughput: chains of dependent FMAs in registers, on values that never become constant.
//
// Bindings: 0 the coefficients (uniform), 1 initial values, 2 sums, one per invocation until there are no more.
// Work: each of CHAINS pairs of vectors is rotated ROUNDS times by x += forth * y, y += back * x. With back = -forth that preserves
// x * x + y * y + forth * x * y, so values stay in their range and keep changing. Each FMA of a chain depends on the one
// before. The loop does not access memory.
// Takes: Elem f32 or f16.
// Assumes: INPUTS vectors of initial values, within -1 to 1; forth between 0 and 1. For f16, initial values and coefficients are
// f16 values. ROUNDS is a multiple of UNROLLED.
const WORKGROUP: u32 = 256u;
const CHAINS: u32 = 4u;
const ROUNDS: u32 = 1024u;
const INPUTS: u32 = 1024u;
const WORK_PER_INVOCATION: u32 = ROUNDS * CHAINS * 16u;
alias Elem = f32;

const UNROLLED: u32 = 16u; // rounds per iteration

struct Turn {
    forth: vec4<f32>,
    back: vec4<f32>, // -forth, so that no instruction has to negate
}
@group(0) @binding(0) var<uniform> turn: Turn;
@group(0) @binding(1) var<storage, read> starts: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let forth = vec4<Elem>(turn.forth);
    let back = vec4<Elem>(turn.back);
    var x: array<vec4<Elem>, CHAINS>;
    var y: array<vec4<Elem>, CHAINS>;
    for (var i = 0u; i < CHAINS; i++) {
        x[i] = vec4<Elem>(starts[(2u * (id.x * CHAINS + i)) % INPUTS]);
        y[i] = vec4<Elem>(starts[(2u * (id.x * CHAINS + i) + 1u) % INPUTS]);
    }
    for (var round = 0u; round < ROUNDS; round += UNROLLED) {
        for (var u = 0u; u < UNROLLED; u++) {
            for (var i = 0u; i < CHAINS; i++) {
                x[i] = fma(forth, y[i], x[i]);
            }
            for (var i = 0u; i < CHAINS; i++) {
                y[i] = fma(back, x[i], y[i]);
            }
        }
    }
    var sum = vec4<f32>();
    for (var i = 0u; i < CHAINS; i++) {
        sum += vec4<f32>(x[i]);
        sum += vec4<f32>(y[i]);
    }
    // Initial values repeat, so invocations that share a sum compute the same one.
    sums[id.x % arrayLength(&sums)] = sum;
}
