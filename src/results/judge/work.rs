//! Verifies the work that a row claims: shares are hashed again; some elements and tokens are computed again.

use crate::measure::Windows;
use crate::oracle::Verdict;
use crate::results::derive::proven;
use crate::results::document::{Outcome, Row};
use crate::results::rules::Rules;
use crate::seed::Seed;
use crate::units::{Unit, grouped};
use crate::workload::decoder::{self, Answers};
use crate::workload::sha256d::Shares;
use crate::workload::{Proof, matmul};
use std::path::PathBuf;

/// Maximum number of product terms that a quick check recomputes: a fraction of a millisecond, so that thousands of files take seconds.
const QUICK_TERMS: u64 = 1 << 15;

/// How much to recompute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth<'a> {
    /// Seconds at most; a note names the rest.
    Quick,
    /// Everything that the available models allow.
    Deep {
        /// Model files that rows may have used.
        models: &'a [Model],
    },
}

/// A model in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its path.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
}

/// What a row shows of its work.
pub(super) struct Shown {
    pub(super) words: String,
    /// Whether something that follows from the run's seed was computed again.
    pub(super) of_seed: bool,
}

impl Shown {
    fn of_seed(words: String) -> Shown {
        Shown { words, of_seed: true }
    }

    fn nothing(words: String) -> Shown {
        Shown { words, of_seed: false }
    }
}

/// Verifies a row's proof of work; returns in words what it proves. All `products` rows share the time of a quick check.
///
/// # Errors
/// What is wrong with the proof.
pub(super) fn row(
    row: &Row,
    seed: Seed,
    rules: &Rules,
    same_program: bool,
    depth: Depth,
    products: u64,
) -> Result<Shown, String> {
    let Some(windows) = row.windows.as_ref().filter(|_| row.outcome == Outcome::Measured) else {
        return Ok(Shown::nothing(format!("nothing was measured: {}", row.outcome.name())));
    };
    match (&row.proof, row.workload.unit) {
        (Some(Proof::Shares(shares)), Unit::Hash) => hashes(windows, shares, seed, rules),
        (Some(Proof::Elements(elements)), Unit::Flop) if row.workload.id.is_product() => {
            let most_terms = match depth {
                Depth::Quick => QUICK_TERMS / products,
                Depth::Deep { .. } => 1 << 36,
            };
            let (spec, all) = (&row.workload.spec, elements.elements.len() as u64);
            let judged = matmul::judge(spec, seed, windows.len(), elements, most_terms);
            match judged {
                Ok(Verdict::Agrees { checked: 0, .. }) => Ok(Shown::nothing(format!(
                    "publisher's word: its {all} elements are too long to be computed again here"
                ))),
                Ok(Verdict::Agrees { checked, .. }) if checked == all => {
                    Ok(Shown::of_seed(format!("sampled: {all} elements computed again, all right")))
                }
                Ok(Verdict::Agrees { checked, .. }) => Ok(Shown::of_seed(format!(
                    "sampled: {checked} of {all} elements computed again, all right; --deep computes all"
                ))),
                Ok(Verdict::Disagrees(what)) => Err(what),
                Err(error) if same_program => Err(error.to_string()),
                Err(error) => Ok(Shown::nothing(format!(
                    "publisher's word: another version's product, which was not computed again: {error}"
                ))),
            }
        }
        (Some(Proof::Answers(answers)), Unit::Token) => {
            tokens(row, windows.len(), answers, seed, depth)
        }
        (Some(_), _) => Err("it is no proof of this row".into()),
        (None, Unit::Token) => Err("tokens are claimed and none is shown".into()),
        (None, Unit::Hash) => Err("hashes are claimed and there is no share".into()),
        (None, _) if row.workload.id.is_product() => {
            Err("a product is claimed and no element of it is shown".into())
        }
        (None, _) => Ok(Shown::nothing("publisher's word: nothing shows its work".into())),
    }
}

/// Verifies answer tokens. A deep check runs the model and is slow.
fn tokens(
    row: &Row,
    windows: usize,
    answers: &Answers,
    seed: Seed,
    depth: Depth,
) -> Result<Shown, String> {
    let shown: usize = answers.tokens.iter().map(Vec::len).sum();
    if answers.tokens.len() != windows || answers.tokens.iter().any(Vec::is_empty) {
        return Err("every window shows some tokens".into());
    }
    let Depth::Deep { models } = depth else {
        return Ok(Shown::nothing(format!(
            "sampled: {shown} tokens are shown; --deep computes them again"
        )));
    };
    let file = match &row.workload.shape.model_sha256 {
        None => None,
        Some(sha256) => match models.iter().find(|model| model.sha256 == *sha256) {
            Some(model) => Some(model.path.as_path()),
            None => {
                return Ok(Shown::nothing(format!(
                    "sampled: {shown} tokens are shown; to compute them again name the model's file, which has the SHA-256 {sha256}: --model FILE"
                )));
            }
        },
    };
    match decoder::judge(&row.workload.spec, seed, file, answers) {
        Ok(Verdict::Agrees { checked, .. }) => {
            Ok(Shown::of_seed(format!("sampled: {checked} tokens computed again, all right")))
        }
        Ok(Verdict::Disagrees(what)) => Err(what),
        Err(why) => Ok(Shown::nothing(format!(
            "sampled: its {shown} tokens could not be computed again: {why}"
        ))),
    }
}

/// Verifies the claimed hashes by their shares.
fn hashes(windows: &Windows, shares: &Shares, seed: Seed, rules: &Rules) -> Result<Shown, String> {
    let claimed = windows.total_work();
    match shares.hashes() {
        Some(scanned) if u128::from(scanned) == claimed => {}
        scanned => {
            return Err(format!(
                "the windows claim {claimed} hashes, the scan has {}",
                scanned.map_or("no number of them".into(), |n| n.to_string())
            ));
        }
    }
    if let Verdict::Disagrees(what) = shares.judge_row(seed) {
        return Err(what);
    }
    let proven = proven(windows, shares, rules);
    let cut = match proven.is_cut() {
        true => {
            format!("; the rate is cut to the {:.3e} hashes that they prove", proven.counted_hashes)
        }
        false => String::new(),
    };
    Ok(Shown::of_seed(format!(
        "proven work: {} hashes claimed, supported by {} shares ({:.0} expected){cut}",
        grouped(claimed),
        grouped(proven.shares as u128),
        proven.expected_shares,
    )))
}
