//! `rigbench run`: measures every workload on every device and writes the result after each block.

mod power;
mod rounds;

use super::{Exit, args, busy, interrupt, say};
use crate::device::Device;
use crate::energy::PowerSpec;
use crate::gpu::{self, GpuError};
use crate::measure::{Mode, Protocol};
use crate::report;
use crate::results::{self, OutDir, Outcome, Row, Run, wire};
use crate::text;
use crate::workload::{Target, Workload};
use anyhow::{Result, bail};
use jiff::Timestamp;
use power::Power;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench run --quick\n  rigbench run --device gpu:0 --workload gemm:4096x4096x4096:f32\n  rigbench run --power declared:285@wall --json"
)]
pub(super) struct Args {
    /// A first look: two blocks of four windows of 0.4 s for each row
    #[arg(long, conflicts_with = "publish")]
    quick: bool,
    /// A figure to publish: 10 minutes for each row, in five blocks of two; the machine must be at rest
    #[arg(long)]
    publish: bool,
    /// Publish although other programs use the processor; the run is invalid and says so
    #[arg(long, requires = "publish")]
    allow_busy: bool,
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
    /// Where joules come from: nvml, hwmon, rapl, shelly:http://HOST[?channel=N], tasmota:http://HOST[?channel=N],
    /// command[@SCOPE[@DEVICE]]:CMD, declared:WATTS[@SCOPE[@DEVICE]], model, none; may repeat [default: the best that
    /// is found, else model]
    #[arg(long, value_name = "SPEC")]
    power: Vec<String>,
    /// Folder for the result file [default: results/local in a checkout, else rigbench-results]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the result document instead of tables
    #[arg(long)]
    json: bool,
    /// Choose the test data [default: random]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
}

/// What the arguments ask for, checked.
struct Plan {
    devices: Vec<(Device, Result<Target, GpuError>)>,
    workloads: Vec<Box<dyn Workload>>,
    power: Power,
    protocol: Protocol,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    interrupt::listen()?;
    let mut plan = plan(args)?;
    let out = OutDir::open(&args.out.clone().unwrap_or_else(OutDir::default_path))?;
    let at_rest = plan.protocol.mode != Mode::Publish || busy::await_rest();
    if !at_rest && !args.allow_busy {
        bail!(
            "other programs use the processor: end them, or publish with --allow-busy, which marks the run as invalid"
        );
    }
    let mut run = Run {
        id: uuid::Uuid::new_v4().to_string(),
        started_at: Timestamp::now(),
        finished_at: None,
        protocol: plan.protocol,
        user_seed: args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_fields().0),
        manifest: manifest(&plan),
        rows: Vec::new(),
        faults: Vec::new(),
    };
    if !at_rest {
        run.faults.push("other programs used the processor when it began (--allow-busy)".into());
    }
    let file = out.create(&run)?;
    let seed = results::seed(&run.manifest, run.user_seed);
    let Protocol { baseline, baseline_longest, .. } = plan.protocol;
    plan.power.sampling.take_baseline(baseline, baseline_longest, &mut interrupt::asked);
    let total = plan.devices.len() * plan.workloads.len();
    for (device, target) in &plan.devices {
        let before = run.rows.len();
        let rounds = rounds::Rounds { plan: &plan, device, target, seed, before, total };
        rounds.measure(&mut |rows: Vec<Row>| {
            run.rows.truncate(before);
            run.rows.extend(rows);
            file.replace(&run)
        })?;
    }
    if plan.protocol.mode == Mode::Publish && !interrupt::asked() {
        plan.power.sampling.take_baseline(baseline, baseline_longest, &mut interrupt::asked);
        for row in &mut run.rows {
            if let Some(Outcome::Measured(measurement)) = &mut row.outcome {
                plan.power.sampling.renew_baseline(&mut measurement.energy);
            }
        }
    }
    let interrupted = interrupt::asked();
    if interrupted {
        run.faults.push(format!("interrupted: {} of {total} rows have figures", run.rows.len()));
    } else {
        run.finished_at = Some(Timestamp::now());
    }
    file.replace(&run)?;
    let document: wire::Document = (&run).into();
    let printed = print(&document, args.json, file.path());
    if interrupted {
        // Whatever became of the terminal.
        return Ok(Exit::Interrupted);
    }
    printed?;
    let failed = |m: &wire::Measurement| m.outcome == wire::Outcome::Failed;
    let invalid = |m: &wire::Measurement| m.verdict == wire::Verdict::Invalid;
    let publish = plan.protocol.mode == Mode::Publish;
    let no = |m: &wire::Measurement| failed(m) || (publish && invalid(m));
    Ok(match () {
        () if document.measurements.iter().any(no) => Exit::No,
        () => Exit::Done,
    })
}

/// Reads the arguments; whatever is wrong with them is found before anything is measured.
fn plan(args: &Args) -> Result<Plan> {
    let workloads = args.workloads.parse(args::DEFAULT)?;
    let power: Vec<PowerSpec> =
        args.power.iter().map(|spec| spec.parse()).collect::<Result<_, _>>()?;
    for name in power.iter().flat_map(PowerSpec::workloads) {
        if !workloads.iter().any(|w| w.id() == name) {
            let known: Vec<&str> = workloads.iter().map(|w| w.id()).collect();
            bail!("--power names '{name}', which is not run; run are: {}", known.join(", "));
        }
    }
    let devices = args.devices.select()?;
    args::note_hidden(&devices);
    let devices: Vec<(Device, Result<Target, GpuError>)> = devices
        .into_iter()
        .map(|device| {
            let target = Target::open(&device);
            (device, target)
        })
        .collect();
    for workload in &workloads {
        let reasons: Vec<Option<String>> = devices
            .iter()
            .map(|(_, target)| target.as_ref().ok().and_then(|t| workload.unsupported(t)))
            .collect();
        if let Some(reason) = reasons.iter().flatten().next()
            && reasons.iter().all(Option::is_some)
        {
            bail!("no chosen device can hold {}: {reason}", workload.spec());
        }
    }
    let mode = match (args.quick, args.publish) {
        (true, _) => Mode::Quick,
        (_, true) => Mode::Publish,
        _ => Mode::Default,
    };
    let ids: Vec<Device> = devices.iter().map(|(device, _)| device.clone()).collect();
    let protocol = Protocol::of(mode);
    let power = Power::open(power, &ids, protocol.poll)?;
    Ok(Plan { devices, workloads, power, protocol })
}

fn manifest(plan: &Plan) -> wire::Manifest {
    let devices: Vec<Device> = plan.devices.iter().map(|(device, _)| device.clone()).collect();
    let workloads = plan.workloads.iter().map(|workload| workload.spec()).collect();
    results::manifest(
        &devices,
        &gpu::enumerate(),
        workloads,
        plan.power.sources(&devices, &plan.workloads),
    )
}

fn print(document: &wire::Document, json: bool, path: &Path) -> Result<()> {
    if json {
        super::print(&text::json(&results::text(document)))?;
    } else {
        let (width, styled) = args::terminal();
        for table in report::run(&results::shown(document)) {
            super::print(&(table.to_terminal(width, styled) + "\n"))?;
        }
    }
    for reason in &document.run.reasons {
        say(&format!("note: {reason}"));
    }
    say(&format!("written to {}", path.display()));
    Ok(())
}
