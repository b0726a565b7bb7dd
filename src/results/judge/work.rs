//! Verifies the work that a row claims: shares are hashed again; some elements and tokens are computed again.

use super::Judge;
use crate::measure::Windows;
use crate::oracle::Verdict;
use crate::results::derive::proven;
use crate::results::document::{Outcome, Row};
use crate::seed::Seed;
use crate::units::{Unit, grouped};
use crate::workload::decoder::{self, Answers};
use crate::workload::matmul::Elements;
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

impl Judge<'_> {
    /// Verifies a row's proof of work and notes what it proves. All `products` rows share the time of a quick check.
    ///
    /// # Errors
    /// What is wrong with the proof.
    pub(super) fn work(&mut self, row: &Row, seed: Seed, products: u64) -> Result<(), String> {
        let product = row.workload.id.is_product();
        let windows = row.windows.as_ref().filter(|_| row.outcome == Outcome::Measured);
        let shown = match (windows, &row.proof, row.workload.unit) {
            (None, ..) => Ok(format!("nothing was measured: {}", row.outcome.into_str())),
            (Some(windows), Some(Proof::Shares(shares)), Unit::Hash) => {
                self.hashes(windows, shares, seed)
            }
            (Some(windows), Some(Proof::Elements(elements)), Unit::Flop) if product => {
                self.elements(row, windows, elements, seed, products)
            }
            (Some(windows), Some(Proof::Answers(answers)), Unit::Token) => {
                self.tokens(row, windows, answers, seed)
            }
            (_, Some(_), _) => Err("it is not a proof of this kind of work".into()),
            (_, None, Unit::Token) => Err("tokens are claimed, but no token is recorded".into()),
            (_, None, Unit::Hash) => Err("hashes are claimed, but no share is recorded".into()),
            _ if product => Err("a product is claimed, but no element is recorded".into()),
            _ => Ok("not verifiable: this workload leaves no proof of its work".into()),
        };
        self.note(row, shown?);
        Ok(())
    }

    /// Verifies the elements of a product.
    fn elements(
        &mut self,
        row: &Row,
        windows: &Windows,
        elements: &Elements,
        seed: Seed,
        products: u64,
    ) -> Result<String, String> {
        let most_terms = match self.depth {
            Depth::Quick => QUICK_TERMS / products,
            Depth::Deep { .. } => 1 << 36,
        };
        let (spec, all) = (&row.workload.spec, elements.elements.len() as u64);
        let checked = match matmul::judge(spec, seed, windows.len(), elements, most_terms) {
            Ok(Verdict::Agrees { checked, .. }) => checked,
            Ok(Verdict::Disagrees(what)) => return Err(what),
            Err(error) if self.same_program => return Err(error.to_string()),
            Err(error) => {
                return Ok(format!(
                    "not verified: another version's product, which this one cannot compute again: {error}"
                ));
            }
        };
        self.of_seed |= checked > 0;
        Ok(match checked {
            0 => format!("not verified: its {all} elements take too long to compute again here"),
            _ if checked == all => format!("sampled: {all} elements computed again, all right"),
            _ => format!(
                "sampled: {checked} of {all} elements computed again, all right; --deep computes all"
            ),
        })
    }

    /// Verifies answer tokens. A deep check runs the model and is slow.
    fn tokens(
        &mut self,
        row: &Row,
        windows: &Windows,
        answers: &Answers,
        seed: Seed,
    ) -> Result<String, String> {
        let shown: usize = answers.tokens.iter().map(Vec::len).sum();
        if answers.tokens.len() != windows.len() || answers.tokens.iter().any(Vec::is_empty) {
            return Err("every window has to record some tokens".into());
        }
        let Depth::Deep { models } = self.depth else {
            return Ok(format!(
                "not verified: {shown} tokens are shown and none was computed again; --deep does"
            ));
        };
        let sha256 = row.workload.shape.model_sha256.as_ref();
        let model = sha256.and_then(|sha256| models.iter().find(|model| model.sha256 == *sha256));
        if let (Some(sha256), None) = (sha256, model) {
            return Ok(format!(
                "not verified: {shown} tokens are shown; to compute them again name the model's file, which has the SHA-256 {sha256}: --model FILE"
            ));
        }
        let file = model.map(|model| model.path.as_path());
        match decoder::judge(&row.workload.spec, seed, file, answers) {
            Ok(Verdict::Agrees { checked, .. }) => {
                self.of_seed = true;
                Ok(format!("sampled: {checked} tokens computed again, all right"))
            }
            Ok(Verdict::Disagrees(what)) => Err(what),
            Err(why) => {
                Ok(format!("not verified: its {shown} tokens could not be computed again: {why}"))
            }
        }
    }

    /// Verifies the claimed hashes by their shares.
    fn hashes(&mut self, windows: &Windows, shares: &Shares, seed: Seed) -> Result<String, String> {
        let (claimed, scanned) = (windows.total_work(), shares.hashes());
        if scanned.map(u128::from) != Some(claimed) {
            let scanned = scanned.map_or("an unknown number".into(), |n| n.to_string());
            return Err(format!("the windows claim {claimed} hashes, the scan has {scanned}"));
        }
        if let Verdict::Disagrees(what) = shares.judge_row(seed) {
            return Err(what);
        }
        self.of_seed = true;
        let proven = proven(windows, shares, self.rules);
        let counted = proven.counted_hashes;
        let cut = format!("; the rate is cut to the {counted:.3e} hashes that they prove");
        let cut = if proven.is_cut() { &cut } else { "" };
        let (claimed, shown) = (grouped(claimed), grouped(proven.shares as u128));
        Ok(format!(
            "proven work: {claimed} hashes claimed, supported by {shown} shares ({:.0} expected){cut}",
            proven.expected_shares,
        ))
    }
}
