// Peak throughput of matrix units: the same products, accumulated again and again in registers.
//
// Bindings: 1 inputs: CHAINS f16 matrices, then one more, row-major, 2 CHAINS accumulators per subgroup.
// Work: each subgroup adds matrix i times the last one to accumulator i, ROUNDS times. The loop does not access memory.
// Assumes: a device with matrices of MATRIX a side, subgroups of LANES, inputs within -1 to 1.
enable f16;
enable wgpu_cooperative_matrix;

const MATRIX: u32 = 16u;
alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias MatrixC = coop_mat16x16<f32, C>;
const LANES: u32 = 32u;
const SUBGROUPS: u32 = 4u;
const CHAINS: u32 = 8u;
const ROUNDS: u32 = 256u;

const ELEMENTS: u32 = MATRIX * MATRIX;
const INPUTS: u32 = (CHAINS + 1u) * ELEMENTS;
const WORK_PER_INVOCATION: u32 = ROUNDS * CHAINS * 2u * ELEMENTS * MATRIX / LANES;

@group(0) @binding(1) var<storage, read> starts: array<f16>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

// A row of the workgroup is a subgroup, as in gemm/matrix.wgsl.
@compute @workgroup_size(LANES, SUBGROUPS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) place: vec3<u32>) {
    var a: array<MatrixA, CHAINS>;
    for (var i = 0u; i < CHAINS; i++) {
        a[i] = coopLoadT<MatrixA>(&starts[i * ELEMENTS], MATRIX);
    }
    let b = coopLoadT<MatrixB>(&starts[CHAINS * ELEMENTS], MATRIX);
    var c: array<MatrixC, CHAINS>;
    for (var round = 0u; round < ROUNDS; round++) {
        for (var i = 0u; i < CHAINS; i++) {
            c[i] = coopMultiplyAdd(a[i], b, c[i]);
        }
    }
    // Every subgroup computes the same, so those that share accumulators overwrite them with their own values.
    let places = arrayLength(&sums) / (CHAINS * ELEMENTS);
    let first = (group.x * SUBGROUPS + place.y) % places * CHAINS * ELEMENTS;
    for (var i = 0u; i < CHAINS; i++) {
        let sum = c[i];
        let at = first + i * ELEMENTS;
        coopStoreT(sum, &sums[at], MATRIX);
    }
}
