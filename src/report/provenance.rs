//! Provenance of joules in words, shown as the explanation of a figure.

use crate::energy::{Accuracy, Finding, Quantity, Scope, SourceInfo, Stated};
use crate::results::{Energy, Manifest, Measured, Origin, Source, View};
use crate::units::{Joules, Provenance, Seconds, grouped, significant};

/// A provenance in one or two words.
pub fn short(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::MeasuredCounter => "measured (counter)",
        Provenance::MeasuredSampled => "measured (sampled)",
        other => other.into_str(),
    }
}

/// The provenance of a row's joules, in sentences; secondary energy sources come last.
pub fn sentences(view: View) -> String {
    let mut all = describe(view, &view.figures.energy);
    for energy in &view.figures.energy_other {
        all += &format!(" Besides: {}", describe(view, energy));
    }
    all
}

fn describe(view: View, energy: &Energy) -> String {
    if let Some(why) = no_joules(view, energy) {
        return format!("No joules: {}.", why.trim_end_matches('.'));
    }
    let source = energy.source.and_then(|index| view.manifest().source(index));
    let Some(Source { origin, workload, .. }) = source else { return String::new() };
    match origin {
        Origin::Stated(Stated::Declared { power, scope }) => {
            let whose =
                if workload.is_some() { "for this workload" } else { "once for all workloads" };
            format!(
                "Declared: {power}, stated by the user {whose}; scope {}. The interval covers speed only.",
                scope.into_str()
            )
        }
        Origin::Stated(Stated::Modelled { low, high, scope, basis }) => format!(
            "Modelled: no meter was read. Between {low} and {high}; scope {}. {}.",
            scope.into_str(),
            sentence(basis)
        ),
        Origin::Meter(info) => energy.measured.as_ref().map_or(String::new(), |figures| {
            measured(view, info, energy, figures) + &idle_gpus(view, info.scope)
        }),
    }
}

/// Why a row has no joules from a source; `None` if it has.
pub fn no_joules(view: View, energy: &Energy) -> Option<String> {
    if energy.joules_per_unit.is_some() {
        return None;
    }
    let Some(why) = &energy.no_figure else {
        return Some(view.row.no_source.clone().unwrap_or_else(|| "nothing was measured".into()));
    };
    let readings = view.row.readings.iter().find(|r| Some(r.source) == energy.source);
    let last = readings.and_then(|readings| readings.last_error.as_deref());
    let last = last.map(|error| format!("; its last error: {error}")).unwrap_or_default();
    Some(format!("{}: {why}{last}", name(view.manifest(), energy.source)))
}

/// The name of a source.
fn name(manifest: &Manifest, source: Option<usize>) -> &'static str {
    source.and_then(|index| manifest.source(index)).map_or("a source", Source::name)
}

/// What a meter reads, in words.
pub fn reads(quantity: &Quantity) -> String {
    match quantity {
        Quantity::Counter { .. } => "a counter of joules".into(),
        Quantity::Power { averaging: Seconds(0.0) } => "readings of watts".into(),
        Quantity::Power { averaging } => {
            format!("readings of watts, each the mean of {averaging}")
        }
    }
}

/// What a meter's figures may be off by, and who says so.
fn accuracy(meter: &SourceInfo) -> String {
    let Accuracy { share, basis, reference } = &meter.accuracy;
    format!("±{} % ({}: {reference})", significant(100.0 * share), basis.into_str())
}

/// Model, readings and accuracy of a source, in a sentence.
pub fn basis(source: &Source) -> String {
    match &source.origin {
        Origin::Meter(info) => {
            let period = info.update_period.map(|p| format!(", updated every {p}"));
            let period = period.unwrap_or_default();
            format!("{}: {}{period}, {}", info.model, reads(&info.quantity), accuracy(info))
        }
        Origin::Stated(Stated::Declared { power, .. }) => {
            format!("{} W declared by the user", power.0)
        }
        Origin::Stated(Stated::Modelled { low, high, basis, .. }) => {
            format!("from {} to {} W: {basis}", significant(low.0), significant(high.0))
        }
    }
}

fn measured(view: View, meter: &SourceInfo, energy: &Energy, figures: &Measured) -> String {
    let (includes, excludes) = meter.scope.extent();
    let total = &figures.total;
    let mut out = format!(
        "Measured by {} ({}), {}; scope {}: {includes}, without {excludes}. {} readings cover {} % of the time. Off by up to {}. Gross {}",
        meter.kind,
        meter.model,
        reads(&meter.quantity),
        meter.scope.into_str(),
        grouped(total.samples as u128),
        significant(100.0 * total.coverage),
        accuracy(meter),
        total.gross,
    );
    let idle = energy.source.and_then(|source| view.document.evidence.idle(source));
    out += &match (idle, energy.net_joules) {
        (Some(idle), Some(net)) => format!("; above idle ({}): {}.", idle.power, Joules(net)),
        _ => "; idle power was not measured.".into(),
    };
    for line in disagreements(view.manifest(), energy) {
        out += &format!(" {}.", sentence(&line));
    }
    out
}

/// Cross-checks in which a source disagrees with others.
pub fn disagreements(manifest: &Manifest, energy: &Energy) -> Vec<String> {
    let scope =
        |index: usize| manifest.source(index).map_or("it", |source| source.scope().into_str());
    let checks = energy.measured.iter().flat_map(|figures| &figures.cross_checks);
    checks
        .filter_map(|check| {
            let this = name(manifest, energy.source);
            let (other, scope) = (name(manifest, Some(check.with)), scope(check.with));
            let (ratio, inverse) = (check.ratio, 1.0 / check.ratio);
            Some(match check.finding? {
                Finding::Differ => {
                    let factor = ratio.max(inverse);
                    format!("{this} and {other} both cover {scope} and differ by a factor of {factor:.2}")
                }
                Finding::ExceedsEnclosingScope => format!(
                    "{this} shows {ratio:.2} times what {other} shows of {scope}, of which it is a part"
                ),
                Finding::BelowNestedScope => format!(
                    "{other} shows {inverse:.2} times what {this} shows, of which it is a part"
                ),
            })
        })
        .collect()
}

/// A remark on idle GPUs that are included in a figure of the whole machine.
fn idle_gpus(view: View, scope: Scope) -> String {
    let busy = usize::from(!view.class().runs_on_cpu());
    let whole = matches!(scope, Scope::Machine | Scope::Wall);
    match view.manifest().host.gpus.saturating_sub(busy) {
        1 if whole => " It includes 1 GPU that idles.".into(),
        many if whole && many > 0 => format!(" It includes {many} GPUs that idle."),
        _ => String::new(),
    }
}

/// Capitalised, without a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}
