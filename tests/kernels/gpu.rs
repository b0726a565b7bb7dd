//! Kernels on the first adapter, whatever it is: any shape is right, a wrong kernel and a lost device are seen.

use crate::support;

use proptest::prelude::*;
use rigbench::energy::{Meter, Sampling};
use rigbench::gpu::Gpu;
use rigbench::measure::{Event, MeasureError, Mode, Observer, Protocol, measure};
use rigbench::oracle::Verdict;
use rigbench::units::{Bytes, Seconds, Work};
use rigbench::workload::data::Seed;
use rigbench::workload::{Batch, Job, JobError, Proof, Target, Variant, parse};
use std::collections::HashSet;
use std::ops::ControlFlow;

fn jobs(gpu: &Gpu, spec: &str) -> Vec<Box<dyn Job>> {
    let variants = parse(spec).unwrap().variants(&Target::Gpu(gpu.clone()));
    variants.iter().map(|variant| job(gpu, spec, variant)).collect()
}

fn job(gpu: &Gpu, spec: &str, variant: &Variant) -> Box<dyn Job> {
    parse(spec).unwrap().prepare(&Target::Gpu(gpu.clone()), variant, Seed([9; 32])).unwrap()
}

/// The first variant of each WGSL file that takes the spec.
fn families(gpu: &Gpu, spec: &str) -> Vec<Variant> {
    let mut variants = parse(spec).unwrap().variants(&Target::Gpu(gpu.clone()));
    let mut seen = HashSet::new();
    variants.retain(|variant| match variant {
        Variant::Gpu(entry) => seen.insert(entry.source()),
        Variant::Cpu(_) | Variant::Decoder(_) => false,
    });
    variants
}

fn agrees(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Agrees { .. })
}

#[test]
fn sha256d_variants_find_real_nonces_and_every_share() {
    let Some(gpu) = support::gpu("sha256d_variants_find_real_nonces_and_every_share") else {
        return;
    };
    for mut job in jobs(&gpu, "sha256d") {
        let verdict = job.verify().unwrap();
        assert!(agrees(&verdict), "{:?}: {verdict:?}", job.kernel().map(|k| &k.id));
    }
}

/// Specs of every type, of a shape.
fn products(m: usize, n: usize, k: usize) -> Vec<String> {
    let types = [
        "f32",
        "f16",
        "f16:activations=f32",
        "int8",
        "int8:activations=f16",
        "int8:activations=int8",
        "int4",
        "int4:activations=f16",
        "int4:activations=int8",
    ];
    let transposed = ["f32:transpose=a", "f32:transpose=b"];
    let gemm = types.iter().chain(&transposed).map(|t| format!("gemm:{m}x{n}x{k}:{t}"));
    gemm.chain(types.iter().map(|t| format!("gemv:{n}x{k}:{t}"))).collect()
}

#[test]
fn products_are_right_for_any_shape_and_type() {
    let Some(gpu) = support::gpu("products_are_right_for_any_shape_and_type") else { return };
    let check = |spec: &str, variants: Vec<Variant>| {
        for variant in variants {
            let verdict = job(&gpu, spec, &variant).verify().unwrap();
            prop_assert!(agrees(&verdict), "{spec} {}: {verdict:?}", variant.id());
        }
        Ok(())
    };
    let all = |spec: &str| parse(spec).unwrap().variants(&Target::Gpu(gpu.clone()));
    let odd = [(1, 1, 1), (1, 257, 3), (127, 131, 137), (9, 300, 70)];
    for spec in odd.iter().flat_map(|&(m, n, k)| products(m, n, k)) {
        check(&spec, all(&spec)).unwrap();
    }
    let shapes = (1usize..70, 1usize..300, 1usize..90, prop::sample::Index::arbitrary());
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() };
    proptest!(config, |((m, n, k, which) in shapes)| {
        let specs = products(m, n, k);
        let spec = &specs[which.index(specs.len())];
        check(spec, all(spec))?;
    });
}

