//! The tuner on workloads whose rates are known beforehand.

use rigbench::device::Device;
use rigbench::kernels::Kernel;
use rigbench::measure::MeasureError;
use rigbench::oracle::Verdict;
use rigbench::results::FailureCode;
use rigbench::tune::{Effort, Tuner};
use rigbench::units::{Unit, Work};
use rigbench::workload::data::Seed;
use rigbench::workload::{Batch, Id, Job, JobError, Proof, Shape, Target, Variant, Workload};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Jobs that all take the same time and claim different work.
struct Fake {
    name: &'static str,
    variants: &'static [&'static str],
}

/// How often a wrong or a broken kernel ran on the clock.
static WRONG_RAN: AtomicU64 = AtomicU64::new(0);

/// The name, and how many batches were submitted.
struct FakeJob(&'static str, u32);

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
        self.1 += 1;
        match self.0 {
            "wrong" => drop(WRONG_RAN.fetch_add(1, Ordering::Relaxed)),
            "breaks" if self.1 > 5 => return Err(JobError::Wrong("it broke".into())),
            _ => {}
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
    fn id(&self) -> Id {
        Id::Sha256d
    }
    fn unit(&self) -> Unit {
        Unit::Hash
    }
    fn arguments(&self) -> String {
        self.name.into()
    }
    fn shape(&self) -> Shape {
        Shape::default()
    }
    fn unsupported(&self, _: &Target) -> Option<String> {
        None
    }
    fn variants(&self, _: &Target) -> Vec<Variant> {
        self.variants.iter().map(|id| Variant::Cpu(id)).collect()
    }
    fn prepare(&self, _: &Target, v: &Variant, _: Seed) -> Result<Box<dyn Job>, JobError> {
        match v.id() {
            "broken" | "broken-too" => Err(JobError::Wrong("does not compile".into())),
            id => Ok(Box::new(FakeJob(id, 0))),
        }
    }
}

fn tuned(fake: &Fake, effort: Effort) -> Result<rigbench::tune::Choice, MeasureError> {
    let mut target = Target::open(&Device::cpu()).unwrap();
    let tuner = Tuner { cache: None, ..Tuner::new(effort, false) };
    tuner.choose(fake, &mut target, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn the_fastest_right_kernel_wins_and_the_others_are_on_record() {
    let fake = Fake { name: "fake-1", variants: &["slow", "wrong", "broken", "fast", "fifth"] };
    let choice = tuned(&fake, Effort::Quick).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(choice.variant.id(), "fast");
    assert!(choice.batch.unwrap().0 <= 0.05);
    let of = |id| choice.record.trials.iter().find(|t| t.kernel == id);
    assert!(of("slow").unwrap().throughput > Some(0.0));
    for (id, says) in [("wrong", "off by one"), ("broken", "does not compile")] {
        let failure = of(id).unwrap().failure.as_ref().unwrap();
        assert_eq!(failure.code, FailureCode::WrongOutput);
        assert!(failure.message.contains(says), "{failure}");
    }
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
fn a_kernel_that_breaks_on_the_clock_is_left_out_and_the_others_are_compared() {
    let fake = Fake { name: "fake-4", variants: &["breaks", "slow", "fast"] };
    let choice = tuned(&fake, Effort::Quick).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(choice.variant.id(), "fast");
    let of = |id| choice.record.trials.iter().filter(move |t| t.kernel == id);
    let broken: Vec<_> = of("breaks").collect();
    assert_eq!(broken.len(), 1);
    assert!(broken[0].failure.as_ref().unwrap().message.contains("it broke"));
    assert!(of("slow").next().unwrap().throughput > Some(0.0));
}

#[test]
fn one_reason_of_all_kernels_is_said_once_and_as_what_it_is() {
    let fake = Fake { name: "fake-5", variants: &["broken", "broken-too"] };
    let Err(error) = tuned(&fake, Effort::Full) else { panic!("a broken kernel was chosen") };
    assert_eq!(error.to_string(), "wrong output: does not compile");
}

#[test]
fn a_stop_is_heard() {
    let fake = Fake { name: "fake-3", variants: &["slow", "fast"] };
    let mut target = Target::open(&Device::cpu()).unwrap();
    let tuner = Tuner { cache: None, ..Tuner::new(Effort::Full, false) };
    let stopped = tuner.choose(&fake, &mut target, &mut |share| {
        if share > 0.3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(MeasureError::Interrupted)));
}

/// The lengths of batches that are tried.
const LENGTHS: [f64; 4] = [0.005, 0.01, 0.02, 0.04];

/// A workload with a choice kept in a folder, and the text of the entry.
fn kept(name: &'static str) -> (Fake, tempfile::TempDir, String) {
    let (fake, folder) =
        (Fake { name, variants: &["slow", "wrong", "fast"] }, tempfile::tempdir().unwrap());
    let mut target = Target::open(&Device::cpu()).unwrap();
    let tuner =
        Tuner { cache: Some(folder.path().to_path_buf()), ..Tuner::new(Effort::Quick, false) };
    tuner
        .choose(&fake, &mut target, &mut |_| ControlFlow::Continue(()))
        .unwrap_or_else(|e| panic!("{e}"));
    let text = std::fs::read_to_string(entry(folder.path())).unwrap();
    (fake, folder, text)
}

/// The one entry in a folder.
fn entry(folder: &Path) -> std::path::PathBuf {
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

/// What is taken from the folder; none if trials would have begun.
fn taken(fake: &Fake, folder: &Path) -> Option<rigbench::tune::Choice> {
    let mut target = Target::open(&Device::cpu()).unwrap();
    let tuner = Tuner { cache: Some(folder.to_path_buf()), ..Tuner::new(Effort::Quick, false) };
    match tuner.choose(fake, &mut target, &mut |_| ControlFlow::Break(())) {
        Ok(choice) => Some(choice),
        Err(MeasureError::Interrupted) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_kept_choice_is_taken_and_one_that_no_trials_give_is_not() {
    let (fake, folder, text) = kept("fake-4");
    let good: Value = serde_json::from_str(&text).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        std::fs::write(entry(folder.path()), value.to_string()).unwrap();
        taken(&fake, folder.path())
    };
    assert_eq!(with(&|_| ()).unwrap().variant.id(), "fast");
    let tuning = |path: &'static str, to: Value| {
        with(&|value: &mut Value| *value["tuning"].pointer_mut(path).unwrap() = to.clone())
            .is_none()
    };
    for seconds in
        [json!(1e308), json!(-1), json!(0), json!(0.03), json!(5e-324), json!(null), json!("x")]
    {
        assert!(tuning("/batch_seconds", seconds.clone()), "{seconds}");
    }
    assert!(tuning("/kernel", json!("nobody")));
    assert!(tuning("/trials", json!("nothing")));
    let timed = good["tuning"]["trials"]["throughput"].as_array().unwrap();
    let timed = timed.iter().position(Value::is_number).unwrap();
    for (column, to) in [
        ("throughput", json!(-1.0)),
        ("throughput", json!(null)),
        ("kernel", json!("nobody")),
        ("batch_seconds", json!(1e308)),
    ] {
        let change = |value: &mut Value| value["tuning"]["trials"][column][timed] = to.clone();
        assert!(with(&change).is_none(), "{column} {to}");
    }
    let failure = json!({"code": "driver", "message": "it was not timed"});
    for (field, to) in [
        ("failures", json!({timed.to_string(): failure})),
        ("throughput", json!([1.0])),
        ("kernel", json!([])),
        ("batch_seconds", json!(vec![0.01; 1000])),
    ] {
        let change = |value: &mut Value| value["tuning"]["trials"][field] = to.clone();
        assert!(with(&change).is_none(), "{field} {to}");
    }
    assert!(with(&|value| value["key"]["workload"] = json!("another")).is_none());
    let write = |bytes: &[u8]| std::fs::write(entry(folder.path()), bytes).unwrap();
    write(b"");
    assert!(taken(&fake, folder.path()).is_none());
    // Larger than any entry, and as right as the first.
    write(format!("{text}{}", " ".repeat(2 << 20)).as_bytes());
    assert!(taken(&fake, folder.path()).is_none());
    write(text.as_bytes());
    assert!(taken(&fake, folder.path()).is_some());
}

/// Reading a pipe would wait for a writer who never comes.
#[cfg(unix)]
#[test]
fn a_kept_choice_that_is_a_pipe_is_not_waited_for() {
    let (fake, folder, _) = kept("fake-5");
    let entry = entry(folder.path());
    std::fs::remove_file(&entry).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&entry).status().unwrap().success());
    assert!(taken(&fake, folder.path()).is_none());
}

/// Bytes of the choice in an entry are changed, added and taken away: what is taken all the same is one that trials can give.
#[test]
fn mutated_entries_are_ignored_or_sane() {
    let (fake, folder, text) = kept("fake-6");
    let path = entry(folder.path());
    let mut state = 1u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let choice_from = text.find("\"tuning\"").unwrap();
    let mut taken_all_the_same = 0;
    for _ in 0..500 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=random(3) {
            let at = choice_from + random(bytes.len() - choice_from);
            // Digits and signs most of the time, which leave the text one that can be read.
            let byte = if random(4) > 0 { b"0123456789-.e"[random(13)] } else { random(256) as u8 };
            match random(3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Some(choice) = taken(&fake, folder.path()) {
            taken_all_the_same += 1;
            assert!(fake.variants.contains(&choice.variant.id()));
            assert!(LENGTHS.contains(&choice.batch.unwrap().0), "{:?}", choice.batch);
            for trial in &choice.record.trials {
                let is_rate = |rate: f64| rate.is_finite() && rate >= 0.0;
                assert!(trial.throughput.is_none_or(is_rate), "{trial:?}");
            }
        }
    }
    println!("{taken_all_the_same} of 500 mutated entries were taken");
}
