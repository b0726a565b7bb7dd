//! Writes the program as WGSL: `kernels/sha256d/scan.wgsl`. How a rotation, a choice and a majority are spelled decides
//! what a shader compiler makes of them, so each spelling is a parameter at the head of the file.

use super::{Program, Step, Word};
use std::fmt::Write;

/// The rotations of SHA-256, in the order in which the host hands them over.
pub const ROTATIONS: [u32; 10] = [2, 13, 22, 6, 11, 25, 7, 18, 17, 19];

impl Program {
    /// The contents of `kernels/sha256d/scan.wgsl`.
    pub fn wgsl(&self) -> String {
        let mut terms = String::new();
        for (slot, term) in self.used.iter().enumerate() {
            let _ = writeln!(terms, "    let t{term} = scan.terms[{}].{};", slot / 4, part(slot));
        }
        let mut steps = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            let _ = writeln!(steps, "        let v{number} = {};", expression(step));
        }
        let mut rotations = String::new();
        for (slot, right) in ROTATIONS.iter().enumerate() {
            let count = format!("scan.rotations[{}].{}", slot / 4, part(slot));
            let _ = write!(
                rotations,
                "\
fn r{right}(x: Word) -> Word {{
    if (UNIFORM_ROTATION) {{
        return (x >> Word({count})) | (x << Word(32u - {count}));
    }}
    return (x >> Word({right}u)) | (x << Word({left}u));
}}
",
                left = 32 - right
            );
        }
        format!(
            "{HEAD}{rotations}{FUNCTIONS}{MAIN}{terms}{LOOP}{steps}{TAIL}",
            HEAD = HEAD.replace("TERMS", &self.used.len().div_ceil(4).to_string()),
            TAIL = TAIL.replace("LAST", &format!("v{}", self.steps.len() - 1)),
        )
    }
}

/// Component of a slot in an array of vectors.
fn part(slot: usize) -> &'static str {
    ["x", "y", "z", "w"][slot % 4]
}

fn expression(step: &Step) -> String {
    match step {
        Step::Nonce => "word".to_string(),
        // WGSL adds a number to every component of a vector; bitwise operations want two vectors.
        Step::Sum(words) => words.iter().map(|w| plain(*w)).collect::<Vec<_>>().join(" + "),
        Step::Sigma(sigma, x) => format!("{}({})", sigma.name(), plain(*x)),
        Step::Choose(e, f, g) => format!("choose({}, {}, {})", wide(*e), wide(*f), wide(*g)),
        Step::Majority(a, b, c) => format!("majority({}, {}, {})", wide(*a), wide(*b), wide(*c)),
        Step::Blend { mask, difference, base } => {
            format!("{} ^ ({} & {})", wide(*base), wide(*mask), wide(*difference))
        }
    }
}

fn plain(word: Word) -> String {
    match word {
        Word::Known(c) => format!("{c:#010x}u"),
        Word::Term(i) => format!("t{i}"),
        Word::Let(i) => format!("v{i}"),
    }
}

fn wide(word: Word) -> String {
    match word {
        Word::Let(_) => plain(word),
        _ => format!("Word({})", plain(word)),
    }
}

const HEAD: &str = "\
// Scans the nonces of one block header: sha256(sha256(header)), looking for hashes that begin with enough zero bits.
// Written by src/kernels/sha256d/wgsl.rs; do not edit.
//
// Bindings: 0 the scan (uniform), 1 the blocks found (a count, then first words; the host clears the count).
// Work: every invocation hashes a block of NONCES consecutive words, WIDTH at a time, and reports the block if any of
// its hashes is a share; the host finds which. A word is the nonce as the hash reads it, its bytes swapped.
// Assumes: the host dispatches whole workgroups and never more words than the header has left.
const WORKGROUP: u32 = 64u;
const NONCES: u32 = 64u;
const BLOCKS: u32 = 1023u;
alias Word = u32;
const WIDTH: u32 = 1u;
const OFFSETS: Word = 0u;
// Rotation counts as constants, or from the uniform buffer where a compiler then finds its rotate instruction.
const UNIFORM_ROTATION: bool = false;
const CHOOSE: u32 = 0u;
const MAJORITY: u32 = 0u;

struct Scan {
    first: u32, // first word of this dispatch
    mask: u32,  // bits of the hash's last word that are zero in a share
    pad0: u32,
    pad1: u32,
    rotations: array<vec4<u32>, 3>,
    terms: array<vec4<u32>, TERMS>, // what depends on the header alone
}
struct Blocks {
    count: atomic<u32>,
    first: array<u32, BLOCKS>,
}
@group(0) @binding(0) var<uniform> scan: Scan;
@group(0) @binding(1) var<storage, read_write> blocks: Blocks;

";

const FUNCTIONS: &str = "
fn upper0(x: Word) -> Word {
    return r2(x) ^ r13(x) ^ r22(x);
}
fn upper1(x: Word) -> Word {
    return r6(x) ^ r11(x) ^ r25(x);
}
fn lower0(x: Word) -> Word {
    return r7(x) ^ r18(x) ^ (x >> Word(3u));
}
fn lower1(x: Word) -> Word {
    return r17(x) ^ r19(x) ^ (x >> Word(10u));
}

// Bits of f where e has ones, of g elsewhere.
fn choose(e: Word, f: Word, g: Word) -> Word {
    if (CHOOSE == 1u) {
        return (e & f) | (~e & g);
    }
    return g ^ (e & (f ^ g));
}

// Every bit that two of the three agree on.
fn majority(a: Word, b: Word, c: Word) -> Word {
    if (MAJORITY == 1u) {
        return (a & b) | (c & (a | b));
    }
    // b ^ c is a ^ b of the round before.
    return b ^ ((a ^ b) & (b ^ c));
}

";

const MAIN: &str = "\
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
";

// The test inside the loop costs two instructions and no branch: emulated GPUs walk through every lane of a branch.
// What the loop reads is read before it: there a compiler may fetch it for every lane.
const LOOP: &str = "    let mask = Word(scan.mask);
    let block = scan.first + id.x * NONCES;
    var least = Word(0xffffffffu);
    for (var i = 0u; i < NONCES; i += WIDTH) {
        let word = Word(block + i) + OFFSETS;
";

const TAIL: &str = "        least = min(least, LAST & mask);
    }
    if (any(least == Word(0u))) {
        let slot = atomicAdd(&blocks.count, 1u);
        if (slot < BLOCKS) {
            blocks.first[slot] = block;
        }
    }
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_wgsl_is_what_the_program_writes() {
        super::super::assert_committed("kernels/sha256d/scan.wgsl", &Program::new().wgsl());
    }
}
