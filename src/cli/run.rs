//! `rigbench run`: measures every workload on every device and writes the result after each row.

use super::progress::RowProgress;
use super::{Exit, args, interrupt};
use crate::device::Device;
use crate::energy::{self, Meter, PowerSpec, Sampling, Stated};
use crate::gpu::GpuError;
use crate::measure::{Event, MeasureError, Mode, Protocol, Telemetry, measure};
use crate::report;
use crate::results::{self, OutDir, Outcome, Row, Run, wire};
use crate::tune::{Effort, Tuner};
use crate::workload::data::Seed;
use crate::workload::{Target, Workload};
use anyhow::{Result, bail};
use jiff::Timestamp;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench run --quick\n  rigbench run --device gpu:0 --workload gemm:4096x4096x4096:f32\n  rigbench run --power declared:285@wall --json"
)]
pub(super) struct Args {
    /// A first look: 7 windows of half a second for each row
    #[arg(long, conflicts_with = "publish")]
    quick: bool,
    /// A figure to publish: 10 minutes for each row
    #[arg(long)]
    publish: bool,
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
    /// Where joules come from: nvml, hwmon, rapl, shelly:http://HOST, tasmota:http://HOST, command[@SCOPE]:CMD,
    /// declared:WATTS[@SCOPE], model, none; may repeat [default: the best that is found, else model]
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

/// Where joules come from.
struct Power {
    specs: Vec<PowerSpec>,
    sampling: Sampling,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    interrupt::listen()?;
    let mut plan = plan(args)?;
    let out = OutDir::open(&args.out.clone().unwrap_or_else(OutDir::default_path))?;
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
    let path = out.file(run.started_at, &plan.devices[0].0.name, &run.id);
    let store = |run: &Run| results::write(&run.into(), &path);
    store(&run)?;
    let seed = results::seed(&run.manifest, run.user_seed);
    let Protocol { baseline, baseline_longest, .. } = plan.protocol;
    plan.power.sampling.take_baseline(baseline, baseline_longest, &mut interrupt::asked);
    let total = plan.devices.len() * plan.workloads.len();
    'rows: for (device, target) in &plan.devices {
        for workload in &plan.workloads {
            if interrupt::asked() {
                break 'rows;
            }
            let name = format!("{} {}", device.id, workload.spec());
            let progress = RowProgress::new(run.rows.len() + 1, total, &name, workload.unit());
            match row(&plan, device, target, workload.as_ref(), seed, &progress) {
                Some(row) => run.rows.push(row),
                None => break 'rows,
            }
            drop(progress);
            store(&run)?;
        }
    }
    let interrupted = interrupt::asked();
    if interrupted {
        run.faults.push(format!("interrupted: {} of {total} rows have figures", run.rows.len()));
    } else {
        run.finished_at = Some(Timestamp::now());
    }
    store(&run)?;
    print(&(&run).into(), args.json, &path)?;
    let failed = run.rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_)));
    Ok(match () {
        () if interrupted => Exit::Interrupted,
        () if failed => Exit::No,
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
    let devices: Vec<(Device, Result<Target, GpuError>)> = args
        .devices
        .select()?
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
    let power = Power::open(power, &ids)?;
    Ok(Plan { devices, workloads, power, protocol: Protocol::of(mode) })
}

impl Power {
    /// Opens what the user named, or the best that is found.
    fn open(specs: Vec<PowerSpec>, devices: &[Device]) -> Result<Power> {
        let placed = match specs.is_empty() {
            true => energy::find(devices).0,
            false => energy::open(&specs, devices)?,
        };
        Ok(Power { specs, sampling: Sampling::start(placed) })
    }

    /// What is stated of a workload on a device, and why nothing is known if nothing is.
    fn stated(&self, device: &Device, workload: &dyn Workload) -> (Vec<Stated>, String) {
        let said = match &self.specs[..] {
            [] if self.sampling.reads(&device.id) => vec![],
            [] => vec![Stated::model(device)],
            specs => specs.iter().filter_map(|s| s.stated(device, workload.id())).collect(),
        };
        let (mut stated, mut absence) = (Vec::new(), Vec::new());
        for said in said {
            match said {
                Ok(said) => stated.push(said),
                Err(why) => absence.push(why.to_string()),
            }
        }
        (stated, absence.join("; "))
    }

    /// What there is for the manifest.
    fn sources(&self, devices: &[Device], workloads: &[Box<dyn Workload>]) -> Vec<wire::Source> {
        let mut sources = Vec::new();
        for (info, covered) in self.sampling.sources() {
            sources.extend(covered.iter().map(|device| wire::Source::read(device, info)));
        }
        for device in devices {
            for workload in workloads {
                for stated in self.stated(device, workload.as_ref()).0 {
                    sources.push(wire::Source::stated(&device.id, workload.id(), &stated));
                }
            }
        }
        sources.dedup();
        sources
    }
}

fn manifest(plan: &Plan) -> wire::Manifest {
    let devices: Vec<Device> = plan.devices.iter().map(|(device, _)| device.clone()).collect();
    results::manifest(&devices, plan.power.sources(&devices, &plan.workloads))
}

/// Measures one workload on one device; none if the user stopped it before there was anything to keep.
fn row(
    plan: &Plan,
    device: &Device,
    target: &Result<Target, GpuError>,
    workload: &dyn Workload,
    seed: Seed,
    progress: &RowProgress,
) -> Option<Row> {
    let mut row = Row {
        device: device.clone(),
        workload: workload.id(),
        shape: workload.shape(),
        layer: workload.layer().map(str::to_string),
        unit: workload.unit(),
        arithmetic: None,
        traffic: workload.traffic(device),
        kernel: None,
        tuning: None,
        outcome: Outcome::Failed(String::new()),
    };
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            row.outcome = Outcome::Failed(error.to_string());
            return Some(row);
        }
    };
    if let Some(reason) = workload.unsupported(target) {
        row.outcome = Outcome::Unsupported(reason);
        return Some(row);
    }
    let mut on_event = |event| {
        progress.show(event);
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let effort = match plan.protocol.mode {
        Mode::Quick => Effort::Quick,
        _ => Effort::Full,
    };
    let seed = results::row_seed(seed, &device.id.to_string(), &workload.spec());
    let tuner = Tuner::new(effort, false);
    let tuned = tuner.choose(workload, target, &mut |share| on_event(Event::Tuning(share)));
    let measured = tuned.and_then(|choice| {
        row.tuning = Some(choice.record);
        let mut job = workload.prepare(target, &choice.variant, seed)?;
        row.kernel = Some(wire::Kernel {
            id: choice.variant.id().to_string(),
            params: job.kernel().map(|k| k.params.clone()).unwrap_or_default(),
            wgsl_sha256: job.kernel().map(|k| k.sha256()),
            arithmetic: job.arithmetic().map(|a| a.name().to_string()),
        });
        row.arithmetic = job.arithmetic();
        let (stated, absence) = plan.power.stated(device, workload);
        let meter = Meter::new(&plan.power.sampling, &device.id, stated, &absence);
        let mut telemetry = Telemetry::new(device);
        let protocol = Protocol { batch: choice.batch, ..plan.protocol };
        measure(job.as_mut(), &meter, &mut telemetry, &protocol, &mut on_event)
    });
    row.outcome = match measured {
        Ok(measurement) => Outcome::Measured(Box::new(measurement)),
        Err(MeasureError::Interrupted) => return None,
        Err(error) => Outcome::Failed(error.to_string()),
    };
    Some(row)
}

fn print(document: &wire::Document, json: bool, path: &Path) -> Result<()> {
    if json {
        super::print(&(serde_json::to_string_pretty(document)? + "\n"))?;
    } else {
        let (width, styled) = args::terminal();
        for table in report::run(document) {
            super::print(&(table.to_terminal(width, styled) + "\n"))?;
        }
    }
    for reason in &document.run.reasons {
        eprintln!("note: {reason}");
    }
    eprintln!("written to {}", path.display());
    Ok(())
}
