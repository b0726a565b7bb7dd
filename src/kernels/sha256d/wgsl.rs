//! Generates WGSL: `kernels/sha256d/scan.wgsl` is the program as straight-line code, `compact.wgsl` the hash with loops for compilers
//! that fail on that much code. Both have the same bindings. The machine code depends on how rotation, Ch and Maj are written, so each
//! form is a parameter at the head of the file.

use super::{INITIAL, Program, Step, Word};
use std::fmt::Write;

/// SHA-256's rotation counts, in the order in which the host uploads them.
pub const ROTATIONS: [u32; 10] = [2, 13, 22, 6, 11, 25, 7, 18, 17, 19];

impl Program {
    /// The contents of `kernels/sha256d/scan.wgsl`.
    pub fn scan_wgsl(&self) -> String {
        let load = |array: &str, terms: &[usize]| {
            let slot = |i| format!("{array}[{}].{}", i / 4, part(i));
            (0..terms.len()).map(slot).collect::<Vec<_>>().join(", ")
        };
        let fields = |prefix: &str, kind: &str, numbers: &[usize]| -> String {
            numbers.iter().map(|i| format!("    {prefix}{i}: {kind},\n")).collect()
        };
        let mut steps = [String::new(), String::new()];
        for (number, step) in self.steps.iter().enumerate() {
            let rounds = number >= self.schedule;
            let text = |word: Word| match word {
                Word::Let(i) if rounds && i < self.schedule => format!("w.v{i}"),
                Word::Term(i) => format!("t.t{i}"),
                word => plain(word),
            };
            let part = &mut steps[usize::from(rounds)];
            let _ = writeln!(part, "    let v{number} = {};", expression(step, text));
        }
        let [schedule, rounds] = steps;
        let carried: Vec<String> = self.carried.iter().map(|i| format!("v{i}")).collect();
        format!(
            "\
{head}// What depends on the header alone: on all but its version, and on each version. Read before the loop over words:
// inside it a compiler may fetch it for every lane.
struct ScheduleTerms {{
{schedule_fields}}}
fn schedule_terms() -> ScheduleTerms {{
    return ScheduleTerms({schedule_terms});
}}
struct RoundTerms {{
{round_fields}}}
fn round_terms(version: u32) -> RoundTerms {{
    return RoundTerms({round_terms});
}}

// What every version of the header has in common for a word: its message schedule, round constants added.
struct Schedule {{
{carried_fields}}}
fn schedule(t: ScheduleTerms, word: Word) -> Schedule {{
{schedule}    return Schedule({carried});
}}

// The last word of the double hash.
fn last_word(t: RoundTerms, w: Schedule) -> Word {{
{rounds}    return v{last};
}}
{MAIN}",
            head = self.head(SCAN_HEAD),
            schedule_fields = fields("t", "u32", &self.schedule_terms),
            schedule_terms = load("scan.schedule", &self.schedule_terms),
            round_fields = fields("t", "u32", &self.round_terms),
            round_terms = load("scan.versions[version].terms", &self.round_terms),
            carried_fields = fields("v", "Word", &self.carried),
            carried = carried.join(", "),
            last = self.steps.len() - 1,
        )
    }

    /// The contents of `kernels/sha256d/compact.wgsl`: sixteen unrolled rounds in a loop, for both hashes.
    pub fn compact_wgsl(&self) -> String {
        let mut rounds = String::new();
        for i in 0..16 {
            let [a, b, c, d, e, f, g, h] = std::array::from_fn(|slot| {
                ["a", "b", "c", "d", "e", "f", "g", "h"][(slot + 16 - i) % 8]
            });
            let _ = write!(
                rounds,
                "\
        t1 = {h} + upper1({e}) + choose({e}, {f}, {g}) + k{}.{} + w{i};
        {d} += t1;
        {h} = t1 + upper0({a}) + majority({a}, {b}, {c});
",
                i / 4,
                part(i)
            );
        }
        let mut expansion = String::new();
        for i in 0..16 {
            let [upper, middle, lower] = [14, 9, 1].map(|back| (i + back) % 16);
            let _ = writeln!(
                expansion,
                "            w{i} += lower1(w{upper}) + w{middle} + lower0(w{lower});"
            );
        }
        let words: Vec<String> = (0..16).map(|i| format!("w{i}")).collect();
        let initial = INITIAL.map(|word| format!("{word:#010x}u")).join(", ");
        COMPACT
            .replace("HEAD\n", &self.head(COMPACT_HEAD))
            .replace("INITIAL", &initial)
            .replace("ROUNDS\n", &rounds)
            .replace("EXPANSION\n", &expansion)
            .replace(
                "UNPACK\n",
                &(0..16).map(|i| format!("    var w{i} = block[{i}];\n")).collect::<String>(),
            )
            .replace("WORDS", &words.join(", "))
    }

