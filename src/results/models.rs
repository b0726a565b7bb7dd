//! Models in files are identified by digest, since different models may have the same file name.

use crate::workload::Description;
use std::collections::BTreeSet;

/// The first digits of a model's digest, which distinguish models in practice.
pub fn short_digest(sha256: &str) -> &str {
    sha256.get(..8).unwrap_or(sha256)
}

/// File names and digests of the models that occur.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelNames(BTreeSet<(String, String)>);

impl ModelNames {
    /// The models of these workloads.
    pub fn of<'a>(workloads: impl IntoIterator<Item = &'a Description>) -> ModelNames {
        let models = workloads.into_iter().filter_map(in_file);
        ModelNames(models.map(|(name, sha256)| (name.into(), sha256.into())).collect())
    }

    /// The workload with a short digest after its file name, if several models have that name.
    pub fn disambiguate(&self, workload: &Description) -> Description {
        let mut labelled = workload.clone();
        if let Some((name, sha256)) = in_file(workload)
            && self.0.iter().filter(|(other, _)| other == name).count() > 1
        {
            let unique_name = format!("{name} ({})", short_digest(sha256));
            labelled.spec = workload.spec.replacen(name, &unique_name, 1);
        }
        labelled
    }
}

/// File name and digest of a model.
fn in_file(workload: &Description) -> Option<(&str, &str)> {
    Some((workload.shape.model.as_deref()?, workload.shape.model_sha256.as_deref()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Unit;
    use crate::workload::{Id, Shape};

    #[test]
    fn ambiguous_names_get_a_digest() {
        let workload = |model: &str, options: &str, sha256: Option<&str>| Description {
            id: Id::Decode,
            spec: format!("decode:{model}:{options}"),
            unit: Unit::Token,
            shape: Shape {
                model: Some(model.into()),
                model_sha256: sha256.map(str::to_string),
                ..Shape::default()
            },
            intensity: None,
        };
        let (a, b) = ("a1".repeat(32), "b2".repeat(32));
        let all = [
            workload("model.gguf", "batch=1", Some(&a)),
            workload("model.gguf", "batch=4", Some(&b)),
            workload("other.gguf", "batch=1", Some(&b)),
            workload("llama-3-8b", "int4:batch=1", None),
        ];
        let names = ModelNames::of(&all);
        let specs = all.each_ref().map(|workload| names.disambiguate(workload).spec);
        assert_eq!(
            specs,
            [
                "decode:model.gguf (a1a1a1a1):batch=1",
                "decode:model.gguf (b2b2b2b2):batch=4",
                "decode:other.gguf:batch=1",
                "decode:llama-3-8b:int4:batch=1",
            ]
        );
        // A unique name has no digest.
        let alone = ModelNames::of(&all[..1]);
        assert_eq!(alone.disambiguate(&all[0]), all[0]);
    }
}
