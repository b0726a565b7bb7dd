//! A row of this very program names a kernel that this program has, with its parameters and its text.

use crate::honest::{findings, sign};
use crate::support;
use rigbench::results::wire::{Document, Kernel, WorkProof};
use std::path::Path;

/// A row's kernel is exchanged for `of` what it was; what validate says then.
fn with(run: &Document, row: usize, of: impl FnOnce(&mut Kernel)) -> Vec<String> {
    let mut document = run.clone();
    of(document.measurements[row].kernel.as_mut().unwrap());
    sign(&mut document);
    findings(&document).faults
}

#[test]
fn a_gpus_kernel_is_one_of_this_program() {
    if support::gpu("a_gpus_kernel_is_one_of_this_program").is_none() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let mut run = support::rigbench(&["run", "--quick", "--json", "--device", "gpu:0", "--out"]);
    run.arg(out.path());
    let workloads = ["sha256d", "gemm:48x40x56:f32", "decode:smollm2-135m:int4"];
    for workload in workloads {
        run.args(["--workload", workload]);
    }
    let run: Document = serde_json::from_slice(&run.output().unwrap().stdout).unwrap();
    assert_eq!(run.measurements.len(), workloads.len());
    let kernels: Vec<Kernel> = run.measurements.iter().map(|m| m.kernel.clone().unwrap()).collect();
    for (row, workload) in workloads.iter().enumerate() {
        let other = &kernels[(row + 1) % kernels.len()];
        assert_eq!(with(&run, row, |_| ()), Vec::<String>::new());
        let text = |kernel: &mut Kernel| kernel.wgsl_sha256 = other.wgsl_sha256.clone();
        let name = |kernel: &mut Kernel| kernel.id = "gemm/of-my-own".into();
        let native = |kernel: &mut Kernel| kernel.wgsl_sha256 = None;
        let tuned = |kernel: &mut Kernel| {
            kernel.params.insert("WORKGROUP".into(), "3u".into());
        };
        for faults in [
            with(&run, row, text),
            with(&run, row, name),
            with(&run, row, native),
            with(&run, row, tuned),
        ] {
            let at = format!("measurements[{row}].");
            assert!(faults.iter().any(|fault| fault.starts_with(&at)), "{workload}: {faults:#?}");
        }
    }
}

#[test]
fn a_proof_counts_as_many_versions_as_its_kernel_hashes() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run.json");
    let run: Document = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let is_this = |fault: &String| fault.starts_with("measurements[0].work_proof.versions: ");
    let kernel = run.measurements[0].kernel.as_ref().unwrap();
    assert_eq!(kernel.params["VERSIONS"], "2u");
    assert!(!with(&run, 0, |_| ()).iter().any(is_this));
    for other in ["4u", "1u", "", "many"] {
        let faults =
            with(&run, 0, |kernel| drop(kernel.params.insert("VERSIONS".into(), other.into())));
        assert!(faults.iter().any(is_this), "{other}: {faults:#?}");
    }
    let mut claims_more = run.clone();
    let Some(WorkProof::Shares(shares)) = &mut claims_more.measurements[0].work_proof else {
        panic!("hashes have shares")
    };
    shares.versions = 4;
    sign(&mut claims_more);
    let faults = findings(&claims_more).faults;
    assert!(faults.iter().any(is_this), "{faults:#?}");
}
