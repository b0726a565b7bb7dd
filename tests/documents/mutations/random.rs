//! Numbers that look random and are the same every time, so that a seed names a mutation.

/// How many changes make a mutation: mostly one, so that it gets past the first check.
pub const COUNTS: &[usize] = &[1, 1, 1, 2, 4];

/// The generator `splitmix64`.
pub struct Random(u64);

impl Random {
    pub fn new(kind: &str, seed: u64) -> Random {
        let kind = kind.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
        Random(kind.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From 0 to below `end`; 0 if that is empty.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }
}
