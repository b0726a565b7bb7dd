//! What people have complained of in other tools' joules, one test each: no such figure may come out of this meter.

use crate::support::punctual::Punctual;
use rigbench::device::{Device, DeviceId};
use rigbench::energy::{
    Accuracy, Basis, Figures, Finding, Integral, LoadStep, Meter, MeterKind, NoFigure, Quantity,
    Rules, Sampling, Scope, SourceBinding, SourceInfo, Stamped, TimeSpan,
};
use rigbench::units::{Joules, Seconds, Watts};
use std::time::{Duration, Instant};

fn info(scope: Scope, quantity: Quantity) -> SourceInfo {
    SourceInfo {
        kind: MeterKind::Rapl,
        model: "made up".into(),
        driver: None,
        scope,
        quantity,
        update_period: None,
        poll: Seconds(0.005),
        ceiling: Watts(1000.0),
        accuracy: Accuracy { share: 0.01, basis: Basis::Assumed, reference: "made up".into() },
    }
}

fn counter(range: Option<f64>) -> SourceInfo {
    info(Scope::CpuPackage, Quantity::Counter { ranges: vec![range.map(Joules)], duty: 1.0 })
}

fn power() -> SourceInfo {
    info(Scope::Wall, Quantity::Power { averaging: Seconds(0.0) })
}

/// Readings every tenth of a second from 0 to `seconds`.
fn readings(seconds: f64, value: impl Fn(f64) -> f64) -> Vec<Stamped> {
    (0..=(seconds * 10.0) as usize)
        .map(|i| i as f64 / 10.0)
        .map(|t| Stamped { before: Seconds(t - 1e-4), after: Seconds(t), values: vec![value(t)] })
        .collect()
}

const STRETCH: TimeSpan = TimeSpan { from: Seconds(5.0), to: Seconds(25.0) };

fn integrate(
    info: &SourceInfo,
    readings: &[Stamped],
    stretch: TimeSpan,
) -> Result<Integral, NoFigure> {
    rigbench::energy::integrate(&Rules::V1, info, readings, stretch)
}

fn joules(info: &SourceInfo, readings: &[Stamped]) -> Result<f64, NoFigure> {
    integrate(info, readings, STRETCH).map(|integral| integral.gross.0)
}

fn near(value: f64, truth: f64) -> bool {
    (value / truth - 1.0).abs() < 0.01
}

/// What others make of the same readings: the last less the first, or the mean times the time. It must be wrong, or the
/// test asks for nothing.
#[track_caller]
fn naively_wrong(info: &SourceInfo, readings: &[Stamped], truth: f64) {
    let within = |r: &&Stamped| r.after >= STRETCH.from && r.after <= STRETCH.to;
    let values: Vec<f64> = readings.iter().filter(within).map(|r| r.values[0]).collect();
    let joules = match info.quantity {
        Quantity::Counter { .. } => values[values.len() - 1] - values[0],
        Quantity::Power { .. } => {
            values.iter().sum::<f64>() / values.len() as f64 * STRETCH.length().0
        }
    };
    assert!(!near(joules, truth), "{joules} J");
}

/// A counter of 262,143 J that began again at 0 gave −250,769 J, or a panic.
#[test]
fn a_wrapped_rapl_counter_gave_negative_energy() {
    let range = 262_143.328_85;
    let list = readings(30.0, |t| (260_000.0 + 200.0 * t) % range);
    let integral = integrate(&counter(Some(range)), &list, STRETCH).unwrap();
    assert!(near(integral.gross.0, 4000.0), "{integral:?}");
    assert_eq!(integral.wraps, 1);
    naively_wrong(&counter(Some(range)), &list, 4000.0);
}

/// `abs(now − prev)` makes a wrap look like a great deal of energy, or like a little.
#[test]
fn abs_of_a_difference_hid_wraps() {
    // It wraps half-way, and 3,990 J later it stands 10 J below where it was.
    let list = readings(30.0, |t| (3_000.0 + 200.0 * (t - 5.0)) % 4_010.0);
    assert!(near(joules(&counter(Some(4_010.0)), &list).unwrap(), 4000.0));
    naively_wrong(&counter(Some(4_010.0)), &list, 4000.0);
    let within = |r: &&Stamped| r.after >= STRETCH.from && r.after <= STRETCH.to;
    let values: Vec<f64> = list.iter().filter(within).map(|r| r.values[0]).collect();
    let abs: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    assert!(!near(abs, 4000.0), "{abs} J");
    // Where the range is not known a fall may be a reset: there is no figure.
    let error = joules(&counter(None), &list).unwrap_err().to_string();
    assert!(error.contains("reset"), "{error}");
}

