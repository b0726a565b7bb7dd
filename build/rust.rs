//! Generates Rust: the program generic over vectors of words, for `src/workload/sha256d/cpu/`.

use crate::program::{Op, Program, Word};
use std::fmt::Write;

impl Program {
    /// The functions `schedule` and `last_word` of `src/workload/sha256d/cpu/`.
    pub fn rust(&self) -> String {
        let (mut schedule, mut rounds) = (String::new(), String::new());
        for (number, step) in self.steps.iter().enumerate() {
            let (part, terms) = match number < self.schedule {
                true => (&mut schedule, &self.schedule_terms),
                false => (&mut rounds, &self.round_terms),
            };
            let carried = |i: usize| self.carried.binary_search(&i).ok();
            let text = |word: Word| match word {
                Word::Known(c) => format!("V::splat({c:#010x})"),
                Word::Term(i) => {
                    let slot = terms.binary_search(&i).expect("this part reads this term");
                    format!("V::splat(t[{slot}])")
                }
                Word::Let(i) => match carried(i) {
                    Some(slot) if number >= self.schedule => format!("w[{slot}]"),
                    _ => format!("v{i}"),
                },
            };
            let _ = writeln!(part, "        let v{number} = {};", expression(step, text));
            if number < self.schedule
                && let Some(slot) = carried(number)
            {
                let _ = writeln!(part, "        w[{slot}] = v{number};");
            }
        }
        format!(
            "\
/// Terms of a header that the schedule reads.
pub(super) const SCHEDULE_TERMS: usize = {schedule_terms};
/// Terms of a header that the rounds read.
pub(super) const ROUND_TERMS: usize = {round_terms};
/// Words of the schedule that the rounds read.
pub(super) const CARRIED: usize = {carried};

/// What every version of a header has in common for each lane's word.
///
/// # Safety
/// The processor must have what `V` needs.
#[rustfmt::skip]
#[inline(always)]
pub(super) unsafe fn schedule<V: Lanes>(t: &[u32; SCHEDULE_TERMS], word: V, w: &mut [V; CARRIED]) {{
    // SAFETY: the caller vouches for V's instructions.
    unsafe {{
{schedule}    }}
}}

/// The last word of the double hash for each lane of a schedule.
///
/// # Safety
/// The processor must have what `V` needs.
#[rustfmt::skip]
#[inline(always)]
pub(super) unsafe fn last_word<V: Lanes>(t: &[u32; ROUND_TERMS], w: &[V; CARRIED]) -> V {{
    // SAFETY: the caller vouches for V's instructions.
    unsafe {{
{rounds}        v{last}
    }}
}}
",
            schedule_terms = self.schedule_terms.len(),
            round_terms = self.round_terms.len(),
            carried = self.carried.len(),
            last = self.steps.len() - 1
        )
    }
}

fn expression(step: &Op, text: impl Fn(Word) -> String) -> String {
    match step {
        Op::Input => "word".to_string(),
        Op::Sum(words) => {
            // Constants and terms first, then steps in program order: the latest result is added last.
            let mut words = words.clone();
            words.sort_by_key(|word| if let Word::Let(i) = word { i + 1 } else { 0 });
            let (first, rest) = words.split_first().expect("a sum has words");
            let rest: String = rest.iter().map(|w| format!(".add({})", text(*w))).collect();
            text(*first) + &rest
        }
        Op::Sigma(sigma, x) => format!("{}.{}()", text(*x), sigma.name()),
        Op::Choose(e, f, g) => {
            format!("V::choose({}, {}, {})", text(*e), text(*f), text(*g))
        }
        Op::Majority(a, b, c) => {
            format!("V::majority({}, {}, {})", text(*a), text(*b), text(*c))
        }
        Op::Blend { mask, difference, base } => {
            format!("V::blend({}, {}, {})", text(*mask), text(*difference), text(*base))
        }
        Op::Xor(..) | Op::And(..) => unreachable!("only the host computes it"),
    }
}
