//! Joules for a unit of work, as `cargo bench --bench joules [-- PART-OF-A-SPEC]`. Criterion's samples are shorter than any
//! meter's period, so this measures by the protocol of `rigbench run --quick`. RIGBENCH_POWER names sources as `--power`
//! does, one a line; without it the best that are found are read.

use rigbench::device::Device;
use rigbench::energy::{self, Meter, PowerSpec, Read, Rules, Sampling, SourceInfo, Stated};
use rigbench::gpu;
use rigbench::measure::{Measurement, Mode, Observer, Protocol, measure, stats};
use rigbench::tune::{Effort, Tuner};
use rigbench::units::{EnergyPerWork, Joules, Rate, Seconds, Unit};
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
            window_seconds: 0.02,
            block_longest_seconds: 0.0,
            longest_seconds: 0.0,
            warm_up_longest_seconds: 0.0,
            baseline_seconds: 0.0,
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
    let mut sampling = Sampling::start(placed, Seconds(0.0));
    let [shortest, longest] =
        [protocol.baseline_seconds, protocol.baseline_longest_seconds].map(Seconds);
    sampling.take_baseline(shortest, longest, &mut || false);
    for device in &devices {
        let mut target = Target::open(device)?;
        for spec in SPECS.into_iter().filter(|spec| wanted(spec)) {
            let workload = parse(spec)?;
            let go = &mut |_| ControlFlow::Continue(());
            let choice =
                Tuner::new(Effort::Quick, false).choose(workload.as_ref(), &mut target, go)?;
            let mut job = workload.prepare(&target, &choice.variant, Seed([1; 32]))?;
            let stated: Vec<(Stated, bool)> = specs
                .iter()
                .filter_map(|spec| spec.stated(device, workload.id().into_str()))
                .collect::<Result<_, _>>()?;
            let meter = Meter::new(&sampling, &device.id);
            let go = &mut |_| ControlFlow::Continue(());
            let observer = Observer::new(device);
            let m = measure(job.as_mut(), meter, observer, &protocol, choice.batch, go)?;
            let per_second = stats::median(&m.windows.rates()).expect("there is a window");
            let unit = workload.unit();
            println!(
                "{spec} on {} ({}): {}",
                device.id,
                choice.variant.id(),
                Rate { per_second, unit }
            );
            for line in read(&sampling, &m, unit) {
                println!("    {line}");
            }
            for (stated, _) in &stated {
                println!("    no measured source: {}", said(stated, &m, unit));
            }
            if m.readings.is_empty() && stated.is_empty() {
                println!(
                    "    no measured source: no meter was found; rigbench doctor says what could be read"
                );
            }
        }
    }
    Ok(())
}

/// What each source that was read makes of a job: joules for a unit of the work of the blocks that have a figure.
fn read(sampling: &Sampling, m: &Measurement, unit: Unit) -> Vec<String> {
    let infos: Vec<&SourceInfo> = sampling.sources().map(|(info, _)| info).collect();
    let read = |readings: &energy::Readings| Read {
        source_index: readings.source,
        info: infos[readings.source],
        readings: readings.stamped(),
    };
    let sources: Vec<Read> = m.readings.iter().map(read).collect();
    let figures = energy::figures(&Rules::V1, &sources, &m.windows.steps());
    let line = |(source, own): (&Read, energy::Figures)| {
        let (kind, scope) = (source.info.kind, source.info.scope.into_str());
        let total = match own.total {
            Ok(total) => total,
            Err(why) => return format!("no figure of {kind}, {scope}: {why}"),
        };
        let counted = m.windows.blocks().into_iter().zip(&own.blocks).filter(|(_, f)| f.is_ok());
        let work: u64 = counted.flat_map(|(block, _)| &m.windows.work[block.windows]).sum();
        let half_width = total.terms.half_width().0 / total.gross.0;
        let joules = EnergyPerWork { joules: total.gross.0 / work as f64, unit };
        format!("{joules} ±{:.1} % ({kind}, {scope})", 100.0 * half_width)
    };
    sources.iter().zip(figures).map(line).collect()
}

/// What power that nobody measured makes of a job.
fn said(stated: &Stated, m: &Measurement, unit: Unit) -> String {
    let (seconds, work) = (m.windows.seconds(), m.windows.total_work() as f64);
    let per = |Joules(joules)| EnergyPerWork { joules: joules / work, unit };
    match stated {
        Stated::Declared { power, scope } => {
            format!("{} (declared, {})", per(*power * seconds), scope.into_str())
        }
        Stated::Modelled { low, high, .. } => {
            format!("from {} to {} (model)", per(*low * seconds), per(*high * seconds))
        }
    }
}