/// An Arc card showed millions of watts when its counter of 32 bits in microjoules began again.
#[test]
fn a_wrapped_arc_counter_showed_millions_of_watts() {
    let range = 4_294.967_296;
    let list = readings(30.0, |t| (3_500.0 + 150.0 * t) % range);
    let integral = integrate(&counter(Some(range)), &list, STRETCH).unwrap();
    assert!(near(integral.gross.0, 3000.0), "{integral:?}");
    naively_wrong(&counter(Some(range)), &list, 3000.0);
}

/// A sensor said 42 kW once in a while.
#[test]
fn garbage_of_42_kilowatts_was_averaged_in() {
    let wobble = |t: f64| 300.0 + 10.0 * (t * 7.0).sin();
    let list = readings(30.0, |t| if (t * 10.0) as u32 % 50 == 7 { 42_000.0 } else { wobble(t) });
    let integral = integrate(&power(), &list, STRETCH).unwrap();
    assert!(near(integral.gross.0, 6000.0), "{integral:?}");
    assert!(integral.rejected >= 4, "{integral:?}");
    naively_wrong(&power(), &list, 6000.0);
}

/// NaN stood for "no reading" and was added up.
#[test]
fn nan_stood_for_an_absent_reading() {
    let wobble = |t: f64| 300.0 + 10.0 * (t * 7.0).sin();
    let some = readings(30.0, |t| if (t * 10.0) as u32 % 20 == 3 { f64::NAN } else { wobble(t) });
    assert!(near(joules(&power(), &some).unwrap(), 6000.0));
    naively_wrong(&power(), &some, 6000.0);
    let all = readings(30.0, |_| f64::NAN);
    assert!(joules(&power(), &all).is_err());
    assert!(joules(&counter(None), &all).is_err());
}

/// A sensor that shows the mean of the last second is 5 % low over ten seconds from the load's beginning.
#[test]
fn a_mean_of_a_second_was_read_as_the_power_of_the_moment() {
    let load = |t: f64| if t < 5.0 { 0.0 } else { 300.0 * (t - 5.0) + 0.3 * (t * 7.0).sin() };
    let list = readings(30.0, |t| load(t) - load(t - 1.0) + 0.1);
    let stretch = TimeSpan { from: Seconds(5.0), to: Seconds(15.0) };
    let of = |averaging| {
        let source = info(Scope::GpuBoard, Quantity::Power { averaging: Seconds(averaging) });
        integrate(&source, &list, stretch).unwrap().gross.0 / 3000.0
    };
    assert!((0.94..0.96).contains(&of(0.0)), "the complaint: {}", of(0.0));
    assert!((of(1.0) - 1.0).abs() < 0.002, "{}", of(1.0));
}

/// The engine's start-up, minutes of it, lay inside the window that joules were taken over.
#[test]
fn start_up_was_inside_the_energy_window() {
    // 900 W until 5 s, 100 W from then on.
    let total = |t: f64| if t < 5.0 { 900.0 * t } else { 4500.0 + 100.0 * (t - 5.0) };
    let figure = joules(&counter(None), &readings(30.0, total)).unwrap();
    assert!(near(figure, 2000.0), "{figure}");
    assert!(!near(total(25.0) - total(0.0), 2000.0), "from the process's start on");
    let figure = joules(
        &power(),
        &readings(30.0, |t| if t < 5.0 { 900.0 } else { 100.0 + (t * 7.0).sin() }),
    );
    assert!(near(figure.clone().unwrap(), 2000.0), "{figure:?}");
}

