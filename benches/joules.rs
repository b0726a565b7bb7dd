//! Joules for a unit of work, as `cargo bench --bench joules [-- PART-OF-A-SPEC]`. Criterion's samples are shorter than any
//! meter's period, so this measures by the protocol of `rigbench run --quick`. RIGBENCH_POWER names sources as `--power`
//! does, one a line; without it the best that are found are read.

use rigbench::device::Device;
use rigbench::energy::{self, Energy, Meter, PowerSpec, Sampling, Stated};
use rigbench::gpu;
use rigbench::measure::{Mode, Protocol, Telemetry, measure, stats};
use rigbench::tune::{Effort, Tuner};
use rigbench::units::{EnergyPerWork, Joules, Rate, Seconds};
use rigbench::workload::data::Seed;
use rigbench::workload::{Target, parse};
use std::error::Error;
use std::ops::ControlFlow;

const SPECS: [&str; 4] =
    ["sha256d", "gemm:1024x1024x1024:f32", "gemv:4096x4096:f32", "gemv:4096x4096:int4"];

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds --bench; `cargo test` only wants to see that a bench runs.
    let (flags, filters): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let wanted = |spec: &str| filters.is_empty() || filters.iter().any(|f| spec.contains(f));
    let protocol = match flags.iter().any(|flag| flag == "--bench") {
        true => Protocol::of(Mode::Quick),
        false => Protocol {
            blocks: 1,
            windows: 1,
            window: Seconds(0.02),
            block_longest: Seconds(0.0),
            longest: Seconds(0.0),
            warm_up_longest: Seconds(0.0),
            baseline: Seconds(0.0),
            ..Protocol::of(Mode::Quick)
        },
    };
    let named = std::env::var("RIGBENCH_POWER").unwrap_or_default();
    let specs: Vec<PowerSpec> = named
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let devices: Vec<Device> =
        gpu::enumerate().into_iter().take(1).chain([Device::cpu()]).collect();
    let placed = match specs.is_empty() {
        true => energy::find(&devices).0,
        false => energy::open(&specs, &devices)?,
    };
    let mut sampling = Sampling::start(placed);
    sampling.take_baseline(protocol.baseline, protocol.baseline_longest, &mut || false);
    for device in &devices {
        let mut target = Target::open(device)?;
        for spec in SPECS.into_iter().filter(|spec| wanted(spec)) {
            let workload = parse(spec)?;
            let go = &mut |_| ControlFlow::Continue(());
            let choice =
                Tuner::new(Effort::Quick, false).choose(workload.as_ref(), &mut target, go)?;
            let mut job = workload.prepare(&target, &choice.variant, Seed([1; 32]))?;
            let stated: Vec<Stated> = specs
                .iter()
                .filter_map(|spec| spec.stated(device, workload.id()))
                .collect::<Result<_, _>>()?;
            let meter = Meter::new(&sampling, &device.id, stated, "no meter was found");
            let protocol = Protocol { batch: choice.batch, ..protocol };
            let go = &mut |_| ControlFlow::Continue(());
            let m = measure(job.as_mut(), meter, Telemetry::new(device), &protocol, go)?;
            let rates: Vec<f64> = m.windows.iter().map(|w| w.work / w.wall).collect();
            let per_second = stats::median(&rates).expect("there is a window");
            let unit = workload.unit();
            println!(
                "{spec} on {} ({}): {}",
                device.id,
                choice.variant.id(),
                Rate { per_second, unit }
            );
            for energy in &m.energy {
                let counts = |block: usize| match energy {
                    Energy::Measured(e) => e.figures[block],
                    _ => true,
                };
                let counted = m.windows.iter().filter(|w| counts(w.block));
                let work: f64 = counted.map(|w| w.work.0 as f64).sum();
                let per = |Joules(joules)| EnergyPerWork { joules: joules / work, unit };
                let seconds = m.windows.iter().fold(Seconds(0.0), |sum, w| sum + w.wall);
                let line = match energy {
                    Energy::Measured(e) => {
                        let share = e.integral.terms.half_width().0 / e.integral.gross.0;
                        let (kind, scope) = (e.source.kind, e.source.scope.name());
                        format!(
                            "{} ±{:.1} % ({kind}, {scope})",
                            per(e.integral.gross),
                            100.0 * share
                        )
                    }
                    Energy::Stated(Stated::Declared { watts, scope, .. }) => {
                        let joules = per(*watts * seconds);
                        format!("no measured source: {joules} (declared, {})", scope.name())
                    }
                    Energy::Stated(Stated::Modelled { low, high, .. }) => {
                        format!(
                            "no measured source: from {} to {} (model)",
                            per(*low * seconds),
                            per(*high * seconds)
                        )
                    }
                    Energy::None { reason } => format!(
                        "no measured source: {reason}; rigbench doctor says what could be read"
                    ),
                };
                println!("    {line}");
            }
        }
    }
    Ok(())
}
