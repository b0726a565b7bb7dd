//! Mutated choices of kernels in the cache, read as a run reads them.

use crate::mutations::random::Random;
use crate::mutations::soak::soak;
use crate::mutations::{bytes, tree};
use rigbench::device::Device;
use rigbench::measure::MeasureError;
use rigbench::tune::{Effort, Tuner};
use rigbench::workload::{Target, parse};
use std::ops::ControlFlow;

#[test]
fn mutated_choices_in_the_cache_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = Target::open(&Device::cpu()).unwrap();
    let workload = parse("gemv:256x256:f32").unwrap();
    let tuner = Tuner { cache: Some(folder.path().into()), ..Tuner::new(Effort::Quick, false) };
    let tuned = tuner.choose(&*workload, &mut target, &mut |_| ControlFlow::Continue(()));
    tuned.unwrap_or_else(|error| panic!("{error}"));
    let entry = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let original = std::fs::read(&entry).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&original).unwrap();
    let mutate = |random: &mut Random| {
        let mut bytes = original.clone();
        if random.below(3) > 0 {
            let mut value = value.clone();
            tree::mutate(&mut value["tuning"], random);
            bytes = serde_json::to_vec(&value).unwrap();
        } else {
            bytes::mutate(&mut bytes, random);
        }
        bytes
    };
    // A choice that is not believed would be made anew; the test stops there.
    soak("tune-cache", &original, mutate, |path| {
        std::fs::copy(path, &entry).unwrap();
        match tuner.choose(&*workload, &mut target, &mut |_| ControlFlow::Break(())) {
            Ok(choice) => {
                let seconds = choice.batch.expect("a product's batches have a length").0;
                assert!(seconds > 0.0 && seconds <= 1.0, "batches of {seconds} s");
                true
            }
            Err(MeasureError::Interrupted) => false,
            Err(error) => panic!("{error}"),
        }
    });
}