    /// The common head of both files, after `own`.
    fn head(&self, own: &str) -> String {
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
        let vectors = |n: usize| n.div_ceil(4).to_string();
        let bindings = BINDINGS
            .replace("SCHEDULE_TERMS", &vectors(self.schedule_terms.len()))
            .replace("ROUND_TERMS", &vectors(self.round_terms.len()));
        format!("{own}{bindings}{rotations}{FUNCTIONS}")
    }
}

/// Vector component of a slot in an array of vectors.
fn part(slot: usize) -> &'static str {
    ["x", "y", "z", "w"][slot % 4]
}

fn expression(step: &Step, text: impl Fn(Word) -> String) -> String {
    // WGSL adds a scalar to every component of a vector, but bitwise operations need two vectors.
    let splat = |word: Word| match word {
        Word::Let(_) => text(word),
        _ => format!("Word({})", text(word)),
    };
    match step {
        Step::Nonce => "word".to_string(),
        Step::Sum(words) => words.iter().map(|w| text(*w)).collect::<Vec<_>>().join(" + "),
        Step::Sigma(sigma, x) => format!("{}({})", sigma.name(), text(*x)),
        Step::Choose(e, f, g) => format!("choose({}, {}, {})", splat(*e), splat(*f), splat(*g)),
        Step::Majority(a, b, c) => format!("majority({}, {}, {})", splat(*a), splat(*b), splat(*c)),
        Step::Blend { mask, difference, base } => {
            format!("{} ^ ({} & {})", splat(*base), splat(*mask), splat(*difference))
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

const SCAN_HEAD: &str = "\
// Scans the nonces of one block header: sha256(sha256(header)), looking for hashes that begin with enough zero bits.
// Written by src/kernels/sha256d/wgsl.rs; do not edit.
//
// Bindings: 0 the scan (uniform), 1 the blocks found (a count, then first words; the host clears the count).
// Work: every invocation hashes a block of NONCES consecutive words, WIDTH at a time, in VERSIONS versions of the header,
// and reports the block if any of its hashes is a share; the host finds which. A word is the nonce as the hash reads
// it, its bytes swapped.
// Assumes: the host dispatches whole workgroups and never more words than the header has left.
const WORKGROUP: u32 = 64u;
const NONCES: u32 = 64u;
const BLOCKS: u32 = 1023u;
const VERSIONS: u32 = 2u;
// The versions of a word one after another (four at most), or in a loop: less code, terms fetched by the loop's counter.
const UNROLLED: bool = true;
alias Word = u32;
const WIDTH: u32 = 1u;
const OFFSETS: Word = 0u;
// Rotation counts as constants, or from the uniform buffer where a compiler then finds its rotate instruction.
const UNIFORM_ROTATION: bool = false;
const CHOOSE: u32 = 0u;
const MAJORITY: u32 = 0u;

";

const COMPACT_HEAD: &str = "\
// Scans the nonces of one block header as scan.wgsl does, with loops, in a tenth of its code: for compilers that choke on that.
// Written by src/kernels/sha256d/wgsl.rs; do not edit.
//
// Bindings, work and assumptions: as in scan.wgsl; nothing is shared between versions.
const WORKGROUP: u32 = 64u;
const NONCES: u32 = 64u;
const BLOCKS: u32 = 1023u;
const VERSIONS: u32 = 1u;
alias Word = u32;
const UNIFORM_ROTATION: bool = false;
const CHOOSE: u32 = 0u;
const MAJORITY: u32 = 0u;

";

const BINDINGS: &str = "\
struct Version {
    midstate: array<vec4<u32>, 2>, // state after the header's first 64 bytes
    terms: array<vec4<u32>, ROUND_TERMS>,
}
struct Scan {
    first: u32, // first word of this dispatch
    mask: u32,  // bits of the hash's last word that are zero in a share
    pad0: u32,
    pad1: u32,
    tail: vec4<u32>, // the three words of the header before the nonce
    rotations: array<vec4<u32>, 3>,
    k: array<vec4<u32>, 16>, // round constants
    schedule: array<vec4<u32>, SCHEDULE_TERMS>,
    versions: array<Version, VERSIONS>,
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

const COMPACT: &str = "\
HEAD
struct State {
    a: Word, b: Word, c: Word, d: Word, e: Word, f: Word, g: Word, h: Word,
}
fn compress(state: State, block: array<Word, 16>) -> State {
    var a = state.a;
    var b = state.b;
    var c = state.c;
    var d = state.d;
    var e = state.e;
    var f = state.f;
    var g = state.g;
    var h = state.h;
UNPACK
    for (var round = 0u; round < 64u; round += 16u) {
        var t1: Word;
        let k0 = scan.k[round / 4u];
        let k1 = scan.k[round / 4u + 1u];
        let k2 = scan.k[round / 4u + 2u];
        let k3 = scan.k[round / 4u + 3u];
ROUNDS
        if (round < 48u) {
EXPANSION
        }
    }
    return State(state.a + a, state.b + b, state.c + c, state.d + d, state.e + e, state.f + f, state.g + g, state.h + h);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = scan.first + id.x * NONCES;
    let tail = scan.tail;
    var least = 0xffffffffu;
    for (var i = 0u; i < NONCES * VERSIONS; i += 1u) {
        let m = scan.versions[i / NONCES].midstate;
        let word = block + i % NONCES;
        var state = State(m[0].x, m[0].y, m[0].z, m[0].w, m[1].x, m[1].y, m[1].z, m[1].w);
        var message = array<Word, 16>(tail.x, tail.y, tail.z, word, 0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 640u);
        for (var hash = 0u; hash < 2u; hash += 1u) {
            let s = compress(state, message);
            state = State(INITIAL);
            message = array<Word, 16>(s.a, s.b, s.c, s.d, s.e, s.f, s.g, s.h, 0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 256u);
            if (hash == 1u) {
                least = min(least, s.h & scan.mask);
            }
        }
    }
    if (least == 0u) {
        let slot = atomicAdd(&blocks.count, 1u);
        if (slot < BLOCKS) {
            blocks.first[slot] = block;
        }
    }
}
";

// The test inside the loop takes two instructions and no branch: emulated GPUs execute a branch lane by lane.
const MAIN: &str = "
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let mask = Word(scan.mask);
    let block = scan.first + id.x * NONCES;
    var least = Word(0xffffffffu);
    let shared_terms = schedule_terms();
    let terms0 = round_terms(0u);
    let terms1 = round_terms(min(1u, VERSIONS - 1u));
    let terms2 = round_terms(min(2u, VERSIONS - 1u));
    let terms3 = round_terms(min(3u, VERSIONS - 1u));
    for (var i = 0u; i < NONCES; i += WIDTH) {
        let w = schedule(shared_terms, Word(block + i) + OFFSETS);
        if (UNROLLED) {
            least = min(least, last_word(terms0, w) & mask);
            if (VERSIONS > 1u) {
                least = min(least, last_word(terms1, w) & mask);
            }
            if (VERSIONS > 2u) {
                least = min(least, last_word(terms2, w) & mask);
            }
            if (VERSIONS > 3u) {
                least = min(least, last_word(terms3, w) & mask);
            }
        } else {
            for (var version = 0u; version < VERSIONS; version += 1u) {
                least = min(least, last_word(round_terms(version), w) & mask);
            }
        }
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
        let program = Program::new();
        super::super::assert_committed("kernels/sha256d/scan.wgsl", &program.scan_wgsl());
        super::super::assert_committed("kernels/sha256d/compact.wgsl", &program.compact_wgsl());
    }
}
