//! The table of kernels and the WGSL files fit each other.

use rigbench::gpu::spirv;
use rigbench::kernels::sha256d::Program;
use rigbench::kernels::{
    DECODER, Entry, Kernel, Params, SOURCES, TABLE, Takes, adder, instantiate,
};

#[test]
fn every_variant_builds_and_ids_are_unique() {
    let mut ids = std::collections::BTreeSet::new();
    let mut texts = std::collections::BTreeSet::new();
    for entry in TABLE {
        assert!(ids.insert(entry.id), "{} is duplicated", entry.id);
        for kernel in Kernel::all(entry).unwrap() {
            assert!(kernel.workgroup.iter().product::<u32>() <= 256, "{}", entry.id);
            let workload = entry.id.split('/').next();
            assert!(texts.insert((workload, kernel.sha256())), "{} is another", entry.id);
            // A driver or wgpu that bounds loops stops them silently after 65,535 iterations.
            let iterations = |name| kernel.constant(name).unwrap_or(1);
            assert!(iterations("NONCES") * iterations("VERSIONS") < 65_535, "{}", entry.id);
        }
    }
}

#[test]
fn every_file_is_used_and_valid_with_its_defaults() {
    for source in SOURCES {
        let mut entries = TABLE.iter().chain([adder()]).chain(DECODER);
        let used = entries.any(|e| e.source() == source.name);
        assert!(used, "{} is unused", source.name);
        naga::front::wgsl::parse_str(source.text)
            .unwrap_or_else(|e| panic!("{}: {}", source.name, e.emit_to_string(source.text)));
    }
}

#[test]
fn parameters_replace_the_values_at_the_head() {
    const fn entry(params: &'static [Params]) -> Entry {
        Entry { id: "x/y", params, takes: Takes { a: &[], b: &[] } }
    }
    const ENTRY: Entry = entry(&[&[("TILE", "8u"), ("Elem", "f16")]]);
    let text = "const TILE: u32 = 4u; // rows\nalias Elem = f32;\nconst BITS: u32 = 1u;\n";
    let (out, params) = instantiate(&ENTRY, &[("BITS", "4u".into())], text).unwrap();
    assert_eq!(
        out,
        "enable f16;\nconst TILE: u32 = 8u; // rows\nalias Elem = f16;\nconst BITS: u32 = 4u;\n"
    );
    assert_eq!((params["TILE"].as_str(), params["BITS"].as_str()), ("8u", "4u"));
    const WRONG: Entry = entry(&[&[("TILES", "8u")]]);
    assert!(instantiate(&WRONG, &[], text).unwrap_err().to_string().contains("TILES"));
}

#[test]
fn the_kernels_bind_as_many_terms_as_the_program_reads() {
    let (program, kernel) = (Program::new(), TABLE.iter().find(|e| e.source() == "sha256d/scan"));
    let kernel = Kernel::build(kernel.unwrap()).unwrap();
    let vectors = |terms: &[usize]| terms.len().div_ceil(4) as u32;
    assert_eq!(kernel.number("SCHEDULE_VECTORS"), vectors(&program.schedule_terms));
    assert_eq!(kernel.number("ROUND_VECTORS"), vectors(&program.round_terms));
}

/// Some drivers crash on modules that declare both. Only the decoder's kernel needs both: it reduces over lanes.
#[test]
fn modules_with_matrices_declare_no_subgroup_capability() {
    const OP_CAPABILITY: u32 = 17 | 2 << 16;
    const COOPERATIVE_MATRIX: u32 = 6022;
    // GroupNonUniform to GroupNonUniformQuad.
    let of_subgroups = 61..=68;
    let mut with_matrices = 0;
    for kernel in TABLE.iter().flat_map(|entry| Kernel::all(entry).unwrap()) {
        let words = spirv::translate(&kernel, spirv::Support::ALL).unwrap();
        let capabilities = words[5..].chunks(2).take_while(|words| words[0] == OP_CAPABILITY);
        let capabilities: Vec<u32> = capabilities.map(|words| words[1]).collect();
        assert!(!capabilities.is_empty(), "{}", kernel.id);
        if capabilities.contains(&COOPERATIVE_MATRIX) {
            with_matrices += 1;
            let both = capabilities.iter().find(|capability| of_subgroups.contains(*capability));
            assert_eq!(both, None, "{}", kernel.id);
        }
    }
    assert!(with_matrices >= 12, "{with_matrices}");
}