/// What only adapters with cooperative matrices have: apart from the others, for a driver that is newer than the system's.
#[test]
fn matrix_units_are_right_for_any_shape_and_type() {
    let test = "matrix_units_are_right_for_any_shape_and_type";
    let Some(gpu) = support::gpu(test) else { return };
    let variants = |spec: &str| {
        let mut variants = parse(spec).unwrap().variants(&Target::Gpu(gpu.clone()));
        variants.retain(|variant| variant.id().starts_with("gemm/matrix"));
        variants
    };
    if variants("gemm:64x64x64:f16").is_empty() {
        support::not_run(
            test,
            "no cooperative matrices here: run by another test, on the newest Mesa",
        );
        return;
    }
    let check = |m: usize, n: usize, k: usize, kind: &str| {
        let spec = format!("gemm:{m}x{n}x{k}:{kind}");
        for variant in variants(&spec) {
            let verdict = job(&gpu, &spec, &variant).verify().unwrap();
            prop_assert!(agrees(&verdict), "{spec} {}: {verdict:?}", variant.id());
        }
        Ok(())
    };
    let kinds = [
        "f16",
        "f16:activations=f32",
        "int8",
        "int8:activations=f16",
        "int4",
        "int4:activations=f16",
    ];
    for kind in kinds {
        for (m, n, k) in [(1, 1, 1), (127, 131, 137), (9, 300, 70), (2, 140_000, 500)] {
            check(m, n, k, kind).unwrap();
        }
    }
    let shapes = (1usize..200, 1usize..300, 1usize..200, prop::sample::select(kinds.to_vec()));
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() };
    proptest!(config, |((m, n, k, kind) in shapes)| check(m, n, k, kind)?);
}

/// The first GPU, opened with a limit of 1 MiB for a binding, so that small matrices are split as large ones are.
fn gpu_with_small_bindings(gpu: &Gpu) -> Gpu {
    let mut device = gpu.description().clone();
    device.gpu.as_mut().unwrap().limits.storage_binding = Bytes(1 << 20);
    Gpu::open(&device).unwrap()
}

#[test]
fn matrices_beyond_a_binding_are_split() {
    let Some(gpu) = support::gpu("matrices_beyond_a_binding_are_split") else { return };
    let small = gpu_with_small_bindings(&gpu);
    // Of B, of A, of C, each beyond 1 MiB; and of weights that are read from several copies.
    let every_family = [
        "gemm:2x1400x500",
        "gemm:1400x2x500",
        "gemm:750x400x1",
        "gemm:2x2800x500:f16",
        "gemm:2x5600x500:int8:activations=int8",
        "gemm:2x1400x500:f32:transpose=b",
        "gemv:1400x500",
        "gemv:5600x500:int8:activations=int8",
    ];
    // Beyond 128 MiB, which most adapters take.
    let first_family = ["gemm:2x70000x500", "gemm:70000x2x500", "gemv:70000x500"];
    let all = every_family.map(|spec| (&small, spec, usize::MAX)).into_iter();
    for (gpu, spec, count) in all.chain(first_family.map(|spec| (&gpu, spec, 1))) {
        for variant in families(gpu, spec).into_iter().take(count) {
            let (mut job, id) = (job(gpu, spec, &variant), variant.id());
            let verdict = job.verify().unwrap();
            assert!(agrees(&verdict), "{spec} {id}: {verdict:?}");
            // And as it is timed.
            job.open_window(0).unwrap();
            for _ in 0..2 {
                job.submit().unwrap();
                job.wait().unwrap();
            }
            job.close_window().unwrap();
            let verdict = job.check_window(0).unwrap();
            assert!(agrees(&verdict), "{spec} {id}: {verdict:?}");
        }
    }
}

/// Batches as short as can be.
const BATCH: Option<Seconds> = Some(Seconds(0.004));

/// Windows as short as can be.
fn hasty() -> Protocol {
    Protocol {
        blocks: 1,
        windows: 3,
        window_seconds: 0.03,
        longest_seconds: 0.0,
        rest_seconds: 0.0,
        warm_up_slice_seconds: 0.01,
        warm_up_longest_seconds: 0.05,
        ..Protocol::of(Mode::Quick)
    }
}

