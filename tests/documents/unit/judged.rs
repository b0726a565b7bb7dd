//! Beacons, and what a row says of this program's workloads and kernels.

use crate::validate::honest::{RUN, findings, row_of};
use jiff::Timestamp;
use rigbench::device::Device;
use rigbench::kernels;
use rigbench::oracle::blocks::BLOCKS;
use rigbench::results::{Document, Kernel, Row, judge_beacon};
use rigbench::text::hex;
use rigbench::workload::decoder::gpu::KERNEL_SETS;
use rigbench::workload::{self, Id};

#[test]
fn headers_of_the_chain_meet_their_own_targets() {
    for block in &BLOCKS {
        let header = hex(block.bytes().as_slice());
        let judged = judge_beacon(&header, "2030-01-01T00:00:00Z".parse().unwrap());
        let old = |why: &String| why.contains("is not the main network's");
        assert!(
            judged.as_ref().is_ok_and(|note| note.starts_with("not before"))
                || judged.as_ref().is_err_and(old),
            "{judged:?}"
        );
        let mut broken = header.clone();
        broken.replace_range(158..160, if broken.ends_with("00") { "01" } else { "00" });
        assert!(judge_beacon(&broken, Timestamp::MAX).unwrap_err().contains("does not meet"));
    }
    assert!(judge_beacon("00", Timestamp::MAX).is_err());
}

#[test]
fn difficulty_follows_from_the_bits() {
    let with_bits = |block: usize, bits: Option<u32>| {
        let mut header = BLOCKS[block].bytes();
        if let Some(bits) = bits {
            header[72..76].copy_from_slice(&bits.to_le_bytes());
        }
        judge_beacon(&hex(header.as_slice()), Timestamp::MAX)
    };
    // The first block has difficulty 1; that of January 2024 had 72.0 trillion, as explorers show it.
    assert!(with_bits(0, None).unwrap_err().contains("difficulty of 1.000e0 is"));
    let newest = with_bits(BLOCKS.len() - 1, None).unwrap();
    assert!(newest.ends_with("of difficulty 7.201e13"), "{newest}");
    assert!(with_bits(0, Some(0x1d80_ffff)).unwrap_err().contains("no such target"));
}

/// Faults of rows that are judged together, for each row.
fn faults_of(rows: Vec<Row>) -> Vec<Vec<String>> {
    let mut document: Document = RUN.document.clone();
    let number = rows.len();
    document.evidence.rows = rows.into_iter().map(Into::into).collect();
    let all = findings(&document).faults;
    let of_row = |i: usize| {
        let path = format!("evidence.rows[{i}].");
        let faults = all.iter().filter_map(|fault| fault.strip_prefix(&path));
        faults.map(str::to_string).collect()
    };
    (0..number).map(of_row).collect()
}

/// A row without figures.
fn empty_row() -> Row {
    let row = row_of(&mut RUN.document.clone(), Id::Sha256d).clone();
    Row {
        windows: None,
        readings: Vec::new(),
        telemetry: None,
        latency: None,
        verification: None,
        proof: None,
        tuning: None,
        ..row
    }
}

#[test]
fn specs_open_no_files() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let with_spec = |spec: &str| {
        let mut row = empty_row();
        row.workload.spec = spec.into();
        row
    };
    let files =
        [format!("decode:{here}"), format!("prefill:{here}:f16:batch=1"), "decode:x.gguf".into()];
    for faults in faults_of(files.iter().map(|spec| with_spec(spec)).collect()) {
        let why = |fault: &String| fault.starts_with("workload.spec: its model is not a preset");
        assert!(faults.iter().any(why), "{faults:#?}");
    }
    let presets = ["decode:smollm2-135m:int4", "gemm:8x8x8:f32"];
    for faults in faults_of(presets.iter().map(|spec| with_spec(spec)).collect()) {
        assert!(!faults.iter().any(|fault| fault.contains("not a preset")), "{faults:#?}");
    }
}

#[test]
fn decoder_kernels_must_match_their_choice() {
    let decode = workload::parse("decode:smollm2-135m:int4").unwrap().describe(&Device::cpu());
    let row = Row { workload: decode, ..empty_row() };
    let with = |kernel: Kernel| Row { kernel: Some(kernel), ..row.clone() };
    let values = [("B_BITS", "8u"), ("EPSILON", "1e-5"), ("FINISH", "2u")];
    let values = values.map(|(name, value)| (name, value.to_string()));
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for (choice, id) in KERNEL_SETS.iter().flat_map(|c| c.products().map(move |id| (c, id))) {
        let kernel = kernels::Kernel::with_params(kernels::of_decoder(id), &values).unwrap();
        let stated = Kernel {
            id: choice.id.into(),
            params: kernel.params.clone(),
            wgsl_sha256: Some(kernel.sha256()),
            arithmetic: Some(kernel.arithmetic().into_str().into()),
        };
        right.push(with(stated.clone()));
        let mut other = stated.clone();
        other.params.insert("EPSILON".into(), "0.0".into());
        wrong.push(with(other));
        wrong.push(with(Kernel { arithmetic: Some("dot4".into()), ..stated.clone() }));
        let stranger = KERNEL_SETS.iter().find(|c| c.products().all(|other| other != id));
        wrong.extend(stranger.map(|other| with(Kernel { id: other.id.into(), ..stated })));
    }
    let is_kernel = |fault: &String| fault.starts_with("kernel.wgsl_sha256: ");
    for faults in right.chunks(50).flat_map(|rows| faults_of(rows.to_vec())) {
        assert!(!faults.iter().any(is_kernel), "{faults:#?}");
    }
    for faults in wrong.chunks(50).flat_map(|rows| faults_of(rows.to_vec())) {
        assert!(faults.iter().any(is_kernel), "{faults:#?}");
    }
}
