//! Runs on a made-up card: rows with joules that nobody measured.

use jiff::civil::{Date, date};
use rigbench::device::{Class, Device, DeviceId};
use rigbench::economics::{Advice, Market, advise_on};
use rigbench::energy::Scope;
use rigbench::measure::{Mode, Protocol};
use rigbench::results::{
    Clock, Document, Energy, Evidence, Failure, FailureCode, Manifest, OrNewer, Outcome, Row,
    RowFigures, Run,
};
use rigbench::units::{Interval, Method, Provenance, Unit};
use rigbench::workload::{Description, Id, Shape};

pub const TODAY: Date = date(2026, 11, 25);
pub const CARD: &str = "NVIDIA H100 80GB HBM3";

/// A run of some rows on one card.
#[derive(Clone, Debug)]
pub struct MadeUp {
    /// As its driver calls it.
    pub card: String,
    pub rows: Vec<(Row, RowFigures)>,
}

/// A run on the usual card.
pub fn run(rows: Vec<(Row, RowFigures)>) -> MadeUp {
    MadeUp { card: CARD.into(), rows }
}

/// What an H100 may need for hashes and tokens.
pub fn h100() -> MadeUp {
    run(vec![
        row("sha256d", 60e-9, 640.0),
        row("decode:llama-3-8b:int8:batch=8", 0.5, 420.0),
        row("prefill:llama-3-8b:int8:batch=8", 0.02, 650.0),
    ])
}

/// The same, its energy changed.
pub fn with(change: impl Fn(&mut Energy)) -> MadeUp {
    let mut run = h100();
    run.rows.iter_mut().for_each(|(_, figures)| change(&mut figures.energy));
    run
}

/// A figure with an interval of a few per cent.
fn around(value: f64) -> Interval {
    let ends = (value * 0.97, value * 1.04);
    Interval::new(value, ends, Provenance::MeasuredCounter, Method::MeterUncertainty)
}

/// A row with its energy on the board.
pub fn row(spec: &str, joules: f64, watts: f64) -> (Row, RowFigures) {
    let parts: Vec<&str> = spec.split(':').collect();
    let (id, unit) = match parts[0] {
        "sha256d" => (Id::Sha256d, Unit::Hash),
        "gemm" => (Id::Gemm, Unit::Flop),
        "prefill" => (Id::Prefill, Unit::Token),
        _ => (Id::Decode, Unit::Token),
    };
    let batch = parts.get(3).map(|batch| batch.trim_start_matches("batch=").parse().unwrap());
    let shape = match id.has_model() {
        true => Shape {
            model: Some(parts[1].into()),
            weights: Some(parts[2].into()),
            batch: Some(batch.unwrap_or(1)),
            ..Shape::default()
        },
        false => Shape::default(),
    };
    let workload = Description { id, spec: spec.into(), unit, shape, intensity: None };
    let energy = Energy {
        source: Some(0),
        scope: Some(Scope::GpuBoard),
        joules_per_unit: Some(around(joules)),
        power_watts: Some(around(watts)),
        ..Energy::default()
    };
    (Row::new(DeviceId::Gpu(0), workload), RowFigures { energy, ..RowFigures::default() })
}

/// What a row has whose kernel is wrong.
pub fn failed(message: &str) -> Outcome {
    Outcome::Failed(Failure::new(FailureCode::WrongOutput, message))
}

impl MadeUp {
    pub fn document(&self) -> Document {
        let device = Device {
            id: DeviceId::Gpu(0),
            name: self.card.clone(),
            class: Class::DiscreteGpu,
            features: Vec::new(),
            threads: None,
            gpu: None,
        };
        let protocol = Protocol::of(Mode::Quick);
        let mut manifest = Manifest::new(&[device], 1, Vec::new(), Vec::new(), &protocol, true);
        manifest.environment.clear();
        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        let mut document = Document::of(Evidence {
            run: Run {
                id: "made-up".into(),
                started_at: at,
                finished_at: Some(at),
                attempt: None,
                labels: Default::default(),
                user_seed: 0,
                began_busy: false,
            },
            challenge: None,
            beacon: None,
            manifest,
            clock: Clock { zero_at: at },
            baselines: Vec::new(),
            rows: self.rows.iter().map(|(row, _)| OrNewer::Known(row.clone())).collect(),
        });
        let figures = self.rows.iter().map(|(_, figures)| OrNewer::Known(figures.clone()));
        document.derived.rows = figures.collect();
        document.derived.run.reasons.clear();
        document
    }

    /// The advice on it.
    pub fn advice(&self, market: &Market) -> Advice {
        advise_on(&[self.document()], market, TODAY)
    }
}
