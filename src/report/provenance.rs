//! Provenance of joules in words, shown as the explanation of a figure.

use super::view::View;
use crate::energy::{Finding, Quantity, Scope, SourceInfo, Stated};
use crate::results::{Energy, Manifest, Measured, Origin, Source};
use crate::units::{Joules, Provenance, Seconds, Watts, grouped, significant};

/// A provenance in one or two words.
pub fn short(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Measured => "measured",
        Provenance::MeasuredCounter => "measured (counter)",
        Provenance::MeasuredSampled => "measured (sampled)",
        Provenance::Published => "published",
        Provenance::Declared => "declared",
        Provenance::Modelled => "modelled",
        Provenance::None => "none",
    }
}

/// The provenance of a row's joules, in sentences; secondary energy sources come last.
pub(super) fn sentences(view: View) -> String {
    let mut all = vec![describe(view, &view.figures.energy)];
    let others = view.figures.energy_other.iter();
    all.extend(others.map(|energy| format!("Besides: {}", describe(view, energy))));
    all.join(" ")
}

fn describe(view: View, energy: &Energy) -> String {
    let manifest = view.manifest();
    let source = energy.source.and_then(|place| manifest.source(place));
    if let Some(why) = no_joules(view, energy) {
        return format!("No joules: {}.", why.trim_end_matches('.'));
    }
    match source {
        Some(Source {
            origin: Origin::Stated(Stated::Declared { power, scope }),
            workload,
            ..
        }) => {
            let whose =
                if workload.is_some() { "for this workload" } else { "once for all workloads" };
            format!(
                "Declared: a user typed {power} {whose}; scope {}. The interval is of the speed alone.",
                scope.name()
            )
        }
        Some(Source {
            origin: Origin::Stated(Stated::Modelled { low, high, scope, basis }),
            ..
        }) => {
            format!(
                "Modelled: no meter was read. Between {low} and {high}; scope {}. {}.",
                scope.name(),
                sentence(basis)
            )
        }
        Some(Source { origin: Origin::Meter(info), .. }) => match &energy.measured {
            Some(figures) => measured(view, info, energy, figures) + &idle_gpus(view, info.scope),
            None => String::new(),
        },
        None => String::new(),
    }
}

/// Why a row has no joules from a source; `None` if it has.
pub(super) fn no_joules(view: View, energy: &Energy) -> Option<String> {
    if energy.joules_per_unit.is_some() {
        return None;
    }
    let source = energy.source.and_then(|place| view.manifest().source(place));
    let kind = source.map_or("a source", |source| source.name());
    Some(match (&energy.no_figure, &view.row.no_source) {
        (Some(why), _) => {
            let readings = view.row.readings.iter().find(|r| Some(r.source) == energy.source);
            let last = readings.and_then(|readings| readings.last_error.as_deref());
            let last = last.map(|error| format!("; it said last: {error}")).unwrap_or_default();
            format!("{kind}: {why}{last}")
        }
        (None, Some(why)) => why.clone(),
        (None, None) => "nothing was measured".into(),
    })
}

/// What a meter reads, in words.
pub(super) fn reads(quantity: &Quantity) -> String {
    match quantity {
        Quantity::Counter { .. } => "a counter of joules".to_string(),
        Quantity::Power { averaging: Seconds(0.0) } => "readings of watts".to_string(),
        Quantity::Power { averaging } => {
            format!("readings of watts, each the mean of {averaging}")
        }
    }
}

/// Model, readings and accuracy of a source, in a sentence.
pub(super) fn basis(source: &Source) -> String {
    match &source.origin {
        Origin::Meter(info) => {
            let period = info.update_period.map(|p| format!(", updated every {p}"));
            format!(
                "{}: {}{}, ±{} % ({}: {})",
                info.model,
                reads(&info.quantity),
                period.unwrap_or_default(),
                significant(100.0 * info.accuracy.share),
                info.accuracy.basis.name(),
                info.accuracy.reference
            )
        }
        Origin::Stated(Stated::Declared { power, .. }) => {
            format!("{} W typed by the user", power.0)
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
        "Measured by {} ({}), {}; scope {}: {includes}, without {excludes}. {} readings cover {} % of the time. Off by up to ±{} % ({}: {}).",
        meter.kind,
        meter.model,
        reads(&meter.quantity),
        meter.scope.name(),
        grouped(total.samples as u128),
        significant(100.0 * total.coverage),
        significant(100.0 * meter.accuracy.share),
        meter.accuracy.basis.name(),
        meter.accuracy.reference,
    );
    out += &format!(" Gross {}", total.gross);
    let baselines = &view.document.evidence.baselines;
    let idle = baselines.iter().find(|baseline| Some(baseline.source) == energy.source);
    match (idle, energy.net_joules) {
        (Some(baseline), Some(net)) => {
            let idle = Watts(baseline.idle.power.0);
            out += &format!("; above idle ({idle}): {}.", Joules(net));
        }
        _ => out += "; idle power was not measured.",
    }
    for line in disagreements(view.manifest(), energy, figures) {
        out += &format!(" {}.", sentence(&line));
    }
    out
}

/// Cross-checks in which a source disagrees with others.
pub(super) fn disagreements(
    manifest: &Manifest,
    energy: &Energy,
    figures: &Measured,
) -> Vec<String> {
    let name = |place: Option<usize>| {
        place.and_then(|place| manifest.source(place)).map_or("a source", |source| source.name())
    };
    let scope = |place: usize| manifest.source(place).map_or("it", |source| source.scope().name());
    let checks = figures.cross_checks.iter();
    checks
        .filter_map(|check| {
            let (own, other) = (name(energy.source), name(Some(check.with)));
            Some(match check.finding? {
                Finding::Differ => format!(
                    "{own} and {other} both cover {} and differ by a factor of {:.2}",
                    scope(check.with),
                    check.ratio.max(1.0 / check.ratio)
                ),
                Finding::ExceedsEnclosingScope => format!(
                    "{own} shows {:.2} times what {other} shows of {}, of which it is a part",
                    check.ratio,
                    scope(check.with)
                ),
                Finding::BelowNestedScope => format!(
                    "{other} shows {:.2} times what {own} shows, of which it is a part",
                    1.0 / check.ratio
                ),
            })
        })
        .collect()
}

/// A remark on idle GPUs that are included in a figure of the whole machine.
fn idle_gpus(view: View, scope: Scope) -> String {
    let busy = usize::from(!view.class().runs_on_cpu());
    let idle = view.manifest().host.gpus.saturating_sub(busy);
    let whole = matches!(scope, Scope::Machine | Scope::Wall);
    match idle {
        0 => String::new(),
        _ if !whole => String::new(),
        1 => " It includes 1 GPU that idles.".into(),
        many => format!(" It includes {many} GPUs that idle."),
    }
}

/// Capitalised, without a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}
