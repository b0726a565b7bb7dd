//! Energy sources of every kind beside each other: whatever they read, a second derivation gives the same.

use super::BASE;
use proptest::prelude::*;
use rigbench::device::{Device, DeviceId};
use rigbench::energy::{
    self, Accuracy, Basis, Idle, MeterKind, Quantity, Scope, SourceInfo, Stated, Throttle,
};
use rigbench::measure::{BoardTelemetry, Latency, Windows, window_share};
use rigbench::results::{
    self, Baseline, Depth, Document, Energy, Evidence, OrNewer, Origin, Row, Rules, Source, read,
};
use rigbench::units::{Joules, Provenance, Seconds, Watts};
use rigbench::workload::Id;
use strum::VariantArray;

/// A source of a made-up run.
#[derive(Clone, Debug)]
struct Made {
    kind: Kind,
    scope: Scope,
    /// What it shows under load.
    watts: f64,
    poll: f64,
    readings: Readings,
    baseline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    NvmlCounter,
    NvmlInstant,
    NvmlMean,
    Hwmon,
    Rapl,
    ShellyCounter,
    Shelly,
    Tasmota,
    Command,
    Declared,
    DeclaredForAll,
    /// Of another workload, so that it says nothing here.
    DeclaredForAnother,
    Modelled,
    /// A meter of another device.
    Elsewhere,
}

const KINDS: [Kind; 14] = [
    Kind::NvmlCounter,
    Kind::NvmlInstant,
    Kind::NvmlMean,
    Kind::Hwmon,
    Kind::Rapl,
    Kind::ShellyCounter,
    Kind::Shelly,
    Kind::Tasmota,
    Kind::Command,
    Kind::Declared,
    Kind::DeclaredForAll,
    Kind::DeclaredForAnother,
    Kind::Modelled,
    Kind::Elsewhere,
];

/// How well a meter does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Readings {
    Good,
    /// One value, whatever runs.
    Stuck,
    /// Nothing before the second half.
    Late,
    /// Every tenth is absurd.
    Garbage,
    /// Two in all.
    Two,
    None,
}

const READINGS: [Readings; 8] = [
    Readings::Good,
    Readings::Good,
    Readings::Good,
    Readings::Stuck,
    Readings::Late,
    Readings::Garbage,
    Readings::Two,
    Readings::None,
];

impl Made {
    /// What the meter says of itself; nothing for what is not read.
    fn info(&self) -> Option<SourceInfo> {
        let counter = |ranges| Quantity::Counter { ranges, duty: 1.0 };
        let power = |seconds| Quantity::Power { averaging: Seconds(seconds) };
        let range = Some(Joules(262_143.328_85));
        let (kind, quantity, accuracy) = match self.kind {
            Kind::NvmlCounter | Kind::Elsewhere => (MeterKind::Nvml, counter(vec![None]), 0.05),
            Kind::NvmlInstant => (MeterKind::Nvml, power(0.0), 0.05),
            Kind::NvmlMean => (MeterKind::Nvml, power(1.0), 0.05),
            Kind::Hwmon => (MeterKind::Hwmon, power(0.0), 0.1),
            Kind::Rapl => (MeterKind::Rapl, counter(vec![range, range]), 0.03),
            Kind::ShellyCounter => (MeterKind::Shelly, counter(vec![None]), 0.01),
            Kind::Shelly => (MeterKind::Shelly, power(0.0), 0.01),
            Kind::Tasmota => (MeterKind::Tasmota, power(0.0), 0.02),
            Kind::Command => (MeterKind::Command, power(0.0), 0.05),
            Kind::Declared | Kind::DeclaredForAll | Kind::DeclaredForAnother | Kind::Modelled => {
                return None;
            }
        };
        Some(SourceInfo {
            kind,
            model: "made up".into(),
            driver: None,
            scope: self.scope,
            quantity,
            update_period: None,
            poll: Seconds(self.poll),
            ceiling: Watts(2000.0),
            accuracy: Accuracy {
                share: accuracy,
                basis: Basis::Assumed,
                reference: "made up for a test".into(),
            },
        })
    }