/// What a meter makes of a second of sources that show a constant power, or count it; a tenth of it until the load begins.
fn metered(sources: Vec<(SourceInfo, f64)>) -> Vec<Figures> {
    let start = Instant::now();
    let load = start + Duration::from_millis(500);
    let (mut placed, mut progress) = (Vec::new(), Vec::new());
    for (info, watts) in sources {
        let counts = matches!(info.quantity, Quantity::Counter { .. });
        let value = move |moment: Instant| {
            let (seconds, loaded) = (moment - start, moment.saturating_duration_since(load));
            let share = if loaded.is_zero() { 0.1 } else { 1.0 };
            watts
                * match counts {
                    true => 0.1 * seconds.as_secs_f64() + 0.9 * loaded.as_secs_f64(),
                    false => share * (1.0 + 1e-3 * (seconds.as_secs_f64() * 50.0).sin()),
                }
        };
        let (source, of_source) = Punctual::new(info, Duration::from_millis(10), value);
        placed.push(SourceBinding { source: Box::new(source), devices: vec![DeviceId::Cpu] });
        progress.push(of_source);
    }
    let sampling = Sampling::start(placed, Seconds(0.0));
    let meter = Meter::new(&sampling, &Device::cpu().id);
    let idle_from = meter.now();
    std::thread::sleep(load.saturating_duration_since(Instant::now()));
    let load_from = meter.now();
    std::thread::sleep(Duration::from_millis(100));
    let from = meter.now();
    std::thread::sleep(Duration::from_millis(1000));
    let measured = TimeSpan { from, to: meter.now() };
    let end = Instant::now();
    progress.iter().for_each(|of_source| of_source.wait_beyond(end));
    meter.figures(&[LoadStep { idle_from, load_from, measured, busy: None }])
}

/// What is remarkable of a source beside the others, and by which factor.
fn findings(figures: &Figures) -> Vec<(Finding, f64)> {
    assert!(figures.total.is_ok(), "{figures:?}");
    let apart = |ratio: f64| ratio.max(1.0 / ratio);
    figures.checks.iter().filter_map(|c| Some((c.finding?, apart(c.ratio)))).collect()
}

/// NVML's counter said 187 J and its power 327 J of the same time, and nothing was said.
#[test]
fn counter_and_power_disagreed_in_silence() {
    let board = |quantity| info(Scope::GpuBoard, quantity);
    let count = board(Quantity::Counter { ranges: vec![None], duty: 1.0 });
    let sample = board(Quantity::Power { averaging: Seconds(0.0) });
    let figures = metered(vec![(count.clone(), 187.0), (sample.clone(), 327.0)]);
    for (i, own) in figures.iter().enumerate() {
        let [(Finding::Differ, factor)] = findings(own)[..] else { panic!("{own:?}") };
        assert!((1.7..1.8).contains(&factor) && own.checks[0].with == 1 - i, "{own:?}");
    }
    let figures = metered(vec![(count, 187.0), (sample, 188.0)]);
    assert!(figures.iter().all(|own| findings(own).is_empty()), "{figures:?}");
}

/// An AMD card's counter was wrong by a factor of ten.
#[test]
fn a_counter_was_wrong_by_ten() {
    let board = |quantity| info(Scope::GpuBoard, quantity);
    let count = board(Quantity::Counter { ranges: vec![None], duty: 1.0 });
    let sample = board(Quantity::Power { averaging: Seconds(0.0) });
    for figures in metered(vec![(count, 25.0), (sample, 250.0)]) {
        let why = figures.total.unwrap_err();
        assert!(matches!(why, NoFigure::Contradicted { .. }), "{why:?}");
        assert!(why.to_string().contains("neither is believed"), "{why}");
    }
}

/// RAPL said 152 W where the plug said 277 W: they do not cover the same, and neither is wrong.
#[test]
fn rapl_was_taken_for_the_wall() {
    let package = info(Scope::CpuPackage, Quantity::Counter { ranges: vec![None], duty: 1.0 });
    let figures = metered(vec![(package.clone(), 152.0), (power(), 277.0)]);
    for (own, watts) in figures.iter().zip([152.0, 277.0]) {
        // Each has its own figure, of a second.
        let gross = own.total.as_ref().unwrap().gross.0;
        assert!((gross / watts - 1.0).abs() < 0.1 && findings(own).is_empty(), "{own:?}");
    }
    // But a plug that shows less than the processor behind it is not believed, nor is the processor.
    let figures = metered(vec![(package, 277.0), (power(), 152.0)]);
    let contradicted = |own: &Figures| matches!(own.total, Err(NoFigure::Contradicted { .. }));
    assert!(figures.iter().all(contradicted), "{figures:?}");
}
