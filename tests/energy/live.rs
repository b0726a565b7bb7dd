//! A load of known power over ten seconds through every real interface at once: counters within 1 %, samples within 2 %.

use crate::fake::nvml::{Driver, RTX_3080, but};
use crate::fake::plug::{GEN1, GEN2, Plug, Reply, json, missing};
use crate::fake::sysfs::{Sysfs, put};
use rigbench::device::DeviceId;
use rigbench::energy::source::{command::Command, hwmon, rapl, shelly, tasmota};
use rigbench::energy::{Energy, EnergySource, Meter, Placed, Quantity, Sampling, Scope, Stretch};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What the load draws, and so what everything shows.
const WATTS: f64 = 250.0;

/// A load since some moment.
#[derive(Clone, Copy)]
struct Load(Instant);

impl Load {
    fn joules(self) -> f64 {
        1e4 + WATTS * self.0.elapsed().as_secs_f64()
    }

    /// As sensors show it: never twice quite the same.
    fn watts(self) -> f64 {
        WATTS * (1.0 + 2e-3 * (self.0.elapsed().as_secs_f64() * 41.0).sin())
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

#[test]
fn ten_seconds_of_known_power_come_back() {
    let load = Load(Instant::now());
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
    // As far as a shell can make a load: it alternates around it.
    let stream = "while :; do echo 249; sleep 0.2; echo 251 W; sleep 0.2; done";
    sources.push(Box::new(Command::start(stream, Scope::Wall).unwrap()));

    let devices = vec![DeviceId::Cpu];
    let placed = sources.into_iter().map(|source| Placed { source, devices: devices.clone() });
    let sampling = Sampling::start(placed.collect());
    let meter = Meter::new(&sampling, &DeviceId::Cpu, vec![], "nothing is read");
    thread::sleep(Duration::from_secs(2));
    let from = meter.now();
    thread::sleep(Duration::from_secs(10));
    let to = meter.now();
    let truth = WATTS * (to - from).0;
    meter.catch_up(to, &mut || false);
    let energy = meter.over(&[Stretch { from, to }]);

    let mut kinds = Vec::new();
    for energy in &energy {
        match energy {
            Energy::Measured(m) => {
                let counter = matches!(m.source.quantity, Quantity::Counter { .. });
                let (off, bar) =
                    (m.integral.gross.0 / truth - 1.0, if counter { 0.01 } else { 0.02 });
                let what =
                    format!("{} {}", m.source.kind, if counter { "counter" } else { "power" });
                println!(
                    "{what}: {:+.2} %, stated ±{:.2} %, {} readings, {:.2} % of a core",
                    100.0 * off,
                    100.0 * m.integral.terms.half_width().0 / m.integral.gross.0,
                    m.integral.samples,
                    100.0 * m.cost
                );
                assert!(off.abs() <= bar, "{what}: off by {off}");
                // Processor time, not wall time: a busy machine does not change it much.
                assert!(
                    m.cost < 0.005 * f64::max(1.0, m.integral.samples as f64 / 100.0),
                    "{what}: {}",
                    m.cost
                );
                assert!(m.source.kind != "rapl" || m.integral.wraps >= 1);
                kinds.push(what);
            }
            // Tasmota counts in 36 J and the first Shelly in 60: ten seconds of it say little, and it says so.
            Energy::None { reason } => assert!(reason.contains("measure for longer"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    // Two of NVML's powers, of the moment and as a mean, and both generations of the plug.
    for (kind, times) in [
        ("rapl counter", 1),
        ("hwmon power", 1),
        ("nvml counter", 1),
        ("nvml power", 2),
        ("shelly power", 2),
        ("tasmota power", 1),
        ("command power", 1),
    ] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), times, "{kind}: {kinds:?}");
    }
}