    /// The source as the manifest names it.
    fn source(&self) -> Source {
        let (power, scope) = (Watts(self.watts), self.scope);
        let stated = || match self.kind {
            Kind::Modelled => Stated::Modelled {
                low: Watts(0.5 * self.watts),
                high: power,
                scope,
                basis: "made up for a test".into(),
            },
            _ => Stated::Declared { power, scope },
        };
        Source {
            devices: vec![match self.kind {
                Kind::Elsewhere => DeviceId::Gpu(0),
                _ => Device::cpu().id,
            }],
            workload: match self.kind {
                Kind::Declared => Some(Id::Peak),
                Kind::DeclaredForAnother => Some(Id::Gemm),
                _ => None,
            },
            origin: self.info().map_or_else(|| Origin::Stated(stated()), Origin::Meter),
        }
    }

    /// What it said around the row's blocks, if it is read there.
    fn said(&self, place: usize, windows: &Windows) -> Option<energy::Readings> {
        let info = self.info().filter(|_| self.kind != Kind::Elsewhere)?;
        let counter = matches!(info.quantity, Quantity::Counter { .. });
        let domains = info.quantity.domains();
        let readings = self.readings(domains, counter, windows);
        Some(energy::Readings {
            source: place,
            at_seconds: readings.iter().map(|(at, _)| *at).collect(),
            took_seconds: vec![0.001; readings.len()],
            values: (0..domains)
                .map(|domain| readings.iter().map(|(_, values)| values[domain]).collect())
                .collect(),
            failed_reads: 0,
            last_error: None,
            sampler_core_share: 0.001,
        })
    }

    /// What it read at idle.
    fn idle(&self, place: usize) -> Option<Baseline> {
        self.info().filter(|_| self.baseline)?;
        let (power, half_width) = (Watts(0.3 * self.watts), Watts(0.1));
        let idle = Idle { power, half_width, seconds: Seconds(2.0), again: false };
        Some(Baseline { source: place, idle })
    }

    /// Readings around the row's blocks, with their moments.
    fn readings(&self, domains: usize, counter: bool, windows: &Windows) -> Vec<(f64, Vec<f64>)> {
        let steps = windows.steps();
        let (begin, end) = (steps[0].idle_from.0, steps[steps.len() - 1].measured.to.0);
        let (mut all, mut joules, mut at) = (Vec::new(), 1000.0, begin - 3.0);
        while at < end + 3.0 {
            let works = steps.iter().any(|s| (s.load_from.0..s.measured.to.0).contains(&at));
            let ripple = 1.0 + 0.03 * (7.0 * at).sin() + 0.01 * (31.0 * at).sin();
            let watts = match (self.readings, works) {
                (Readings::Stuck, _) => self.watts,
                (_, true) => self.watts * ripple,
                (_, false) => 0.3 * self.watts * ripple,
            };
            joules += watts * self.poll;
            let value = if counter { joules / domains as f64 } else { watts };
            all.push((at, vec![value; domains]));
            at += self.poll;
        }
        match self.readings {
            Readings::Good => {}
            Readings::Stuck if counter => all.iter_mut().for_each(|(_, values)| values.fill(9.0)),
            Readings::Stuck => {}
            Readings::Late => all.retain(|(at, _)| *at > 0.5 * (begin + end)),
            Readings::Garbage => {
                all.iter_mut().step_by(10).for_each(|(_, values)| values.fill(4_294_967_295.0));
            }
            Readings::Two => all.truncate(2),
            Readings::None => all.clear(),
        }
        all
    }
}

/// Windows of the row, at least.
const WINDOWS: usize = 20;

