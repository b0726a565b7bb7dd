//! Subgroup sizes: what a probe sees, and kernels that need more than there is.

use crate::support;

#[test]
fn a_probe_sees_the_size_that_the_adapter_lists() {
    let Some(gpu) = support::gpu("a_probe_sees_the_size_that_the_adapter_lists") else { return };
    let details = gpu.details();
    for invocations in [1, 8, 64, 256] {
        let sizes = gpu.probe_subgroups(invocations).unwrap();
        assert_eq!(sizes.len(), invocations as usize);
        let listed = details.subgroup_min..=details.subgroup_max;
        assert!(sizes.iter().all(|size| listed.contains(size)), "{sizes:?} of {listed:?}");
    }
}

/// Mesa's software Vulkan has subgroups of 4 where its vectors are 128 bits wide: kernels that need 8 are left out, and none is wrong.
#[test]
fn kernels_that_need_larger_subgroups_are_left_out() {
    let Some(gpu) = support::gpu("kernels_that_need_larger_subgroups_are_left_out") else { return };
    if !gpu.description().name.contains("llvmpipe") {
        eprintln!("not run: only Mesa's software Vulkan has subgroups of a chosen size");
        return;
    }
    let kernels = |bits: &str| {
        let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_rigbench"));
        check.args([
            "check",
            "--device",
            "gpu:0",
            "--workload",
            "gemv:96x160:f32",
            "--workload",
            "stream",
        ]);
        let out = check.env("LP_NATIVE_VECTOR_WIDTH", bits).output().unwrap();
        let lines = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{lines}");
        lines.lines().filter(|line| line.starts_with("right")).count()
    };
    let (narrow, wide) = (kernels("128"), kernels("256"));
    assert!(0 < narrow && narrow < wide, "{narrow} of {wide}");
}
