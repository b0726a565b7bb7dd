//! `rigbench run`: measures every workload on every device, with idle baselines before (with `--publish` also after), and writes the result
//! after each block.

mod power;
mod rounds;

use super::{Exit, args, busy, interrupt, say};
use crate::device::Device;
use crate::energy::PowerSpec;
use crate::gpu::{self, GpuError};
use crate::measure::{Mode, Protocol};
use crate::report;
use crate::results::{
    self, Baseline, Clock, Document, Evidence, Manifest, OrNewer, OutDir, Outcome, Row, Run,
    Verdict,
};
use crate::text;
use crate::units::Seconds;
use crate::workload::{Target, Workload};
use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;
use power::Power;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench run --quick\n  rigbench run --device gpu:0 --workload gemm:4096x4096x4096:f32\n  rigbench run --power declared:285@wall --json"
)]
pub(super) struct Args {
    /// A first look: two blocks of four windows of 0.4 s for each row
    #[arg(long, conflicts_with = "publish")]
    quick: bool,
    /// A figure to publish: 10 minutes for each row, in five two-minute blocks; the machine must be idle
    #[arg(long)]
    publish: bool,
    /// Publish although other programs use the processor; the run is invalid and says so
    #[arg(long, requires = "publish")]
    allow_busy: bool,
    #[command(flatten)]
    devices: args::Devices,
    #[command(flatten)]
    workloads: args::Workloads,
    #[command(flatten)]
    skip: args::Skip,
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
    /// Seed of the test data [default: random]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Label stored in the result file; may repeat
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Hex value chosen by whoever requests the run; all test data derive from it
    #[arg(long, value_name = "HEX", value_parser = |text: &str| hex(text, 1..=64))]
    challenge: Option<String>,
    /// The header of a new Bitcoin block, 80 bytes: shows that the run began after that block was mined
    #[arg(long, value_name = "HEADER_HEX", value_parser = |text: &str| hex(text, 80..=80))]
    beacon: Option<String>,
    /// Omit the machine's id (a hash) from the result
    #[arg(long)]
    anonymous: bool,
}

/// Maximum length of a label, in bytes.
const MAX_LABEL_BYTES: usize = 200;

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && text.len() <= MAX_LABEL_BYTES => {
            Ok((key.to_string(), value.to_string()))
        }
        _ => Err(format!("write KEY=VALUE, at most {MAX_LABEL_BYTES} bytes, as in rack=7")),
    }
}

/// Checks that a text is hexadecimal for a number of bytes within `bytes`, and returns it in lower case.
fn hex(text: &str, bytes: std::ops::RangeInclusive<usize>) -> Result<String, String> {
    let is_valid = text.len().is_multiple_of(2)
        && bytes.contains(&(text.len() / 2))
        && text.bytes().all(|b| b.is_ascii_hexdigit());
    match bytes.into_inner() {
        _ if is_valid => Ok(text.to_lowercase()),
        (min, max) if min == max => Err(format!("write {min} bytes, as {} hex digits", 2 * min)),
        (min, max) => Err(format!("write {min} to {max} bytes, two hex digits each")),
    }
}