/// A row that nothing but its windows proves, in blocks of these lengths with these gaps between them.
fn row(new_block: &[bool], gaps: &[f64]) -> Row {
    let (of_peak, _) =
        BASE.document.rows().find(|(row, _)| row.workload.id == Id::Peak).expect("it was run");
    let mut row = of_peak.clone();
    let windows = row.windows.as_mut().unwrap();
    // Enough for a slow meter.
    let (rate, cpu) = (windows.rates()[0], windows.cpu_seconds[0] / windows.wall_seconds[0]);
    let mean = BASE.document.evidence.manifest.protocol.window_seconds;
    for number in windows.len()..WINDOWS {
        let wall = 1.01 * mean * window_share(number);
        windows.wall_seconds.push(wall);
        windows.cpu_seconds.push(cpu * wall);
        windows.work.push((rate * wall) as u64);
    }
    let mut batches = Latency::default();
    windows.wall_seconds.iter().for_each(|wall| batches.record(Seconds(*wall)));
    row.latency = Some(batches);
    let mut blocks = vec![0];
    let mut at = 10.0;
    let mut begins = vec![at];
    for (i, wall) in windows.wall_seconds.iter().enumerate() {
        if i > 0 && new_block[i % new_block.len()] {
            blocks.push(0);
            at += gaps[i % gaps.len()];
            begins.push(at);
        }
        *blocks.last_mut().unwrap() += 1;
        at += wall;
    }
    // Long enough for a mean of a second to show it, and short of what a gap has room for.
    let rest = |i: usize| if i == 0 { 2.5 } else { 0.2 };
    let of = &mut windows.blocks;
    of.measured_from_seconds = begins.clone();
    of.load_from_seconds = begins.iter().map(|begin| begin - 0.2).collect();
    let idle = of.load_from_seconds.iter().enumerate();
    of.idle_from_seconds = idle.map(|(i, load)| load - rest(i)).collect();
    of.warm_up_steady = vec![true; blocks.len()];
    of.windows = blocks;
    let samples = windows.samples();
    let telemetry = row.telemetry.as_mut().unwrap();
    telemetry.samples = samples;
    (telemetry.cpu_use, telemetry.cpu_hertz, telemetry.gpu_use) = Default::default();
    telemetry.celsius.clear();
    telemetry.board = Some(BoardTelemetry {
        celsius: vec![Some(60.0); samples],
        core_hertz: vec![None; samples],
        memory_hertz: vec![None; samples],
        power_limit_watts: vec![Some(300.0); samples],
        throttle: vec![Some(vec![Throttle::PowerCap]); samples],
    });
    row.condition.power_limit_watts = Some(300.0);
    row
}

/// A run of one row with these sources, as rigbench writes it.
fn document(sources: &[Made], mut row: Row) -> Document {
    let mut evidence = BASE.document.evidence.clone();
    evidence.run.finished_at = None;
    evidence.manifest.sources =
        sources.iter().map(|source| OrNewer::Known(source.source())).collect();
    let places = || sources.iter().enumerate();
    let windows = row.windows.as_ref().unwrap();
    row.readings = places().filter_map(|(place, made)| made.said(place, windows)).collect();
    evidence.baselines = places().filter_map(|(place, made)| made.idle(place)).collect();
    let covered = evidence.sources_of(&row).next().is_some();
    row.no_source = (!covered).then(|| "--power none was asked for".into());
    evidence.rows = vec![row.into()];
    Document::of(evidence)
}

/// What `rigbench validate` finds wrong with a document, and its evidence as it was read.
fn judged(document: &Document) -> (Vec<String>, Evidence) {
    let given =
        read::read(results::text(document).as_bytes()).unwrap_or_else(|why| panic!("{why}"));
    (results::validate(&given, Depth::Quick).faults, given.evidence)
}

/// The row is the processor's: what is found wrong with sources that have a board's scope, and nothing else may be.
fn of_boards(document: &Document) -> Vec<String> {
    let sources = document.evidence.manifest.sources.iter().enumerate();
    let of_board = |source: &Source| {
        source.scope() == Scope::GpuBoard && source.devices.contains(&DeviceId::Cpu)
    };
    sources
        .filter(|(_, source)| source.known().is_some_and(of_board))
        .map(|(i, _)| format!("evidence.manifest.sources[{i}]: cpu has no gpu-board"))
        .collect()
}

