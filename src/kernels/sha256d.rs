//! Writes the sha256d scan kernel by evaluating the double hash symbolically. Three kinds of word exist:
//! what is known now folds away, what depends only on the block header becomes a *term* that the host computes
//! once a header, and only what depends on the nonce is written out as WGSL. The result is straight-line code
//! without arrays, which every shader compiler keeps in registers.
//!
//! The text is committed as `kernels/sha256d/scan.wgsl`; a test regenerates and compares it.

use std::fmt::Write;

/// SHA-256's round constants (FIPS 180-4, 4.2.2).
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// SHA-256's initial state (FIPS 180-4, 5.3.3).
pub const INITIAL: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// What the host knows of a header: the state after its first 64 bytes, and the three words of the second
/// block that stand before the nonce.
#[derive(Clone, Copy, Debug)]
pub struct HeaderWords {
    /// State after the first 64 bytes.
    pub midstate: [u32; 8],
    /// Words 16, 17 and 18 of the header: end of the merkle root, time, bits.
    pub tail: [u32; 3],
}

/// SHA-256's four sigma functions: two or three rotations and a shift.
#[derive(Clone, Copy, Debug)]
enum Sigma {
    Upper0,
    Upper1,
    Lower0,
    Lower1,
}

impl Sigma {
    /// Name of the WGSL function.
    fn name(self) -> &'static str {
        match self {
            Sigma::Upper0 => "upper0",
            Sigma::Upper1 => "upper1",
            Sigma::Lower0 => "lower0",
            Sigma::Lower1 => "lower1",
        }
    }

    fn eval(self, x: u32) -> u32 {
        let r = |n| x.rotate_right(n);
        match self {
            Sigma::Upper0 => r(2) ^ r(13) ^ r(22),
            Sigma::Upper1 => r(6) ^ r(11) ^ r(25),
            Sigma::Lower0 => r(7) ^ r(18) ^ (x >> 3),
            Sigma::Lower1 => r(17) ^ r(19) ^ (x >> 10),
        }
    }
}

fn choose(e: u32, f: u32, g: u32) -> u32 {
    g ^ (e & (f ^ g))
}

fn majority(a: u32, b: u32, c: u32) -> u32 {
    (a & b) | (c & (a | b))
}

/// A 32-bit word, by what it depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    /// Nothing: known now.
    Known(u32),
    /// The header: computed by the host.
    Term(usize),
    /// The nonce: a `let` of the kernel.
    Let(usize),
}

/// How the host computes a term.
#[derive(Clone, Debug)]
enum Term {
    Input(usize),
    Sum(Vec<Word>),
    Sigma(Sigma, Word),
    Choose(Word, Word, Word),
    Majority(Word, Word, Word),
    Xor(Word, Word),
    And(Word, Word),
}

/// A sum that is not yet written out, so that its known and header parts fold.
#[derive(Clone, Debug, Default)]
struct Sum {
    lets: Vec<Word>,
    terms: Vec<Word>,
    known: u32,
}

impl Sum {
    fn of(words: &[Word]) -> Sum {
        let mut sum = Sum::default();
        for &word in words {
            match word {
                Word::Known(c) => sum.known = sum.known.wrapping_add(c),
                Word::Term(_) => sum.terms.push(word),
                Word::Let(_) => sum.lets.push(word),
            }
        }
        sum
    }

    fn plus(mut self, words: &[Word]) -> Sum {
        let other = Sum::of(words);
        self.lets.extend(other.lets);
        self.terms.extend(other.terms);
        self.known = self.known.wrapping_add(other.known);
        self
    }
}

#[derive(Default)]
struct Writer {
    terms: Vec<Term>,
    lines: String,
    lets: usize,
}

impl Writer {
    fn term(&mut self, term: Term) -> Word {
        self.terms.push(term);
        Word::Term(self.terms.len() - 1)
    }

    fn emit(&mut self, expression: &str) -> Word {
        writeln!(self.lines, "        let v{} = {expression};", self.lets)
            .expect("a String takes all");
        self.lets += 1;
        Word::Let(self.lets - 1)
    }

    /// One word for a sum: the host adds header words, the kernel adds the rest.
    fn settle(&mut self, sum: Sum) -> Word {
        let mut host = sum.terms;
        if sum.known != 0 || host.is_empty() {
            host.push(Word::Known(sum.known));
        }
        let host = if host.len() == 1 { host[0] } else { self.term(Term::Sum(host)) };
        let mut parts = sum.lets;
        if parts.is_empty() {
            return host;
        }
        if host != Word::Known(0) {
            parts.insert(0, host);
        }
        if parts.len() == 1 {
            return parts[0];
        }
        let text: Vec<String> = parts.into_iter().map(text).collect();
        self.emit(&text.join(" + "))
    }

    fn add(&mut self, words: &[Word]) -> Word {
        self.settle(Sum::of(words))
    }

    fn sigma(&mut self, sigma: Sigma, x: Word) -> Word {
        match x {
            Word::Known(c) => Word::Known(sigma.eval(c)),
            Word::Term(_) => self.term(Term::Sigma(sigma, x)),
            Word::Let(_) => self.emit(&format!("{}({})", sigma.name(), text(x))),
        }
    }

