//! Parses workload specs: `ID[:SHAPE | :MODEL/LAYER][:TYPE][:key=value]…`.

use super::{Id, SpecError, Workload, ceiling, decoder, matmul, question, sha256d};
use anyhow::bail;
use std::collections::HashSet;

/// Parser of the parts after the id. `KNOWN` has every workload's id, an example spec and its parser.
type Reader = fn(Id, &[&str]) -> anyhow::Result<Box<dyn Workload>>;
const KNOWN: &[(Id, &str, Reader)] = &[
    (Id::Sha256d, "sha256d", sha256d::parse),
    (Id::Gemm, "gemm:1024x1024x1024:f32", matmul::parse),
    (Id::Gemv, "gemv:4096x4096:int4", matmul::parse),
    (Id::Prefill, "prefill:smollm2-135m:int4:prompt=128", decoder::parse),
    (Id::Decode, "decode:smollm2-135m:int4:batch=1", decoder::parse),
    (Id::Peak, "peak:f32", ceiling::peak),
    (Id::Stream, "stream", ceiling::stream),
];

/// An example spec for messages; of a product also the default of the id alone.
pub(super) fn example(id: Id) -> &'static str {
    KNOWN.iter().find(|(known, ..)| *known == id).expect("every id is known").1
}

/// Checks that no option is given twice.
pub(super) fn ensure_once(options: &[&str]) -> anyhow::Result<()> {
    let mut keys = HashSet::new();
    let twice = options
        .iter()
        .filter_map(|option| option.split_once('='))
        .find(|(key, _)| !keys.insert(*key));
    twice.map_or(Ok(()), |(key, _)| bail!("option '{key}' is given twice; write it once"))
}

/// The workload that a spec names.
///
/// # Errors
/// One line that says what is wrong and what to write.
pub fn parse(spec: &str) -> Result<Box<dyn Workload>, SpecError> {
    let mut parts = spec.split(':');
    let id = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    match KNOWN.iter().find(|(known, ..)| known.into_str() == id) {
        Some((id, _, read)) => read(*id, &rest).map_err(|error| SpecError(error.to_string())),
        None => {
            let examples: Vec<&str> = KNOWN.iter().map(|(_, example, _)| *example).collect();
            let ids: Vec<&str> = KNOWN.iter().map(|(known, ..)| known.into_str()).collect();
            Err(SpecError(format!(
                "there is no workload '{id}'; {}known, with an example each: {}",
                question(id, &ids),
                examples.join(", ")
            )))
        }
    }
}
