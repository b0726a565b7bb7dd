//! Energy sources of every kind beside each other: whatever they read, a second derivation gives the same.

use super::BASE;
use proptest::prelude::*;
use rigbench::device::Device;
use rigbench::energy::{Accuracy, Basis, Quantity, Scope, SourceInfo, Stated};
use rigbench::kernels::hex;
use rigbench::results::{self, Depth, read, wire};
use rigbench::units::{Joules, Seconds, Watts};
use serde_json::json;
use wire::{Document, Energy, Measurement};

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
    Modelled,
    Nothing,
}

const KINDS: [Kind; 13] = [
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
    Kind::Modelled,
    Kind::Nothing,
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
            Kind::NvmlCounter => ("nvml", counter(vec![None]), 0.05),
            Kind::NvmlInstant => ("nvml", power(0.0), 0.05),
            Kind::NvmlMean => ("nvml", power(1.0), 0.05),
            Kind::Hwmon => ("hwmon", power(0.0), 0.1),
            Kind::Rapl => ("rapl", counter(vec![range, range]), 0.03),
            Kind::ShellyCounter => ("shelly", counter(vec![None]), 0.01),
            Kind::Shelly => ("shelly", power(0.0), 0.01),
            Kind::Tasmota => ("tasmota", power(0.0), 0.02),
            Kind::Command => ("command", power(0.0), 0.05),
            Kind::Declared | Kind::DeclaredForAll | Kind::Modelled | Kind::Nothing => return None,
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

    /// What is said without a meter.
    fn stated(&self) -> Option<Stated> {
        let (watts, scope) = (Watts(self.watts), self.scope);
        match self.kind {
            Kind::Declared => Some(Stated::Declared { watts, scope, own: true }),
            Kind::DeclaredForAll => Some(Stated::Declared { watts, scope, own: false }),
            Kind::Modelled => Some(Stated::Modelled {
                low: Watts(0.5 * self.watts),
                high: watts,
                scope,
                basis: "made up for a test".into(),
            }),
            _ => None,
        }
    }

    /// The source as the manifest names it.
    fn source(&self, m: &Measurement) -> Option<wire::Source> {
        let device = &Device::cpu().id;
        let read = self.info().map(|info| wire::Source::read(device, &info));
        let stated = || Some(wire::Source::stated(device, &m.workload.id, &self.stated()?));
        read.or_else(stated)
    }

    /// The source in a row, before anything is derived.
    fn energy(&self, m: &Measurement) -> Energy {
        let scope = wire::Scope::from(self.scope);
        let per = json!({"value": 0.0, "ci95_low": null, "ci95_high": null, "n": 0, "method": ""});
        let energy = match (self.info(), self.kind) {
            (Some(info), _) => self.measured(&info, m),
            (None, Kind::Declared | Kind::DeclaredForAll) => json!({
                "provenance": "declared", "scope": scope, "joules_per_unit": per, "gross_joules": 0.0,
                "net_joules": null, "power_watts": self.watts,
                "for_this_workload": self.kind == Kind::Declared,
            }),
            (None, Kind::Modelled) => json!({
                "provenance": "modelled", "scope": scope, "modelled_joules_per_unit_low": 0.0,
                "modelled_joules_per_unit_high": 0.0, "modelled_power_watts_low": 0.5 * self.watts,
                "modelled_power_watts_high": self.watts, "basis": "made up for a test",
            }),
            (None, _) => json!({"provenance": "none", "reason": "made up: it gave nothing"}),
        };
        serde_json::from_value(energy).unwrap()
    }

    fn measured(&self, info: &SourceInfo, m: &Measurement) -> serde_json::Value {
        let counter = matches!(info.quantity, Quantity::Counter { .. });
        let readings = self.readings(info.quantity.domains(), counter, m);
        let before: Vec<f64> = readings.iter().map(|(at, _)| *at).collect();
        let idle = json!({
            "power_watts": 0.3 * self.watts, "half_width_watts": 0.1, "seconds": 2.0,
            "method": "the same source, nothing running, before the first row",
        });
        json!({
            "provenance": if counter { "measured-counter" } else { "measured-sampled" },
            "scope": wire::Scope::from(self.scope), "includes": "", "excludes": "",
            "source": wire::Meter::from(info), "blocks": [],
            "joules_per_unit": {"value": 0.0, "ci95_low": null, "ci95_high": null, "n": 0, "method": ""},
            "gross_joules": 0.0, "net_joules": null, "power_watts": 0.0,
            "idle": if self.baseline { idle } else { json!(null) },
            "uncertainty": {"meter_joules": 0.0, "window_joules": 0.0, "statistical_joules": 0.0},
            "update_period_seconds": null, "samples": 0, "rejected_samples": 0, "failed_reads": 0,
            "coverage": 0.0, "wraps": 0, "cross_checks": [], "sampler_core_share": 0.001,
            "readings": {
                "after_seconds": before.iter().map(|at| at + 0.001).collect::<Vec<f64>>(),
                "before_seconds": before,
                "values": readings.into_iter().map(|(_, values)| values).collect::<Vec<_>>(),
            },
            "readings_sha256": "",
        })
    }

    /// Readings around the row's blocks, with their moments.
    fn readings(&self, domains: usize, counter: bool, m: &Measurement) -> Vec<(f64, Vec<f64>)> {
        let blocks: Vec<(f64, f64)> =
            m.windows.chunk_by(|a, b| a.block == b.block).map(ends).collect();
        let end = blocks.last().unwrap().1;
        let (mut all, mut joules, mut at) = (Vec::new(), 1000.0, -3.0);
        while at < end + 3.0 {
            let works = blocks.iter().any(|(from, to)| (*from..*to).contains(&at));
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
            Readings::Late => all.retain(|(at, _)| *at > 0.5 * end),
            Readings::Garbage => {
                all.iter_mut().step_by(10).for_each(|(_, values)| values.fill(4_294_967_295.0));
            }
            Readings::Two => all.truncate(2),
            Readings::None => all.clear(),
        }
        all
    }
}

