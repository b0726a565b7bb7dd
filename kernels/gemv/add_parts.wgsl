// Adds up the parts of sums that a kernel with SPLIT_K left.
//
// Bindings: 0 the part (uniform), 1 the parts, each a whole C, 2 C, both as vectors of 4 columns.
// Work: one invocation adds 4 columns.
// Assumes: rows times columns of C is a multiple of 4.
const WORKGROUP: u32 = 64u;

struct Part {
    k: u32,
    rows: u32,
    columns: u32,
    first_row: u32,
    first_column: u32,
    splits: u32,
    pad0: u32,
    pad1: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
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
