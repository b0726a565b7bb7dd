
// The part of a matrix product that a dispatch computes.
struct Part {
    k: u32,            // K, padded
    rows: u32,         // of A and C, padded
    columns: u32,      // of B and C, padded
    first_row: u32,    // where this dispatch begins
    first_column: u32,
    splits: u32,       // split-K factor
    pad0: u32,
    pad1: u32,
}
@group(0) @binding(0) var<uniform> part: Part;