/// Where windows that follow on each other begin and end.
fn ends(windows: &[wire::Window]) -> (f64, f64) {
    let last = windows.last().unwrap();
    (windows[0].started_seconds, last.started_seconds + last.wall_seconds)
}

/// A row that nothing but its windows proves, in blocks of these lengths with these gaps between them.
fn row(new_block: &[bool], gaps: &[f64]) -> Measurement {
    let of_peak = |m: &&Measurement| m.device == "cpu" && m.workload.spec() == "peak:f32";
    let mut m = BASE.measurements.iter().find(of_peak).unwrap().clone();
    let board = wire::Board {
        celsius: Some(60.0),
        core_hertz: None,
        memory_hertz: None,
        power_limit_watts: Some(300.0),
        throttle: None,
    };
    let (mut block, mut at) = (0, 0.0);
    for (i, window) in m.windows.iter_mut().enumerate() {
        if i > 0 && new_block[i % new_block.len()] {
            block += 1;
            at += gaps[i % gaps.len()];
        }
        (window.block, window.started_seconds) = (block, at);
        window.telemetry.board = Some(board.clone());
        at += window.wall_seconds;
    }
    m.blocks.truncate(1);
    m.blocks[0].telemetry_at_start.board = Some(board);
    (m.blocks[0].rest_seconds, m.blocks[0].warm_up_seconds) = (0.2, 0.2);
    m.blocks = vec![m.blocks[0].clone(); block as usize + 1];
    // Long enough for a mean of a second to show it.
    m.blocks[0].rest_seconds = 2.5;
    m.reasons.clear();
    m
}

/// A run of one row with these sources, as rigbench writes it.
fn document(sources: &[Made], mut m: Measurement) -> Document {
    let mut document = BASE.clone();
    document.run.finished_at = None;
    document.run.reasons.clear();
    document.manifest.sources = sources.iter().filter_map(|source| source.source(&m)).collect();
    let mut energies: Vec<Energy> = sources.iter().map(|source| source.energy(&m)).collect();
    if energies.is_empty() {
        energies.push(Energy::None(wire::NoEnergy { reason: "--power none".into() }));
    }
    m.energy = energies.remove(0);
    m.energy_other = energies;
    document.measurements = vec![m];
    results::fill(&mut document);
    let seed = results::seed(&document.manifest, document.proof.user_seed);
    document.proof.seed_sha256 = hex(&seed.0);
    document.proof.document_sha256 = results::document_sha256(&document);
    document
}

/// What `rigbench validate` finds wrong with a document.
fn faults(document: &Document) -> Vec<String> {
    let given =
        read::read(results::text(document).as_bytes()).unwrap_or_else(|why| panic!("{why}"));
    results::validate(&given, Depth::Quick).faults
}

fn source() -> impl Strategy<Value = Made> {
    let kind = prop::sample::select(KINDS.to_vec());
    let scope = prop::sample::select(Scope::ALL.to_vec());
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
        new_block in prop::collection::vec(prop::bool::weighted(0.3), 12),
        gaps in prop::collection::vec(0.5..35.0, 12),
    ) {
        let once = document(&sources, row(&new_block, &gaps));
        let mut twice = once.clone();
        results::fill(&mut twice);
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(faults(&once), Vec::<String>::new());
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
        let block_ends = [false, false, false, false, false, false, true];
        let document = document(&order.map(Made::clone), row(&block_ends, &[1.5]));
        assert_eq!(faults(&document), Vec::<String>::new(), "{:?}", order.map(|made| made.kind));
        let m = &document.measurements[0];
        let all: Vec<_> = std::iter::once(&m.energy).chain(&m.energy_other).collect();
        assert_eq!(all.len(), 3);
        for energy in all {
            let (Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e)) = energy else {
                panic!("{energy:?}")
            };
            assert_eq!(e.cross_checks.len(), 2, "each is held against the two others");
            assert!(e.cross_checks.iter().all(|check| (0.97..1.03).contains(&check.ratio)));
        }
    }
}
