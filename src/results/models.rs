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
