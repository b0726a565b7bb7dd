//! Figures derived from evidence: medians with intervals, joules, shares of roofline ceilings, verdicts. All of it can be recomputed.

use super::newer::OrNewer;
use super::reason::{Reason, RunReason};
use crate::energy::{CrossCheck, Integral, NoFigure, Response, Scope};
use crate::units::{Interval, Provenance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Figures and verdicts derived from the evidence of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Derived {
    /// Figures of the evidence's rows, in the same order.
    #[schemars(with = "Vec<RowFigures>")]
    pub rows: Vec<OrNewer<RowFigures>>,
    /// Verdict on the run as a whole.
    pub run: RunVerdict,
}

/// Whether a run is valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunVerdict {
    /// `incomplete` if the run has not finished and no row was measured; else `invalid` if there is a reason; else `valid`.
    pub verdict: Verdict,
    /// Why it is not valid; empty if it is.
    #[schemars(with = "Vec<RunReason>")]
    pub reasons: Vec<OrNewer<RunReason>>,
}

/// Whether a figure is valid. An invalid figure keeps its measured number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Verdict {
    /// No invalidating condition was found.
    #[default]
    Valid,
    /// The reasons name the invalidating conditions.
    Invalid,
    /// Only for a run: it was interrupted or is under way, and has no figure yet.
    Incomplete,
}

/// The figures of a row.
#[serde_with::apply(Option => #[serde(default, skip_serializing_if = "Option::is_none")])]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowFigures {
    /// Median over windows, in units of work per second; null if nothing was measured.
    pub throughput: Option<Interval>,
    /// Energy according to the best source: the headline.
    pub energy: Energy,
    /// Energy according to the other sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub energy_other: Vec<Energy>,
    /// Percentiles of batch service times; null if nothing was measured.
    pub latency: Option<Percentiles>,
    /// Shares of the device's roofline ceilings; null if the kernel does not multiply or nothing was measured.
    pub ceilings: Option<Ceilings>,
    /// Of a `decode` row: time and energy of a query; null unless the run has the `prefill` row of the same model, type, batch and prompt.
    pub query: Option<QueryFigures>,
    /// Hashes proven by shares; null if the row has no shares.
    pub proven: Option<Proven>,
    /// Change of the rate from the first window to the last as a share of the median, by the Theil-Sen slope; null with fewer than six
    /// windows.
    pub drift: Option<Interval>,
    /// Windows, from 0, in which other processes used over 10 % of the CPU, or this process got less than 90 % of its usual CPU time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed_windows: Vec<usize>,
    /// Windows, from 0, whose rate is an outlier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlier_windows: Vec<usize>,
    /// Whether the row is valid.
    pub verdict: Verdict,
    /// Why it is invalid; empty if it is valid.
    pub reasons: Vec<Reason>,
}

/// Energy of a row according to one source.
#[serde_with::apply(Option => #[serde(default, skip_serializing_if = "Option::is_none")])]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// Index of the source in the manifest; null if none covers the row.
    pub source: Option<usize>,
    /// Scope of the source; null if none covers the row.
    pub scope: Option<Scope>,
    /// Gross joules per unit of work, idle power included: the energy of the blocks with a figure divided by their work; null without a
    /// figure. A modelled figure has ends and no value.
    pub joules_per_unit: Option<Interval>,
    /// Mean power over the windows of these blocks; null without a figure.
    pub power_watts: Option<Interval>,
    /// Gross joules minus the source's idle power over the same time; null without a baseline.
    pub net_joules: Option<f64>,
    /// Details of a metered figure; null if there is none.
    pub measured: Option<Measured>,
    /// Why a source that was read has no figure; null if it has one.
    pub no_figure: Option<NoFigure>,
}

/// Details of a metered figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Sum of all blocks with a figure.
    pub total: Integral,
    /// Gross joules of each block's windows; null for a block without a figure.
    pub blocks_gross_joules: Vec<Option<f64>>,
    /// Response of the source to the steps from idle to load.
    pub response: Response,
    /// Cross-checks of this source against the others.
    pub cross_checks: Vec<CrossCheck>,
}

/// Percentiles of batch service times: from the later of a batch's submission and the end of the previous batch to its own end.
#[serde_with::apply(Option => #[serde(default, skip_serializing_if = "Option::is_none")])]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// Number of batches.
    pub n: u64,
    /// Median; null with fewer than 20 batches.
    pub p50_seconds: Option<f64>,
    /// 90th percentile; null with fewer than 100 batches.
    pub p90_seconds: Option<f64>,
    /// 99th percentile; null with fewer than 1,000 batches.
    pub p99_seconds: Option<f64>,
    /// 99.9th percentile; null with fewer than 10,000 batches.
    pub p999_seconds: Option<f64>,
}

/// Roofline: a row's shares of the peak compute and memory bandwidth that rows of the same run measured on its device.
#[serde_with::apply(Option => #[serde(default, skip_serializing_if = "Option::is_none")])]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceilings {
    /// Arithmetic of the multiplication.
    pub arithmetic: String,
    /// Operations per second as a share of `peak` in this arithmetic; null if that was not measured.
    pub peak_share: Option<f64>,
    /// Minimum memory traffic in bytes per second as a share of `stream`; null if that was not measured.
    pub stream_share: Option<f64>,
}

/// Time and energy of a query, a prompt and its answer, as part of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueryFigures {
    /// Prompt length in tokens.
    pub prompt_tokens: u64,
    /// Answer length in tokens.
    pub answer_tokens: u64,
    /// Time to first token.
    pub first_token_seconds: f64,
    /// Time to the last token.
    pub seconds: f64,
    /// Joules per query; null unless the figures of both rows have the same scope and provenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joules: Option<Interval>,
}

/// Hashes proven by a row's shares, whose number is Poisson-distributed: confidence bounds for the hashes computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proven {
    /// Hashes claimed by the windows.
    pub claimed_hashes: f64,
    /// Lower end of the 95 % confidence interval of the hashes computed.
    pub least_hashes: f64,
    /// Upper end of the 95 % confidence interval of the hashes computed.
    pub most_hashes: f64,
    /// Hashes counted for joules: the claim, but at most the upper end of the interval, or at most the lower end if fewer than 400 shares
    /// are expected. Throughput is cut to the same end over the time of all windows.
    pub counted_hashes: f64,
    /// Number of shares expected from the claim.
    pub expected_shares: f64,
    /// Number of shares shown.
    pub shares: usize,
}

impl Proven {
    /// Whether fewer hashes are counted than claimed.
    pub fn is_cut(&self) -> bool {
        self.counted_hashes < self.claimed_hashes
    }
}

impl RowFigures {
    /// The energy according to every source, the headline first.
    pub fn energies(&self) -> impl Iterator<Item = &Energy> {
        std::iter::once(&self.energy).chain(&self.energy_other)
    }

    /// Why it is invalid, in words.
    pub fn reasons_in_words(&self) -> String {
        self.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl Energy {
    /// Provenance of its joules.
    pub fn provenance(&self) -> Provenance {
        self.joules_per_unit.map_or(Provenance::None, |joules| joules.provenance)
    }
}
