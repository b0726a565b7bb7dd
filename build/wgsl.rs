//! Generates WGSL: the program as straight-line code, for `kernels/sha256d/scan.wgsl`.

use crate::program::{Op, Program, Word};
use std::fmt::Write;

impl Program {
    /// The functions `schedule` and `last_word`, their terms, and what passes between them.
    pub fn wgsl(&self) -> String {
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
            "
// What depends on the header alone: on all but its version, and on each version. Read before the loop over words:
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
",
            schedule_fields = fields("t", "u32", &self.schedule_terms),
            schedule_terms = load("scan.schedule", &self.schedule_terms),
            round_fields = fields("t", "u32", &self.round_terms),
            round_terms = load("scan.versions[version].terms", &self.round_terms),
            carried_fields = fields("v", "Word", &self.carried),
            carried = carried.join(", "),
            last = self.steps.len() - 1,
        )
    }
}

/// Vector component of a slot in an array of vectors.
fn part(slot: usize) -> &'static str {
    ["x", "y", "z", "w"][slot % 4]
}

fn expression(step: &Op, text: impl Fn(Word) -> String) -> String {
    // WGSL adds a scalar to every component of a vector, but bitwise operations need two vectors.
    let splat = |word: Word| match word {
        Word::Let(_) => text(word),
        _ => format!("Word({})", text(word)),
    };
    match step {
        Op::Input => "word".to_string(),
        Op::Sum(words) => words.iter().map(|w| text(*w)).collect::<Vec<_>>().join(" + "),
        Op::Sigma(sigma, x) => format!("{}({})", sigma.name(), text(*x)),
        Op::Choose(e, f, g) => format!("choose({}, {}, {})", splat(*e), splat(*f), splat(*g)),
        Op::Majority(a, b, c) => format!("majority({}, {}, {})", splat(*a), splat(*b), splat(*c)),
        Op::Blend { mask, difference, base } => {
            format!("{} ^ ({} & {})", splat(*base), splat(*mask), splat(*difference))
        }
        Op::Xor(..) | Op::And(..) => unreachable!("only the host computes it"),
    }
}

fn plain(word: Word) -> String {
    match word {
        Word::Known(c) => format!("{c:#010x}u"),
        Word::Term(i) => format!("t{i}"),
        Word::Let(i) => format!("v{i}"),
    }
}