    fn xor(&mut self, a: Word, b: Word) -> Word {
        match (a, b) {
            (Word::Known(a), Word::Known(b)) => Word::Known(a ^ b),
            _ => self.term(Term::Xor(a, b)),
        }
    }

    fn and(&mut self, a: Word, b: Word) -> Word {
        match (a, b) {
            (Word::Known(a), Word::Known(b)) => Word::Known(a & b),
            _ => self.term(Term::And(a, b)),
        }
    }

    fn choose(&mut self, e: Word, f: Word, g: Word) -> Word {
        match (e, f, g) {
            (Word::Known(e), Word::Known(f), Word::Known(g)) => Word::Known(choose(e, f, g)),
            (Word::Let(_), Word::Let(_), _) | (_, _, Word::Let(_)) | (_, Word::Let(_), _) => {
                let [e, f, g] = [e, f, g].map(text);
                self.emit(&format!("{g} ^ ({e} & ({f} ^ {g}))"))
            }
            (Word::Let(_), _, _) => {
                let difference = self.xor(f, g);
                let [e, d, g] = [e, difference, g].map(text);
                self.emit(&format!("{g} ^ ({e} & {d})"))
            }
            _ => self.term(Term::Choose(e, f, g)),
        }
    }

    fn majority(&mut self, a: Word, b: Word, c: Word) -> Word {
        match (a, b, c) {
            (Word::Known(a), Word::Known(b), Word::Known(c)) => Word::Known(majority(a, b, c)),
            (_, Word::Let(_), _) | (_, _, Word::Let(_)) => {
                let [a, b, c] = [a, b, c].map(text);
                self.emit(&format!("({a} & {b}) | ({c} & ({a} | {b}))"))
            }
            (Word::Let(_), _, _) => {
                let (differ, agree) = (self.xor(b, c), self.and(b, c));
                let [a, d, s] = [a, differ, agree].map(text);
                self.emit(&format!("({a} & {d}) ^ {s}"))
            }
            _ => self.term(Term::Majority(a, b, c)),
        }
    }

    /// One compression of `block` from `state`, up to and without the addition of the initial state.
    /// `rounds` below 64 stops early: then only e, the fifth word, is right, and later a's are left out.
    fn compress(&mut self, state: [Word; 8], block: [Word; 16], rounds: usize) -> [Word; 8] {
        // a influences e four rounds later, so the last four of a shortened run need none.
        let last_a = if rounds < 64 { rounds - 4 } else { rounds };
        let mut w = block.to_vec();
        let mut s = state;
        for t in 0..rounds {
            if t >= 16 {
                let upper = self.sigma(Sigma::Lower1, w[t - 2]);
                let lower = self.sigma(Sigma::Lower0, w[t - 15]);
                let next = self.add(&[w[t - 16], lower, w[t - 7], upper]);
                w.push(next);
            }
            let [a, b, c, d, e, f, g, h] = s;
            let (s1, ch) = (self.sigma(Sigma::Upper1, e), self.choose(e, f, g));
            let mut t1 = Sum::of(&[Word::Known(K[t]), w[t], h, s1, ch]);
            if t1.lets.len() > 1 {
                let settled = self.settle(t1);
                t1 = Sum::of(&[settled]);
            }
            let next_e = self.settle(t1.clone().plus(&[d]));
            let next_a = if t < last_a {
                let (s0, maj) = (self.sigma(Sigma::Upper0, a), self.majority(a, b, c));
                self.settle(t1.plus(&[s0, maj]))
            } else {
                Word::Known(0)
            };
            s = [next_a, a, b, c, next_e, e, f, g];
        }
        s
    }
}

fn text(word: Word) -> String {
    match word {
        Word::Known(c) => format!("{c:#010x}u"),
        Word::Term(i) => format!("t{i}"),
        Word::Let(i) => format!("v{i}"),
    }
}

/// The kernel's text, and how to compute its terms.
pub struct Generated {
    /// Contents of `kernels/sha256d/scan.wgsl`.
    pub wgsl: String,
    terms: Vec<Term>,
    used: Vec<usize>,
}

impl Generated {
    /// How many terms the kernel reads.
    pub fn term_count(&self) -> usize {
        self.used.len()
    }

    /// The header's terms in the order in which the kernel reads them.
    pub fn terms(&self, header: &HeaderWords) -> Vec<u32> {
        let mut values: Vec<u32> = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let at = |word: Word| match word {
                Word::Known(c) => c,
                Word::Term(i) => values[i],
                Word::Let(_) => unreachable!("a term never depends on the nonce"),
            };
            let value = match term {
                Term::Input(i @ 0..8) => header.midstate[*i],
                Term::Input(i) => header.tail[*i - 8],
                Term::Sum(words) => words.iter().fold(0, |s: u32, &w| s.wrapping_add(at(w))),
                Term::Sigma(sigma, x) => sigma.eval(at(*x)),
                Term::Choose(e, f, g) => choose(at(*e), at(*f), at(*g)),
                Term::Majority(a, b, c) => majority(at(*a), at(*b), at(*c)),
                Term::Xor(a, b) => at(*a) ^ at(*b),
                Term::And(a, b) => at(*a) & at(*b),
            };
            values.push(value);
        }
        self.used.iter().map(|&i| values[i]).collect()
    }
}

