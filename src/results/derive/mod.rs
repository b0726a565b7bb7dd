//! Derives figures from evidence by one version of the rules. Pure: the run that writes a document and everyone who reads it get the same
//! figures.

mod across;
mod energy;

use super::derived::{Derived, Percentiles, Proven, RowFigures, RunVerdict, Verdict};
use super::document::{Evidence, Outcome, Row};
use super::newer::OrNewer;
use super::reason::{Reason, RunReason};
use super::rules::Rules;
use crate::energy::Throttle;
use crate::measure::{Latency, Telemetry, Windows, stats};
use crate::units::{Interval, Method, Provenance};
use crate::workload::Proof;
use crate::workload::sha256d::Shares;
use strum::VariantArray;

/// Derives figures from evidence. Rows of a newer version have none.
pub fn derive(evidence: &Evidence, rules: &Rules) -> Derived {
    let figures = |row: &OrNewer<Row>| {
        row.known().map_or_else(RowFigures::default, |row| of_row(evidence, row, rules))
    };
    let mut figures: Vec<RowFigures> = evidence.rows.iter().map(figures).collect();
    across::add_cross_row_figures(evidence, &mut figures);
    for row in figures.iter_mut().filter(|row| !row.reasons.is_empty()) {
        row.verdict = Verdict::Invalid;
    }
    let run = run(evidence, &figures);
    Derived { rows: figures.into_iter().map(OrNewer::Known).collect(), run }
}

fn run(evidence: &Evidence, figures: &[RowFigures]) -> RunVerdict {
    let manifest = &evidence.manifest;
    let is_invalid = |i: &usize| figures[*i].verdict == Verdict::Invalid;
    let rows: Vec<usize> = (0..figures.len()).filter(is_invalid).collect();
    let invalid = (!rows.is_empty()).then_some(RunReason::InvalidRows { rows });
    let busy = evidence.run.began_busy.then_some(RunReason::BeganBusy);
    let measured = evidence.known_rows().any(|row| row.outcome == Outcome::Measured);
    let (rows, of) = (evidence.rows.len(), manifest.devices.len() * manifest.workloads.len());
    let unfinished = match evidence.run.finished_at {
        None if measured => Some(RunReason::Unfinished { rows, of }),
        None => Some(RunReason::NoRow),
        Some(_) => None,
    };
    let verdict = match (&unfinished, &invalid, &busy) {
        (Some(RunReason::NoRow), ..) => Verdict::Incomplete,
        (None, None, None) => Verdict::Valid,
        _ => Verdict::Invalid,
    };
    let reasons = busy.into_iter().chain(invalid).chain(unfinished);
    RunVerdict { verdict, reasons: reasons.map(OrNewer::Known).collect() }
}

fn of_row(evidence: &Evidence, row: &Row, rules: &Rules) -> RowFigures {
    let mut figures = RowFigures::default();
    if let Outcome::Failed(_) | Outcome::Crashed(_) = row.outcome {
        figures.reasons.push(Reason::Failed);
    }
    let (Outcome::Measured, Some(windows)) = (&row.outcome, &row.windows) else { return figures };
    if windows.check().is_err() || windows.is_empty() {
        return figures;
    }
    let rates = windows.rates();
    figures.throughput = throughput(&rates);
    if let Some(Proof::Shares(shares)) = &row.proof {
        figures.proven = Some(proven(windows, shares, rules));
    }
    // Joules count the hashes that are shown; so does the rate, which as a median could claim more than all windows have.
    let counted = (figures.proven.as_ref()).map_or(1.0, |p| p.counted_hashes / p.claimed_hashes);
    if let (Some(proven), Some(rate)) = (&figures.proven, figures.throughput) {
        let most = supported(proven, rules) / windows.seconds().0;
        figures.throughput = Some(rate * (most / rate.middle()).min(1.0));
    }
    let telemetry =
        row.telemetry.as_ref().filter(|telemetry| telemetry.has_length(windows.samples()));
    figures.disturbed_windows =
        disturbed(windows, telemetry, evidence.manifest.host.threads as f64, rules);
    figures.outlier_windows = stats::outliers(&rates, rules.outlier);
    figures.drift = drift(windows, &rates);
    figures.latency = row.latency.as_ref().map(percentiles);
    if counted > 0.0 {
        energy::fill(&mut figures, evidence, row, windows, counted, rules);
    }
    figures.reasons.extend(reasons(evidence, row, windows, telemetry, &figures, rules));
    figures
}

