// How fast matrix units multiply: sums of the same products, added up again and again in registers.
//
// Bindings: 1 starts: CHAINS matrices of f16, then one, row by row, 2 CHAINS sums for each subgroup.
// Work: each subgroup adds matrix i times the last one to sum i, ROUNDS times. Nothing is loaded or stored in between.
// Assumes: a device with matrices of MATRIX a side, subgroups of LANES, starts within -1 to 1.
enable f16;
enable wgpu_cooperative_matrix;

const MATRIX: u32 = 16u;
alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias MatrixC = coop_mat16x16<f32, C>;
const LANES: u32 = 32u;
const SUBGROUPS: u32 = 4u;
const WORKGROUP: u32 = LANES * SUBGROUPS;
const CHAINS: u32 = 8u;
const ROUNDS: u32 = 256u;

const ELEMENTS: u32 = MATRIX * MATRIX;
const INPUTS: u32 = (CHAINS + 1u) * ELEMENTS;
const WORK_PER_INVOCATION: u32 = ROUNDS * CHAINS * 2u * ELEMENTS * MATRIX / LANES;

@group(0) @binding(1) var<storage, read> starts: array<f16>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_id) subgroup: u32) {
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
    let first = (group.x * SUBGROUPS + subgroup % SUBGROUPS) * CHAINS * ELEMENTS;
    for (var i = 0u; i < CHAINS; i++) {
        let sum = c[i];
        let at = first + i * ELEMENTS;
        coopStoreT(sum, &sums[at], MATRIX);
    }
}
