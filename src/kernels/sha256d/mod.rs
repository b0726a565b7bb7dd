//! The double SHA-256 of a block header as a straight-line program, found by evaluating the hash symbolically. Three
//! kinds of word exist: what is known now folds away, what depends only on the block header becomes a *term* that the
//! host computes once a header, and only what depends on the nonce becomes a step. No arrays and no loops remain, so
//! every compiler keeps the program in registers.
//!
//! Headers that differ only in their version field (version rolling, BIP 320, as miners do) share the second block of
//! the first hash, and so its message schedule. The program therefore has two parts: the *schedule*, computed once a
//! nonce, and the *rounds*, computed for each version of the header; ASICs save the same work, under the name AsicBoost.
//!
//! `wgsl` and `rust` write the program down. The WGSL is committed, and a test writes and compares it again; the Rust is written when
//! rigbench is built (`build.rs`).

mod rust;
mod wgsl;

pub use wgsl::ROTATIONS;

use std::collections::BTreeSet;

/// SHA-256's round constants (FIPS 180-4, 4.2.2).
pub const K: [u32; 64] = [
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
    /// Name of the function in what is written.
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

/// One operation that depends on the nonce; its result is the `Let` of its place in the program.
#[derive(Clone, Debug)]
enum Step {
    /// The nonce itself, as the hash reads it.
    Nonce,
    /// Two or more words, terms and known words first.
    Sum(Vec<Word>),
    Sigma(Sigma, Word),
    /// Bits of the second where the first has ones, of the third elsewhere.
    Choose(Word, Word, Word),
    /// Every bit that two of the three agree on.
    Majority(Word, Word, Word),
    /// `base ^ (mask & difference)`: a choice or majority whose other words the nonce does not reach.
    Blend {
        mask: Word,
        difference: Word,
        base: Word,
    },
}

/// The double hash of a header as far as it depends on the nonce.
#[derive(Default)]
pub struct Program {
    terms: Vec<Term>,
    /// The schedule, then the rounds.
    steps: Vec<Step>,
    /// Steps of the schedule.
    schedule: usize,
    /// Steps of the schedule that the rounds read.
    carried: Vec<usize>,
    /// Terms that the schedule reads, in the order in which the host hands them over.
    schedule_terms: Vec<usize>,
    /// Terms that the rounds read, likewise; they differ from version to version.
    round_terms: Vec<usize>,
}

impl Program {
    fn term(&mut self, term: Term) -> Word {
        self.terms.push(term);
        Word::Term(self.terms.len() - 1)
    }

    fn step(&mut self, step: Step) -> Word {
        self.steps.push(step);
        Word::Let(self.steps.len() - 1)
    }

    /// One word for a sum: the host adds header words, the program adds the rest.
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
        if parts.len() == 1 { parts[0] } else { self.step(Step::Sum(parts)) }
    }

    fn add(&mut self, words: &[Word]) -> Word {
        self.settle(Sum::of(words))
    }

    fn sigma(&mut self, sigma: Sigma, x: Word) -> Word {
        match x {
            Word::Known(c) => Word::Known(sigma.eval(c)),
            Word::Term(_) => self.term(Term::Sigma(sigma, x)),
            Word::Let(_) => self.step(Step::Sigma(sigma, x)),
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
            (_, Word::Let(_), _) | (_, _, Word::Let(_)) => self.step(Step::Choose(e, f, g)),
            (Word::Let(_), _, _) => {
                let difference = self.xor(f, g);
                self.step(Step::Blend { mask: e, difference, base: g })
            }
            _ => self.term(Term::Choose(e, f, g)),
        }
    }

    fn majority(&mut self, a: Word, b: Word, c: Word) -> Word {
        match (a, b, c) {
            (Word::Known(a), Word::Known(b), Word::Known(c)) => Word::Known(majority(a, b, c)),
            (_, Word::Let(_), _) | (_, _, Word::Let(_)) => self.step(Step::Majority(a, b, c)),
            (Word::Let(_), _, _) => {
                let (difference, base) = (self.xor(b, c), self.and(b, c));
                self.step(Step::Blend { mask: a, difference, base })
            }
            _ => self.term(Term::Majority(a, b, c)),
        }
    }

    /// The next word of a message schedule.
    fn expand(&mut self, w: &[Word]) -> Word {
        let t = w.len();
        let upper = self.sigma(Sigma::Lower1, w[t - 2]);
        let lower = self.sigma(Sigma::Lower0, w[t - 15]);
        self.add(&[w[t - 16], lower, w[t - 7], upper])
    }

    /// One round, given its word of the schedule with the round constant already added. `with_a` false leaves the new
    /// a out.
    fn round(&mut self, s: [Word; 8], keyed: &[Word], with_a: bool) -> [Word; 8] {
        let [a, b, c, d, e, f, g, h] = s;
        let ch = self.choose(e, f, g);
        let s1 = self.sigma(Sigma::Upper1, e);
        let mut t1 = Sum::of(keyed).plus(&[h, ch, s1]);
        if t1.lets.len() > 1 {
            let settled = self.settle(t1);
            t1 = Sum::of(&[settled]);
        }
        let next_e = self.settle(t1.clone().plus(&[d]));
        let next_a = if with_a {
            let (s0, maj) = (self.sigma(Sigma::Upper0, a), self.majority(a, b, c));
            self.settle(t1.plus(&[s0, maj]))
        } else {
            Word::Known(0)
        };
        [next_a, a, b, c, next_e, e, f, g]
    }

    /// Evaluates the double hash of an 80-byte header. The last step is the last word of the hash.
    pub fn new() -> Program {
        let mut program = Program::default();
        let midstate: [Word; 8] = std::array::from_fn(|i| program.term(Term::Input(i)));
        let tail: [Word; 3] = std::array::from_fn(|i| program.term(Term::Input(8 + i)));
        let nonce = program.step(Step::Nonce);

        // Second block of the header: the tail, the nonce, padding, and the length of 80 bytes in bits.
        let mut block = [Word::Known(0); 16];
        block[..3].copy_from_slice(&tail);
        block[3] = nonce;
        block[4] = Word::Known(0x8000_0000);
        block[15] = Word::Known(640);
        let mut w = block.to_vec();
        while w.len() < 64 {
            let next = program.expand(&w);
            w.push(next);
        }
        let keyed: Vec<[Word; 2]> = (0..64)
            .map(|t| match w[t] {
                // Round 3 adds the nonce to what is known of the header.
                Word::Let(_) if t != 3 => [program.add(&[Word::Known(K[t]), w[t]]), Word::Known(0)],
                w => [Word::Known(K[t]), w],
            })
            .collect();
        program.schedule = program.steps.len();
        let mut state = midstate;
        for words in &keyed {
            state = program.round(state, words, true);
        }
        let inner: [Word; 8] = std::array::from_fn(|i| program.add(&[state[i], midstate[i]]));

        // The outer hash: the inner digest, padding, and the length of 32 bytes in bits. Its last word is the e of
        // round 60, three shifts later, plus its initial value. a influences e four rounds later, so the last four
        // rounds need none.
        let mut block = [Word::Known(0); 16];
        block[..8].copy_from_slice(&inner);
        block[8] = Word::Known(0x8000_0000);
        block[15] = Word::Known(256);
        const ROUNDS: usize = 61;
        let mut state = INITIAL.map(Word::Known);
        let mut w = block.to_vec();
        for t in 0..ROUNDS {
            if t >= 16 {
                let next = program.expand(&w);
                w.push(next);
            }
            state = program.round(state, &[Word::Known(K[t]), w[t]], t < ROUNDS - 4);
        }
        program.add(&[state[4], Word::Known(INITIAL[7])]);

        let (schedule, rounds) = program.steps.split_at(program.schedule);
        let terms_of = |steps: &[Step]| {
            read_by(steps, |word| if let Word::Term(i) = word { Some(i) } else { None })
        };
        let (schedule_terms, round_terms) = (terms_of(schedule), terms_of(rounds));
        let carried = read_by(rounds, |word| match word {
            Word::Let(i) if i < schedule.len() => Some(i),
            _ => None,
        });
        Program { carried, schedule_terms, round_terms, ..program }
    }

    /// How many terms the schedule reads.
    pub fn schedule_term_count(&self) -> usize {
        self.schedule_terms.len()
    }

    /// How many terms the rounds read.
    pub fn round_term_count(&self) -> usize {
        self.round_terms.len()
    }

    /// The header's terms that the schedule reads, in its order; the same for every version of a header.
    pub fn schedule_terms(&self, header: &HeaderWords) -> Vec<u32> {
        let values = self.evaluate(header);
        self.schedule_terms.iter().map(|&i| values[i]).collect()
    }

    /// The header's terms that the rounds read, in their order.
    pub fn round_terms(&self, header: &HeaderWords) -> Vec<u32> {
        let values = self.evaluate(header);
        self.round_terms.iter().map(|&i| values[i]).collect()
    }

    fn evaluate(&self, header: &HeaderWords) -> Vec<u32> {
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
        values
    }
}

/// What `pick` finds among the words that steps read, in order, each once.
fn read_by(steps: &[Step], pick: impl Fn(Word) -> Option<usize>) -> Vec<usize> {
    let found: BTreeSet<usize> = steps.iter().flat_map(Step::words).filter_map(pick).collect();
    found.into_iter().collect()
}

impl Step {
    /// The words that it reads.
    fn words(&self) -> Vec<Word> {
        match self {
            Step::Nonce => vec![],
            Step::Sum(words) => words.clone(),
            Step::Sigma(_, x) => vec![*x],
            Step::Choose(a, b, c) | Step::Majority(a, b, c) => vec![*a, *b, *c],
            Step::Blend { mask, difference, base } => vec![*mask, *difference, *base],
        }
    }
}

/// Compares a committed file with what the program writes; `RIGBENCH_BLESS=1` writes it anew instead.
#[cfg(test)]
fn assert_committed(path: &str, written: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("RIGBENCH_BLESS").is_some() {
        std::fs::write(&path, written).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    let hint = "RIGBENCH_BLESS=1 cargo test --lib committed writes it anew";
    assert!(committed == written, "{} differs; {hint}", path.display());
}
