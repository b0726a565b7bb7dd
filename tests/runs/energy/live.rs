//! A load of known power over ten seconds through every real interface at once: the truth lies in the interval that each
//! source states, and the interval is as narrow as the source allows. Tight bounds are held in simulated time.

use crate::energy::fake::nvml::{Driver, RTX_3080, but};
use crate::energy::fake::plug::{GEN1, GEN2, Plug, Reply, json, missing};
use crate::energy::fake::sysfs::{Sysfs, put};
use rigbench::device::DeviceId;
use rigbench::energy::source::{command::Command, hwmon, rapl, shelly, tasmota};
use rigbench::energy::{
    EnergySource, LoadStep, Meter, MeterKind, NoFigure, Quantity, Sampling, Scope, SourceBinding,
    TimeSpan,
};
use rigbench::units::Seconds;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What the load draws, and so what everything shows.
const WATTS: f64 = 250.0;
/// Before the load begins.
const IDLE: f64 = 60.0;

/// A load that begins at some moment.
#[derive(Clone, Copy)]
struct Load(Instant);

impl Load {
    fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn joules(self) -> f64 {
        let idle = self.0.saturating_duration_since(Instant::now()).as_secs_f64();
        1e4 - IDLE * idle + WATTS * self.seconds()
    }

    /// As sensors show it: never twice quite the same.
    fn watts(self) -> f64 {
        let watts = if self.seconds() > 0.0 { WATTS } else { IDLE };
        watts * (1.0 + 2e-3 * (self.joules() / 6.0).sin())
    }
}

/// Runs something over and over until the test is over.
struct Following(Arc<AtomicBool>, Option<thread::JoinHandle<()>>);

impl Following {
    fn every(pause: Duration, mut step: impl FnMut() + Send + 'static) -> Following {
        let over = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !theirs.load(Ordering::Relaxed) {
                step();
                thread::sleep(pause);
            }
        });
        Following(over, Some(thread))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().map(thread::JoinHandle::join);
    }
}

fn shelly_1(load: Load) -> impl Fn(&str) -> Reply {
    move |path| match path {
        "/shelly" => json(GEN1),
        "/status" => json(&format!(
            r#"{{"meters":[{{"power":{:.2},"total":{}}}]}}"#,
            load.watts(),
            (load.joules() / 60.0) as u64
        )),
        _ => missing(),
    }
}

fn shelly_2(load: Load) -> impl Fn(&str) -> Reply {
    move |path| match path {
        "/shelly" => json(GEN2),
        "/rpc/Switch.GetStatus?id=0" => json(&format!(
            r#"{{"apower":{:.1},"aenergy":{{"total":{:.3}}}}}"#,
            load.watts(),
            load.joules() / 3600.0
        )),
        _ => missing(),
    }
}

fn tasmota_plug(load: Load) -> impl Fn(&str) -> Reply {
    move |path| match path {
        "/cm?cmnd=Status%208" => json(&format!(
            r#"{{"StatusSNS":{{"ENERGY":{{"Power":{:.1},"Total":{:.5}}}}}}}"#,
            load.watts(),
            load.joules() / 3.6e6
        )),
        _ => missing(),
    }
}

/// A plug that averages over a second and renews its reading every second shows this in some readings.
const IDLE_TIME: Duration = Duration::from_secs(8);

#[test]
fn ten_seconds_of_known_power_come_back() {
    // Two of NVML's powers, of the moment and as a mean, and both generations of the plug.
    let all = [
        ("rapl counter", 1),
        ("hwmon power", 1),
        ("nvml counter", 1),
        ("nvml power", 2),
        ("shelly power", 2),
        ("tasmota power", 1),
        ("command power", 1),
    ];
    let kinds =
        (0..3).find_map(|_| ten_seconds()).expect("sources are read without gaps once in a while");
    for (kind, times) in all {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), times, "{kind}: {kinds:?}");
    }
}

