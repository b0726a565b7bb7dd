//! Models in files are told apart by their digests: two different models may have files of one name.

use super::wire::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// The first digits of a model's digest, enough to tell models apart.
pub fn short_digest(sha256: &str) -> &str {
    sha256.get(..8).unwrap_or(sha256)
}

/// The models that occur, by the names of their files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelNames(BTreeMap<String, BTreeSet<String>>);

impl ModelNames {
    /// The models of these workloads.
    pub fn of<'a>(workloads: impl IntoIterator<Item = &'a Workload>) -> ModelNames {
        let mut names = ModelNames::default();
        for workload in workloads {
            if let Some((name, _, sha256)) = in_file(workload) {
                names.0.entry(name.to_string()).or_default().insert(sha256.to_string());
            }
        }
        names
    }

    /// The workload with the short digest behind the name of its file, if models of other digests have that name.
    pub fn tell_apart(&self, workload: &Workload) -> Workload {
        let mut told = workload.clone();
        if let Some((name, options, sha256)) = in_file(workload)
            && self.0.get(name).is_some_and(|digests| digests.len() > 1)
        {
            told.shape = Some(format!("{name} ({}){options}", short_digest(sha256)));
        }
        told
    }
}

/// The name of a model's file, what follows it, and its digest.
fn in_file(workload: &Workload) -> Option<(&str, &str, &str)> {
    let sha256 = workload.model_sha256.as_deref()?;
    let shape = workload.shape.as_deref()?;
    let (name, options) = shape.split_at(shape.find(':').unwrap_or(shape.len()));
    Some((name, options, sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_stands_behind_a_name_that_two_models_have() {
        let of = |shape: &str, sha256: Option<&str>| Workload {
            id: "decode".into(),
            unit: "token".into(),
            shape: Some(shape.into()),
            layer: None,
            model_sha256: sha256.map(str::to_string),
        };
        let (a, b) = ("a1".repeat(32), "b2".repeat(32));
        let all = [
            of("model.gguf:batch=1", Some(&a)),
            of("model.gguf:batch=4", Some(&b)),
            of("other.gguf:batch=1", Some(&b)),
            of("llama-3-8b:int4:batch=1", None),
        ];
        let names = ModelNames::of(&all);
        let told = all.each_ref().map(|workload| names.tell_apart(workload).spec());
        assert_eq!(
            told,
            [
                "decode:model.gguf (a1a1a1a1):batch=1",
                "decode:model.gguf (b2b2b2b2):batch=4",
                "decode:other.gguf:batch=1",
                "decode:llama-3-8b:int4:batch=1",
            ]
        );
        // Alone, a name is enough.
        let alone = ModelNames::of(&all[..1]);
        assert_eq!(alone.tell_apart(&all[0]), all[0]);
    }
}