/// Evaluates the double hash of an 80-byte header symbolically and writes the kernel.
pub fn generate() -> Generated {
    let mut writer = Writer::default();
    let midstate: [Word; 8] = std::array::from_fn(|i| writer.term(Term::Input(i)));
    let tail: [Word; 3] = std::array::from_fn(|i| writer.term(Term::Input(8 + i)));
    let nonce = writer.emit("word");

    // Second block of the header: the tail, the nonce, padding, and the length of 80 bytes in bits.
    let mut block = [Word::Known(0); 16];
    block[..3].copy_from_slice(&tail);
    block[3] = nonce;
    block[4] = Word::Known(0x8000_0000);
    block[15] = Word::Known(640);
    let state = writer.compress(midstate, block, 64);
    let inner: [Word; 8] = std::array::from_fn(|i| writer.add(&[state[i], midstate[i]]));

    // The outer hash: the inner digest, padding, and the length of 32 bytes in bits. Its last word is the
    // e of round 60, three shifts later, plus its initial value.
    let mut block = [Word::Known(0); 16];
    block[..8].copy_from_slice(&inner);
    block[8] = Word::Known(0x8000_0000);
    block[15] = Word::Known(256);
    let state = writer.compress(INITIAL.map(Word::Known), block, 61);
    let last = writer.add(&[state[4], Word::Known(INITIAL[7])]);

    let used: Vec<usize> = (0..writer.terms.len())
        .filter(|i| {
            writer.lines.split(|c: char| !c.is_alphanumeric()).any(|token| token == format!("t{i}"))
        })
        .collect();
    Generated { wgsl: wgsl(&writer, &used, last), terms: writer.terms, used }
}

fn wgsl(writer: &Writer, used: &[usize], last: Word) -> String {
    let mut terms = String::new();
    for (slot, term) in used.iter().enumerate() {
        let part = ["x", "y", "z", "w"][slot % 4];
        writeln!(terms, "    let t{term} = scan.terms[{}].{part};", slot / 4)
            .expect("a String takes all");
    }
    format!(
        "\
// Scans nonces of one block header: sha256(sha256(header)), keeping those whose hash begins with enough zero bits.
// Written by src/kernels/sha256d.rs; do not edit.
//
// Bindings: 0 the scan (uniform), 1 the shares found (count, then words; the host clears the count).
// Work: every invocation hashes NONCES consecutive words; a word is the nonce as the hash reads it, bytes swapped.
// Assumes: the host dispatches whole workgroups and never more words than the header has left.
const WORKGROUP: u32 = 64u;
const NONCES: u32 = 64u;
const SHARES: u32 = 1023u;

struct Scan {{
    first: u32, // first word of this dispatch
    mask: u32,  // bits of the hash's last word that must be zero
    pad0: u32,
    pad1: u32,
    terms: array<vec4<u32>, {vectors}>, // what depends on the header alone
}}
struct Shares {{
    count: atomic<u32>,
    words: array<u32, SHARES>,
}}
@group(0) @binding(0) var<uniform> scan: Scan;
@group(0) @binding(1) var<storage, read_write> shares: Shares;

fn upper0(x: u32) -> u32 {{
    return ((x >> 2u) | (x << 30u)) ^ ((x >> 13u) | (x << 19u)) ^ ((x >> 22u) | (x << 10u));
}}
fn upper1(x: u32) -> u32 {{
    return ((x >> 6u) | (x << 26u)) ^ ((x >> 11u) | (x << 21u)) ^ ((x >> 25u) | (x << 7u));
}}
fn lower0(x: u32) -> u32 {{
    return ((x >> 7u) | (x << 25u)) ^ ((x >> 18u) | (x << 14u)) ^ (x >> 3u);
}}
fn lower1(x: u32) -> u32 {{
    return ((x >> 17u) | (x << 15u)) ^ ((x >> 19u) | (x << 13u)) ^ (x >> 10u);
}}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
{terms}    let begin = scan.first + id.x * NONCES;
    for (var i = 0u; i < NONCES; i++) {{
        let word = begin + i;
{lines}        if (({last} & scan.mask) == 0u) {{
            let slot = atomicAdd(&shares.count, 1u);
            if (slot < SHARES) {{
                shares.words[slot] = word;
            }}
        }}
    }}
}}
",
        vectors = used.len().div_ceil(4),
        lines = writer.lines,
        last = text(last),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run with `RIGBENCH_BLESS=1` to write the file anew after a change of the generator.
    #[test]
    fn the_committed_kernel_is_what_the_generator_writes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/sha256d/scan.wgsl");
        let generated = generate().wgsl;
        if std::env::var_os("RIGBENCH_BLESS").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == generated,
            "{path} differs; RIGBENCH_BLESS=1 cargo test writes it anew"
        );
    }
}