/// The validated arguments.
struct Plan<'a> {
    devices: Vec<Device>,
    /// The devices, opened. They stay open for the whole run.
    targets: Vec<Result<Target, GpuError>>,
    workloads: Vec<Box<dyn Workload>>,
    power: Power,
    mode: Mode,
    protocol: Protocol,
    skip: &'a args::Skip,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    interrupt::listen()?;
    if let Some(beacon) = &args.beacon {
        results::judge_beacon(beacon, now()).map_err(|why| anyhow!("--beacon: {why}"))?;
    }
    let labels: BTreeMap<String, String> = args.labels.iter().cloned().collect();
    if labels.len() < args.labels.len() {
        bail!("a --label is given twice; each KEY has one value");
    }
    let mut plan = plan(args)?;
    let out = OutDir::open(&args.out.clone().unwrap_or_else(OutDir::default_path))?;
    let idle = plan.mode != Mode::Publish || busy::wait_until_idle();
    if !idle && !args.allow_busy {
        bail!(
            "other programs use the processor: end them, or publish with --allow-busy, which marks the run as invalid"
        );
    }
    let mut run = Evidence {
        run: Run {
            id: uuid::Uuid::new_v4().to_string(),
            started_at: now(),
            finished_at: None,
            attempt: None,
            labels,
            user_seed: args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_fields().0),
            began_busy: !idle,
        },
        challenge: args.challenge.clone(),
        beacon: args.beacon.clone(),
        manifest: Manifest::new(
            &plan.devices,
            gpu::enumerate().iter().filter(|device| !device.class.runs_on_cpu()).count(),
            plan.workloads.iter().map(|workload| workload.spec()).collect(),
            plan.power.sources(&plan.devices, &plan.workloads),
            &plan.protocol,
            args.anonymous,
        ),
        clock: Clock { zero_at: plan.power.sampling.zero_at() },
        baselines: Vec::new(),
        rows: Vec::new(),
    };
    let file = out.create(&run)?;
    let seed = results::seed(&run);
    run.baselines = take_baselines(&mut plan);
    for number in 0..plan.devices.len() {
        let before = run.rows.len();
        rounds::Rounds { plan: &plan, number, seed }.measure(&mut |rows: Vec<Row>| {
            run.rows.truncate(before);
            run.rows.extend(rows.into_iter().map(OrNewer::Known));
            file.replace(&run)
        })?;
    }
    if plan.mode == Mode::Publish && !interrupt::asked() {
        run.baselines = take_baselines(&mut plan);
    }
    let interrupted = interrupt::asked();
    if !interrupted {
        run.run.finished_at = Some(now());
    }
    file.replace(&run)?;
    let document = Document::of(run);
    let printed = print(&document, args.json, file.path());
    if interrupted {
        // Even if printing failed.
        return Ok(Exit::Interrupted);
    }
    printed?;
    let publish = plan.mode == Mode::Publish;
    let no = document.rows().any(|(row, figures)| {
        matches!(row.outcome, Outcome::Failed(_) | Outcome::Crashed(_))
            || (publish && figures.verdict == Verdict::Invalid)
    });
    Ok(if no { Exit::No } else { Exit::Done })
}

/// Validates the arguments, and opens devices and meters.
fn plan(args: &Args) -> Result<Plan<'_>> {
    let workloads = args.workloads.parse(args::DEFAULT)?;
    let power: Vec<PowerSpec> =
        args.power.iter().map(|spec| spec.parse()).collect::<Result<_, _>>()?;
    if power.len() > 1 && power.contains(&PowerSpec::None) {
        bail!("--power none excludes every other --power; give one or the other");
    }
    for name in power.iter().flat_map(PowerSpec::workloads) {
        if !workloads.iter().any(|w| w.id().into_str() == name) {
            let known: Vec<&str> = workloads.iter().map(|w| w.id().into_str()).collect();
            bail!("--power names '{name}', which is not run; run are: {}", known.join(", "));
        }
    }
    let devices = args.devices.select()?;
    args::note_hidden(&devices);
    args.skip.ensure_known()?;
    let targets: Vec<Result<Target, GpuError>> = devices.iter().map(Target::open).collect();
    for workload in &workloads {
        let unsupported = |target: &Result<Target, _>| workload.unsupported(target.as_ref().ok()?);
        let reasons: Option<Vec<String>> = targets.iter().map(unsupported).collect();
        if let Some([reason, ..]) = reasons.as_deref() {
            bail!("no chosen device can hold {}: {reason}", workload.spec());
        }
    }
    let mode = match (args.quick, args.publish) {
        (true, _) => Mode::Quick,
        (_, true) => Mode::Publish,
        _ => Mode::Default,
    };
    let protocol = Protocol::of(mode);
    let power = Power::open(power, &devices, Seconds(protocol.least_poll_seconds))?;
    Ok(Plan { devices, targets, workloads, power, mode, protocol, skip: &args.skip })
}

/// The current time, rounded down to a second.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Measures the idle power of every source; returns what is known of it.
fn take_baselines(plan: &mut Plan) -> Vec<Baseline> {
    let (sampling, protocol) = (&mut plan.power.sampling, &plan.protocol);
    let [shortest, longest] =
        [protocol.baseline_seconds, protocol.baseline_longest_seconds].map(Seconds);
    sampling.take_baseline(shortest, longest, &mut interrupt::asked);
    let all = sampling.baselines().into_iter().enumerate();
    all.filter_map(|(source, idle)| Some(Baseline { source, idle: idle? })).collect()
}

fn print(document: &Document, json: bool, path: &Path) -> Result<()> {
    if json {
        super::print(&text::json(&results::text(document)))?;
    } else {
        super::print_tables(&report::run(document))?;
    }
    for reason in report::reasons(document) {
        say(&format!("note: {reason}"));
    }
    say(&format!("written to {}", path.display()));
    Ok(())
}
