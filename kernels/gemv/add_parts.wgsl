// Reduces the partial sums of a split-K kernel.
//
// Bindings: 0 Part (uniform), 1 the partial sums, a whole C per split, 2 C, both in vec4s of columns.
// Work: one invocation reduces 4 columns.
// Assumes: rows times columns of C is a multiple of 4.
const WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let vectors = part.rows * part.columns / 4u;
    if (id.x >= vectors) {
        return;
    }
    var sum = parts[id.x];
    for (var i = 1u; i < part.splits; i++) {
        sum += parts[i * vectors + id.x];
    }
    c[id.x] = sum;
}