fn source() -> impl Strategy<Value = Made> {
    let kind = prop::sample::select(KINDS.to_vec());
    let scope = prop::sample::select(Scope::VARIANTS.to_vec());
    // Sources that agree, that differ, and that contradict each other.
    let watts = prop::sample::select(vec![100.0, 100.0, 101.0, 103.0, 120.0, 320.0]);
    let readings = prop::sample::select(READINGS.to_vec());
    (kind, scope, watts, 0.05..0.4, readings, any::<bool>()).prop_map(
        |(kind, scope, watts, poll, readings, baseline)| Made {
            kind,
            scope,
            watts,
            poll,
            readings,
            baseline,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_sources_in_any_order_derive_the_same_twice_and_are_consistent(
        sources in prop::collection::vec(source(), 0..=6),
        new_block in prop::collection::vec(prop::bool::weighted(0.3), WINDOWS),
        gaps in prop::collection::vec(0.5..35.0, WINDOWS),
    ) {
        let once = document(&sources, row(&new_block, &gaps));
        let rules = Rules::current();
        prop_assert_eq!(&once.derived, &results::derive(&once.evidence, rules));
        let (faults, evidence) = judged(&once);
        prop_assert_eq!(faults, of_boards(&once));
        prop_assert_eq!(&once.derived, &results::derive(&evidence, rules));
        // Every source that covers the row has its place among its figures, the headline first.
        let (row, figures) = once.rows().next().unwrap();
        let mut places: Vec<usize> = figures.energies().filter_map(|energy| energy.source).collect();
        let headline = figures.energy.provenance();
        let weaker = |energy: &Energy| {
            let (own, first) = (energy.provenance(), headline);
            own >= first || (own.is_measured() && first.is_measured())
        };
        prop_assert!(figures.energies().all(weaker));
        places.sort_unstable();
        prop_assert_eq!(places, once.evidence.sources_of(row).map(|(i, _)| i).collect::<Vec<_>>());
        // What is only modelled has ends and no value, and no other figure lacks one.
        for energy in figures.energies() {
            if let Some(joules) = energy.joules_per_unit {
                let modelled = joules.provenance == Provenance::Modelled;
                prop_assert_eq!(joules.value.is_none(), modelled);
            }
        }
    }
}

/// A card's counter, its power of an instant and its mean power, all right. Whichever was found first, the file is consistent.
#[test]
fn three_sources_of_one_card_that_agree_are_consistent_in_any_order() {
    let source = |kind| Made {
        kind,
        scope: Scope::GpuBoard,
        watts: 250.0,
        poll: 0.1,
        readings: Readings::Good,
        baseline: true,
    };
    let [counter, instant, mean] =
        [Kind::NvmlCounter, Kind::NvmlInstant, Kind::NvmlMean].map(source);
    let orders = [
        [&counter, &instant, &mean],
        [&counter, &mean, &instant],
        [&instant, &counter, &mean],
        [&instant, &mean, &counter],
        [&mean, &counter, &instant],
        [&mean, &instant, &counter],
    ];
    for order in orders {
        let in_two: [bool; WINDOWS] = std::array::from_fn(|window| window == WINDOWS / 2);
        let document = document(&order.map(Made::clone), row(&in_two, &[1.5]));
        let (faults, _) = judged(&document);
        assert_eq!(faults, of_boards(&document), "{:?}", order.map(|made| made.kind));
        let (_, figures) = document.rows().next().unwrap();
        assert_eq!(figures.energies().count(), 3);
        for energy in figures.energies() {
            let Some(measured) = &energy.measured else { panic!("{energy:?}") };
            let checks = &measured.cross_checks;
            assert_eq!(checks.len(), 2, "each is held against the two others");
            assert!(checks.iter().all(|check| (0.97..1.03).contains(&check.ratio)));
        }
    }
}