/// Why a measured row is invalid, except for its energy and ceilings.
fn reasons(
    evidence: &Evidence,
    row: &Row,
    windows: &Windows,
    telemetry: Option<&Telemetry>,
    figures: &RowFigures,
    rules: &Rules,
) -> Vec<Reason> {
    let protocol = &evidence.manifest.protocol;
    let (done, of) = (windows.len(), protocol.blocks.saturating_mul(protocol.windows));
    let wrong = row.verification.as_ref().map_or(0, |v| v.wrong_windows.len());
    let steady = &windows.blocks.warm_up_steady;
    let unsteady = steady.iter().filter(|steady| !**steady).count();
    let disturbed = figures.disturbed_windows.len();
    let drift = figures.drift.filter(|drift| drift.low > 0.0 || drift.high < 0.0);
    let change = drift.and_then(|drift| drift.value).filter(|change| change.abs() > rules.drift);
    let mut reasons = Vec::new();
    reasons.extend((done < of).then_some(Reason::Interrupted { windows: done, of }));
    reasons.extend((wrong > 0).then_some(Reason::WrongOutput { windows: wrong }));
    reasons.extend(telemetry.into_iter().flat_map(throttled));
    let not_warm = unsteady > 0 && protocol.warm_up_required;
    reasons.extend(not_warm.then_some(Reason::NotWarm { blocks: unsteady, of: steady.len() }));
    let is_disturbed = disturbed as f64 > rules.disturbed * done as f64;
    reasons.extend(is_disturbed.then_some(Reason::Disturbed { windows: disturbed, of: done }));
    reasons.extend(change.map(|change| Reason::Drift { change }));
    reasons
}

/// The median over windows, with its interval.
fn throughput(rates: &[f64]) -> Option<Interval> {
    let estimate = stats::median_interval(rates)?;
    let ends = estimate.ci95.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    Some(Interval::new(estimate.value, ends, Provenance::Measured, Method::OrderStatistics))
}

/// Hashes proven by shares. The confidence bounds of a Poisson mean are quantiles of the gamma distribution.
pub(super) fn proven(windows: &Windows, shares: &Shares, rules: &Rules) -> Proven {
    use statrs::distribution::{ContinuousCDF, Gamma};
    let n = shares.shares.len();
    let bound = |shape: usize, p| Gamma::new(shape as f64, 1.0).map_or(0.0, |g| g.inverse_cdf(p));
    // Without shares, an impossible target would give NaN.
    let hashes = |shares_of: f64| if n > 0 { shares_of * shares.hashes_per_share() } else { 0.0 };
    let (least_hashes, most_hashes) = (hashes(bound(n, 0.025)), hashes(bound(n + 1, 0.975)));
    let claimed_hashes = windows.total_work() as f64;
    let mut proven = Proven {
        claimed_hashes,
        least_hashes,
        most_hashes,
        counted_hashes: claimed_hashes,
        expected_shares: shares.expected(),
        shares: n,
    };
    proven.counted_hashes = claimed_hashes.min(supported(&proven, rules));
    proven
}

/// The most hashes that the shares support: the upper end of the confidence interval, or the lower end if too few are expected.
fn supported(proven: &Proven, rules: &Rules) -> f64 {
    let too_few = proven.expected_shares < rules.min_expected_shares;
    if too_few { proven.least_hashes } else { proven.most_hashes }
}

/// Windows disturbed by other processes. Some show in the CPU use of the whole machine. CPU time that a hypervisor steals shows only in the
/// CPU time of this process, which is nearly all of it if the row computes on the CPU.
fn disturbed(
    windows: &Windows,
    telemetry: Option<&Telemetry>,
    threads: f64,
    rules: &Rules,
) -> Vec<usize> {
    let cores: Vec<f64> = windows.iter().map(|w| w.cpu.0 / w.wall.0).collect();
    let usual = stats::median(&cores).unwrap_or(0.0);
    let computes = usual > rules.computes * threads;
    let samples = windows.samples_at_ends();
    let is_disturbed = |i: &usize| {
        let all = telemetry.and_then(|telemetry| telemetry.cpu_use_at(samples[*i]));
        let others = all.map_or(0.0, |all| all - cores[*i] / threads);
        others > rules.others || (computes && cores[*i] < rules.min_own_cpu * usual)
    };
    (0..windows.len()).filter(is_disturbed).collect()
}

fn drift(windows: &Windows, rates: &[f64]) -> Option<Interval> {
    let middle = |s: &crate::energy::TimeSpan| (s.from.0 + s.to.0) / 2.0;
    let middles: Vec<f64> = windows.stretches().iter().map(middle).collect();
    let slope = stats::theil_sen(&middles, rates)?;
    let (low, high) = slope.ci95?;
    let per = (middles.last()? - middles.first()?) / stats::median(rates)?;
    let ends = (low * per, high * per);
    Some(Interval::new(slope.value * per, ends, Provenance::Measured, Method::TheilSen))
}

fn percentiles(latency: &Latency) -> Percentiles {
    let at = |p| latency.percentile(p).map(|s| s.0);
    Percentiles {
        n: latency.count(),
        p50_seconds: at(0.5),
        p90_seconds: at(0.9),
        p99_seconds: at(0.99),
        p999_seconds: at(0.999),
    }
}

/// Throttle reasons that invalidate figures.
fn throttled(telemetry: &Telemetry) -> Vec<Reason> {
    let Some(board) = &telemetry.board else { return Vec::new() };
    let total = telemetry.samples;
    // A constant column has one entry for all samples.
    let samples_per_entry = if board.throttle.len() == 1 { total } else { 1 };
    let reason = |throttle: Throttle| {
        let entries = board.throttle.iter().flatten().filter(|seen| seen.contains(&throttle));
        let samples = entries.count() * samples_per_entry;
        (samples > 0).then_some(Reason::Throttled { throttle, samples, of: total })
    };
    let invalidating = Throttle::VARIANTS.iter().copied().filter(|cause| cause.invalidates());
    invalidating.filter_map(reason).collect()
}