fn measured(
    job: &mut dyn Job,
    gpu: &Gpu,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<rigbench::measure::Measurement, MeasureError> {
    let sampling = Sampling::start(vec![], Seconds(0.0));
    let meter = Meter::new(&sampling, &gpu.description().id);
    measure(job, meter, Observer::new(gpu.description()), &hasty(), BATCH, on_event)
}

#[test]
fn windows_are_contiguous_and_their_outputs_are_checked() {
    let Some(gpu) = support::own_gpu("windows_are_contiguous_and_their_outputs_are_checked") else {
        return;
    };
    for spec in ["sha256d", "gemm:65x70x33"] {
        for mut job in jobs(&gpu, spec) {
            let m = measured(job.as_mut(), &gpu, &mut |_| ControlFlow::Continue(())).unwrap();
            assert_eq!((m.verification.wrong_windows, m.verification.wrong_output), (vec![], None));
            assert_eq!((m.windows.len(), m.windows.check()), (3, Ok(())));
            // From mark to mark: nothing is between them, and all of them are what was measured.
            let (stretches, steps) = (m.windows.stretches(), m.windows.steps());
            assert_eq!(stretches[0].from, steps[0].measured.from);
            assert!(stretches.windows(2).all(|pair| pair[0].to == pair[1].from), "{stretches:?}");
            assert!((stretches[2].to - steps[0].measured.to).0.abs() < 1e-9, "{stretches:?}");
            assert!(m.windows.iter().all(|w| w.work > Work(0) && w.wall.0 >= 0.85 * 0.03));
            if gpu.details().timestamps {
                assert!(m.windows.iter().all(|w| w.gpu.is_some_and(|s| s.0 > 0.0)));
            }
            assert!(m.verification.checked > 0 && m.verification.checked_in_windows > 0);
        }
    }
}

#[test]
fn a_stop_keeps_finished_windows_and_says_so() {
    let Some(gpu) = support::own_gpu("a_stop_keeps_finished_windows_and_says_so") else { return };
    let mut job = jobs(&gpu, "gemm:64x64x64").remove(0);
    let stop_after_two = &mut |event| match event {
        Event::Window(2, ..) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let m = measured(job.as_mut(), &gpu, stop_after_two).unwrap();
    assert_eq!(m.windows.len(), 2);
    let at_once = measured(job.as_mut(), &gpu, &mut |_| ControlFlow::Break(()));
    assert!(matches!(at_once, Err(MeasureError::Interrupted)));
}

#[test]
fn a_lost_device_is_an_error_with_its_reason() {
    if support::own_gpu("a_lost_device_is_an_error_with_its_reason").is_none() {
        return;
    }
    for spec in ["sha256d", "gemm:200x200x200"] {
        // Its own device, since it will be gone.
        let gpu = support::own_gpu("").unwrap();
        let mut job = jobs(&gpu, spec).remove(0);
        let lose = &mut |event| {
            if let Event::Window(1, ..) = event {
                gpu.destroy();
            }
            ControlFlow::Continue(())
        };
        match measured(job.as_mut(), &gpu, lose) {
            Err(error) => assert!(error.to_string().contains("lost"), "{error}"),
            Ok(_) => panic!("{spec} went on without a device"),
        }
    }
}

/// A job whose kernel turns wrong at some point.
struct Turning {
    verify_wrong: bool,
    window_wrong: u32,
    submitted: u32,
}

impl Job for Turning {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        Ok(match self.verify_wrong {
            true => Verdict::Disagrees("off by one".into()),
            false => Verdict::Agrees { checked: 1, worst: 0.0 },
        })
    }
    fn kernel(&self) -> Option<&rigbench::kernels::Kernel> {
        None
    }
    fn resize(&mut self, _: f64) {}
    fn submit(&mut self) -> Result<(), JobError> {
        self.submitted += 1;
        Ok(())
    }
    fn wait(&mut self) -> Result<Batch, JobError> {
        std::thread::sleep(std::time::Duration::from_millis(1));
        Ok(Batch { work: Work(1), gpu_seconds: None })
    }
    fn open_window(&mut self, _: u32) -> Result<(), JobError> {
        Ok(())
    }
    fn close_window(&mut self) -> Result<(), JobError> {
        Ok(())
    }
    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        Ok(match window == self.window_wrong {
            true => Verdict::Disagrees("stale output".into()),
            false => Verdict::Agrees { checked: 1, worst: 0.0 },
        })
    }
    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}

#[test]
fn a_wrong_kernel_is_never_timed_and_a_wrong_window_makes_the_row_invalid() {
    let device = rigbench::device::Device::cpu();
    let run = |job: &mut Turning| {
        let sampling = Sampling::start(vec![], Seconds(0.0));
        let meter = Meter::new(&sampling, &rigbench::device::DeviceId::Cpu);
        measure(job, meter, Observer::new(&device), &hasty(), BATCH, &mut |_| {
            ControlFlow::Continue(())
        })
    };
    let mut wrong = Turning { verify_wrong: true, window_wrong: 9, submitted: 0 };
    match run(&mut wrong) {
        Err(error) => assert!(error.to_string().contains("off by one"), "{error}"),
        Ok(_) => panic!("a wrong kernel was measured"),
    }
    assert_eq!(wrong.submitted, 0, "a wrong kernel ran on the clock");
    let mut stale = Turning { verify_wrong: false, window_wrong: 1, submitted: 0 };
    let m = run(&mut stale).unwrap_or_else(|e| panic!("{e}"));
    // Windows count from 0.
    assert_eq!(m.verification.wrong_windows, [1]);
    assert_eq!(m.verification.wrong_output.as_deref(), Some("stale output"));
    assert_eq!(m.windows.len(), 3, "the figures stay");
}
