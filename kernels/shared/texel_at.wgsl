
// Coordinates of a texel in a texture that is 1024 texels wide.
fn texel_at(texel: u32) -> vec2<u32> {
    return vec2<u32>(texel & 1023u, texel >> 10u);
}
