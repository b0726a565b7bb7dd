//! The tuner on workloads whose rates are known beforehand.

use rigbench::device::Device;
use rigbench::kernels::Kernel;
use rigbench::measure::MeasureError;
use rigbench::oracle::Verdict;
use rigbench::tune::{Effort, Tuner};
use rigbench::units::{Unit, Work};
use rigbench::workload::data::Seed;
use rigbench::workload::{Batch, Job, JobError, Proof, Target, Variant, Workload};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Jobs that all take the same time and claim different work.
struct Fake {
    name: &'static str,
    variants: &'static [&'static str],
}

/// How often a wrong or a broken kernel ran on the clock.
static WRONG_RAN: AtomicU64 = AtomicU64::new(0);

struct FakeJob(&'static str);

impl Job for FakeJob {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        Ok(match self.0 {
            "wrong" => Verdict::Disagrees("off by one".into()),
            _ => Verdict::NOTHING,
        })
    }
    fn kernel(&self) -> Option<&Kernel> {
        None
    }
    fn resize(&mut self, _: f64) {}
    fn submit(&mut self) -> Result<(), JobError> {
        if self.0 == "wrong" {
            WRONG_RAN.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
    fn wait(&mut self) -> Result<Batch, JobError> {
        std::thread::sleep(Duration::from_millis(1));
        let work = if self.0 == "fast" { 1_000_000 } else { 1 };
        Ok(Batch { work: Work(work), gpu_seconds: None })
    }
    fn open_window(&mut self, _: u32) -> Result<(), JobError> {
        Ok(())
    }
    fn close_window(&mut self) -> Result<(), JobError> {
        Ok(())
    }
    fn check_window(&mut self, _: u32) -> Result<Verdict, JobError> {
        Ok(Verdict::NOTHING)
    }
    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}

impl Workload for Fake {
    fn id(&self) -> &'static str {
        self.name
    }
    fn unit(&self) -> Unit {
        Unit::Hash
    }
    fn shape(&self) -> String {
        String::new()
    }
    fn unsupported(&self, _: &Target) -> Option<String> {
        None
    }
    fn variants(&self, _: &Target) -> Vec<Variant> {
        self.variants.iter().map(|id| Variant::Cpu(id)).collect()
    }
    fn prepare(&self, _: &Target, v: &Variant, _: Seed) -> Result<Box<dyn Job>, JobError> {
        match v.id() {
            "broken" => Err(JobError::Wrong("does not compile".into())),
            id => Ok(Box::new(FakeJob(id))),
        }
    }
}

fn tuned(fake: &Fake, effort: Effort) -> Result<rigbench::tune::Choice, MeasureError> {
    let target = Target::open(&Device::cpu()).unwrap();
    let tuner = Tuner { effort, retune: false, cache: None };
    tuner.choose(fake, &target, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn the_fastest_right_kernel_wins_and_the_others_are_on_record() {
    let fake = Fake { name: "fake-1", variants: &["slow", "wrong", "broken", "fast", "fifth"] };
    let choice = tuned(&fake, Effort::Quick).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(choice.variant.id(), "fast");
    assert!(choice.batch.unwrap().0 <= 0.05);
    let of = |id| choice.record.trials.iter().find(|t| t.kernel == id);
    assert!(of("slow").unwrap().throughput > Some(0.0));
    assert!(of("wrong").unwrap().reason.as_ref().unwrap().contains("off by one"));
    assert!(of("broken").unwrap().reason.as_ref().unwrap().contains("does not compile"));
    assert_eq!(of("wrong").unwrap().throughput, None);
    assert_eq!(WRONG_RAN.load(Ordering::Relaxed), 0, "a wrong kernel ran on the clock");
    assert!(of("fifth").is_none(), "a quick pass tries four at most");
}

#[test]
fn where_none_is_right_it_says_why() {
    let fake = Fake { name: "fake-2", variants: &["wrong", "broken"] };
    match tuned(&fake, Effort::Full) {
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("off by one") && error.contains("does not compile"), "{error}");
        }
        Ok(choice) => panic!("{} was chosen", choice.variant.id()),
    }
}

#[test]
fn a_stop_is_heard() {
    let fake = Fake { name: "fake-3", variants: &["slow", "fast"] };
    let target = Target::open(&Device::cpu()).unwrap();
    let tuner = Tuner { effort: Effort::Full, retune: false, cache: None };
    let stopped = tuner.choose(&fake, &target, &mut |share| {
        if share > 0.3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(MeasureError::Interrupted)));
}
