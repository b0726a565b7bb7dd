//! A row with the manifest and the figures of its document.

use super::comparison::RowName;
use crate::device::Device;
use crate::results::derived::RowFigures;
use crate::results::document::{Document, Row};
use crate::results::manifest::{Manifest, Source};

/// A row in its document.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub manifest: &'a Manifest,
    pub row: &'a Row,
    pub figures: &'a RowFigures,
}

impl<'a> Entry<'a> {
    pub fn name(self) -> RowName {
        let Row { device, workload, .. } = self.row;
        RowName { device: device.to_string(), workload: workload.spec.clone() }
    }

    pub fn device(self) -> Option<&'a Device> {
        self.manifest.device(&self.row.device)
    }

    /// The source of the headline figure.
    pub fn source(self) -> Option<&'a Source> {
        self.manifest.source(self.figures.energy.source?)
    }
}

/// The rows of a document that this version can read.
pub(super) fn entries(document: &Document) -> Vec<Entry<'_>> {
    let manifest = &document.evidence.manifest;
    document.rows().map(|(row, figures)| Entry { manifest, row, figures }).collect()
}
