//! A row of this very program names a kernel that this program has, with its parameters and its text.

use crate::support;
use crate::validate::honest::{RUN, findings, row, row_of, sign};
use crate::writer;
use rigbench::results::{Document, Kernel};
use rigbench::workload::{Id, Proof};

/// A row's kernel is exchanged for `of` what it was; what validate says then.
fn with(run: &Document, place: usize, of: impl FnOnce(&mut Kernel)) -> Vec<String> {
    let mut document = run.clone();
    of(row(&mut document, place).kernel.as_mut().unwrap());
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
    // A small model: its kernels are those of a large one.
    let model = out.path().join("small.gguf");
    std::fs::write(&model, writer::llama().write().bytes).unwrap();
    let decode = format!("decode:{}:batch=2:prompt=24:context=80", model.display());
    let workloads = ["sha256d", "gemm:48x40x56:f32", &decode];
    for workload in workloads {
        run.args(["--workload", workload]);
    }
    let run: Document = serde_json::from_slice(&run.output().unwrap().stdout).unwrap();
    let kernels: Vec<Kernel> = run.rows().map(|(row, _)| row.kernel.clone().unwrap()).collect();
    assert_eq!(kernels.len(), workloads.len());
    for (place, workload) in workloads.iter().enumerate() {
        let other = &kernels[(place + 1) % kernels.len()];
        assert_eq!(with(&run, place, |_| ()), Vec::<String>::new());
        let text = |kernel: &mut Kernel| kernel.wgsl_sha256 = other.wgsl_sha256.clone();
        let name = |kernel: &mut Kernel| kernel.id = "gemm/of-my-own".into();
        let native = |kernel: &mut Kernel| kernel.wgsl_sha256 = None;
        let tuned = |kernel: &mut Kernel| {
            kernel.params.insert("WORKGROUP".into(), "3u".into());
        };
        for faults in [
            with(&run, place, text),
            with(&run, place, name),
            with(&run, place, native),
            with(&run, place, tuned),
        ] {
            let at = format!("evidence.rows[{place}].");
            assert!(faults.iter().any(|fault| fault.starts_with(&at)), "{workload}: {faults:#?}");
        }
    }
}

#[test]
fn a_proof_counts_as_many_versions_as_its_kernel_hashes() {
    let is_this = |fault: &String| fault.starts_with("evidence.rows[0].proof.versions: ");
    let mut run = RUN.document.clone();
    let Some(Proof::Shares(shares)) = &row_of(&mut run, Id::Sha256d).proof else {
        panic!("hashes have shares")
    };
    let versions = shares.versions;
    let stated = |stated: &str| {
        let stated = stated.to_string();
        with(&run, 0, |kernel| drop(kernel.params.insert("VERSIONS".into(), stated)))
    };
    assert!(!stated(&format!("{versions}u")).iter().any(is_this));
    for other in [&*format!("{}u", 2 * versions), "0u", "", "many"] {
        let faults = stated(other);
        assert!(faults.iter().any(is_this), "{other}: {faults:#?}");
    }
    let mut claims_more = run.clone();
    let hashes = row_of(&mut claims_more, Id::Sha256d);
    let kernel = hashes.kernel.as_mut().unwrap();
    kernel.params.insert("VERSIONS".into(), format!("{versions}u"));
    let Some(Proof::Shares(shares)) = &mut hashes.proof else { unreachable!() };
    shares.versions *= 2;
    sign(&mut claims_more);
    let faults = findings(&claims_more).faults;
    assert!(faults.iter().any(is_this), "{faults:#?}");
}
