//! A driver that crashes in a kernel costs that kernel alone: variants are verified in a process of their own first. The process here is a
//! script that ends as a driver would end it.
#![cfg(unix)]

use crate::support;
use rigbench::device::DeviceId;
use rigbench::measure::MeasureError;
use rigbench::results::FailureCode;
use rigbench::tune::{Effort, State, Tuner, verify_isolated};
use rigbench::workload::{self, Target};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A program that takes the arguments of the hidden command, says of each kernel that it is right, and ends at some.
fn program(folder: &tempfile::TempDir, ends: &str) -> PathBuf {
    let path = folder.path().join("program");
    let script = format!(
        r#"#!/bin/sh
shift 5
for kernel; do
    printf '{{"Begin":"%s"}}\n' "$kernel"
    case $kernel in {ends} esac
    printf '{{"End":{{"state":"right","what":""}}}}\n'
done
"#
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn each_crash_ends_a_process_and_the_next_goes_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(&folder, "b) kill -SEGV $$;; d) exit 3;;");
    let mut found = Vec::new();
    let all = ["a", "b", "c", "d", "e"];
    let verified =
        verify_isolated(&program, &DeviceId::Cpu, "sha256d", &all, &mut |kernel, finding| {
            found.push((kernel, finding));
            ControlFlow::Continue(())
        });
    assert_eq!(verified, Ok(()));
    let states: Vec<_> = found.iter().map(|(kernel, finding)| (*kernel, finding.state)).collect();
    let (right, crashed) = (State::Right, State::Crashed);
    assert_eq!(states, [("a", right), ("b", crashed), ("c", right), ("d", crashed), ("e", right)]);
    assert!(found[1].1.what.contains("SIGSEGV"), "{}", found[1].1.what);
    assert!(found[3].1.what.contains("exit status: 3"), "{}", found[3].1.what);
}

#[test]
fn a_program_that_ends_before_its_first_kernel_is_an_error_and_a_stop_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut count = 0;
    let mut stop = |_: &'static str, _| {
        count += 1;
        ControlFlow::Break(())
    };
    let verify = |program: &PathBuf, stop: &mut dyn FnMut(&'static str, _) -> _| {
        verify_isolated(program, &DeviceId::Cpu, "sha256d", &["a", "b"], stop)
    };
    assert!(verify(&missing, &mut stop).is_err());
    let at_once = folder.path().join("at-once");
    std::fs::write(&at_once, "#!/bin/sh\nexit 2\n").unwrap();
    std::fs::set_permissions(&at_once, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(verify(&at_once, &mut stop).unwrap_err().contains("exit status: 2"));
    assert_eq!(verify(&program(&folder, ""), &mut stop), Ok(()));
    assert_eq!(count, 1);
}

#[test]
fn the_tuner_leaves_out_kernels_in_which_the_driver_crashes_and_those_that_are_skipped() {
    let Some(gpu) = support::gpu("the_tuner_leaves_out_kernels_in_which_the_driver_crashes") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let sha256d = workload::parse("sha256d").unwrap();
    let mut target = Target::Gpu(gpu);
    let all: Vec<&str> = sha256d.variants(&target).iter().take(4).map(|v| v.id()).collect();
    let [crashes, skipped, rest @ ..] = &all[..] else { panic!("{all:?}") };
    let mut tuned = |ends: &str| {
        let tuner = Tuner {
            cache: None,
            skipped: vec![skipped.to_string()],
            program: Some(program(&folder, ends)),
            ..Tuner::new(Effort::Quick, false)
        };
        tuner.choose(sha256d.as_ref(), &mut target, &mut |_| ControlFlow::Continue(()))
    };
    let choice = tuned(&format!("{crashes}) kill -SEGV $$;;")).unwrap_or_else(|e| panic!("{e}"));
    assert!(choice.variant.id() != *crashes && choice.variant.id() != *skipped);
    let trial = |kernel: &str| choice.record.trials.iter().find(|trial| trial.kernel == kernel);
    let failure = trial(crashes).unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.code, FailureCode::Crashed);
    assert!(failure.message.contains(crashes) && failure.message.contains("SIGSEGV"), "{failure}");
    assert!(trial(skipped).is_none() && trial(rest[0]).unwrap().failure.is_none());

    let Err(error) = tuned("*) kill -ABRT $$;;") else { panic!("a kernel was chosen") };
    assert!(matches!(&error, MeasureError::Crashed(how) if how.contains("SIGABRT")), "{error}");
}