/// The sources that have a figure of ten seconds; `None` if other programs kept one from being read.
fn ten_seconds() -> Option<Vec<String>> {
    let load = Load(Instant::now() + IDLE_TIME);
    let tick = Duration::from_millis(5);
    let mut following = Vec::new();
    let mut sources: Vec<Box<dyn EnergySource>> = Vec::new();

    let processor = Sysfs::with(&[
        ("class/powercap/intel-rapl:0/name", "package-0"),
        ("class/powercap/intel-rapl:0/energy_uj", "1"),
        // It begins again at 0 in the middle of the test.
        ("class/powercap/intel-rapl:0/max_energy_range_uj", "2000000000"),
        // Far above the load: on a busy machine the thread that plays it comes late and then makes up for it at once.
        ("class/powercap/intel-rapl:0/constraint_0_max_power_uw", "2000000000"),
    ]);
    let file = processor.path().join("class/powercap/intel-rapl:0/energy_uj");
    let show = move || put(&file, &format!("{:.0}", load.joules() % 2000.0 * 1e6));
    show();
    following.push(Following::every(tick, show));
    sources.extend(rapl::find(processor.path()).unwrap());

    let card = "bus/pci/devices/0000:03:00.0/hwmon/hwmon3";
    let amd = Sysfs::with(&[(&format!("{card}/name"), "amdgpu")]);
    let file = amd.path().join(card).join("power1_average");
    let show = move || put(&file, &format!("{:.0}", load.watts() * 1e6));
    show();
    following.push(Following::every(tick, show));
    sources.extend(hwmon::find(amd.path(), "0000:03:00.0").unwrap().sources);

    let driver = Arc::new(Driver::with(&[RTX_3080]));
    let theirs = Arc::clone(&driver);
    let show = move || {
        let (energy, power) =
            (format!("{:.0}", load.joules() * 1e3), format!("{:.0}", load.watts() * 1e3));
        let answers = [("energy", &*energy), ("field185", &power), ("field186", &power)];
        theirs.answers(&[&but(RTX_3080, &answers)]);
    };
    show();
    following.push(Following::every(Duration::from_millis(100), show));
    sources.extend(driver.find("0000:01:00.0").unwrap().sources);

    let plugs =
        [Plug::new(shelly_1(load)), Plug::new(shelly_2(load)), Plug::new(tasmota_plug(load))];
    sources.extend(shelly::find(&plugs[0].url("")).unwrap());
    sources.extend(shelly::find(&plugs[1].url("")).unwrap());
    sources.extend(tasmota::find(&plugs[2].url("")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watts");
    let stream = format!("while :; do cat {}; sleep 0.2; done", file.display());
    let show = move || put(&file, &format!("{:.1} W", load.watts()));
    show();
    following.push(Following::every(Duration::from_millis(100), show));
    sources.push(Box::new(Command::start(&stream, Scope::Wall).unwrap()));

    let devices = vec![DeviceId::Cpu];
    let placed =
        sources.into_iter().map(|source| SourceBinding { source, devices: devices.clone() });
    let sampling = Sampling::start(placed.collect(), Seconds(0.0));
    let meter = Meter::new(&sampling, &DeviceId::Cpu);
    let idle_from = meter.now();
    thread::sleep(load.0.saturating_duration_since(Instant::now()));
    let load_from = meter.now();
    thread::sleep(Duration::from_secs(2));
    let from = meter.now();
    thread::sleep(Duration::from_secs(10));
    let to = meter.now();
    let truth = WATTS * (to - from).0;
    meter.wait_for_ticks(to, &mut || false);
    let measured = TimeSpan { from, to };
    let steps = [LoadStep { idle_from, load_from, measured, busy: None }];
    let (figures, readings) = (meter.figures(&steps), meter.readings(&steps));

    let mut kinds = Vec::new();
    for ((own, of_source), (info, _)) in figures.iter().zip(&readings).zip(sampling.sources()) {
        let total = match &own.total {
            Ok(total) => total,
            // Tasmota counts in 36 J and the first Shelly in 60: ten seconds of it say little, and it says so.
            Err(NoFigure::Gaps { .. }) => return None,
            Err(why) => {
                assert!(why.to_string().contains("measure for longer"), "{why}");
                continue;
            }
        };
        let counter = matches!(info.quantity, Quantity::Counter { .. });
        let off = total.gross.0 / truth - 1.0;
        let stated = total.terms.half_width().0 / total.gross.0;
        let cost = of_source.sampler_core_share;
        let what = format!("{} {}", info.kind, if counter { "counter" } else { "power" });
        println!(
            "{what}: {:+.2} %, stated ±{:.2} %, {} readings, {:.2} % of a core",
            100.0 * off,
            100.0 * stated,
            total.samples,
            100.0 * cost
        );
        assert!(off.abs() <= stated, "{what}: off by {off}, stated {stated}");
        // The meter's own accuracy, and no more than the two ends of ten seconds add at an update a second.
        assert!(stated <= info.accuracy.share + 0.06, "{what}: {stated}");
        // Reading never spins.
        assert!(cost < 0.25, "{what}: {cost} of a core");
        assert!(info.kind != MeterKind::Rapl || total.wraps >= 1);
        kinds.push(what);
    }
    Some(kinds)
}
