//! Reads workload specs: `ID[:SHAPE][:TYPE]`.

use super::{Workload, gemm, sha256d};

/// Every workload: its id, a spec to show, and its reader, which gets the parts after the id.
type Reader = fn(&[&str]) -> Result<Box<dyn Workload>, SpecError>;
const KNOWN: &[(&str, &str, Reader)] =
    &[("sha256d", "sha256d", sha256d::parse), ("gemm", gemm::EXAMPLE, gemm::parse)];

/// A spec that names no workload. One line; says what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(pub String);

/// The workload that a spec names.
///
/// # Errors
/// One line that says what is wrong and what to write.
pub fn parse(spec: &str) -> Result<Box<dyn Workload>, SpecError> {
    let mut parts = spec.split(':');
    let id = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    match KNOWN.iter().find(|(known, ..)| *known == id) {
        Some((.., read)) => read(&rest),
        None => {
            let examples: Vec<&str> = KNOWN.iter().map(|(_, example, _)| *example).collect();
            Err(SpecError(format!(
                "there is no workload '{id}'; known, with an example each: {}",
                examples.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(spec: &str) -> String {
        match parse(spec) {
            Ok(workload) => panic!("{spec} was read as {}", workload.spec()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn specs_read_back_as_written_and_ids_alone_have_a_shape() {
        for (spec, whole) in [
            ("sha256d", "sha256d"),
            ("gemm", "gemm:1024x1024x1024:f32"),
            ("gemm:3x5x7", "gemm:3x5x7:f32"),
            ("gemm:3x5x7:f32", "gemm:3x5x7:f32"),
        ] {
            assert_eq!(parse(spec).unwrap().spec(), whole);
        }
    }

    #[test]
    fn mistakes_get_one_line_with_what_to_write() {
        assert!(error("gem").contains("gemm:1024x1024x1024:f32"));
        assert!(error("").contains("sha256d"));
        assert!(error("sha256d:4").contains("takes no"));
        for spec in ["gemm:0x4x4", "gemm:4x4", "gemm:4x4x4x4", "gemm:-1x4x4", "gemm:axbxc", "gemm:"]
        {
            let line = error(spec);
            assert!(line.contains("MxNxK") && !line.contains('\n'), "{spec}: {line}");
        }
        assert!(error("gemm:4x4x4:f64").contains("f32"));
        assert!(error("gemm:4x4x4:f32:x").contains("gemm:1024x1024x1024:f32"));
        assert!(error("gemm:4000000000x4000000000x4000000000").contains("too large"));
    }
}
