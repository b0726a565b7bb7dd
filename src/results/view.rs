//! A row with its figures, device and document.

use super::derived::RowFigures;
use super::document::{Document, Row};
use super::manifest::{Manifest, Source};
use crate::device::{Class, Device};
use crate::units::Provenance;

/// A row in its document.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The document it is in.
    pub document: &'a Document,
    /// Its evidence.
    pub row: &'a Row,
    /// The figures derived from it.
    pub figures: &'a RowFigures,
    /// Its device; `None` if the manifest does not list it.
    pub device: Option<&'a Device>,
}

impl<'a> View<'a> {
    /// Every row of a document that this version can read.
    pub fn all(document: &'a Document) -> impl Iterator<Item = View<'a>> {
        document.rows().map(move |(row, figures)| {
            let device = document.evidence.manifest.device(&row.device);
            View { document, row, figures, device }
        })
    }

    /// The manifest of its run.
    pub fn manifest(self) -> &'a Manifest {
        &self.document.evidence.manifest
    }

    /// Its device's class.
    pub fn class(self) -> Class {
        self.device.map_or(Class::Cpu, |device| device.class)
    }

    /// The device's name as reported by the driver.
    pub fn name(self) -> String {
        self.device.map_or_else(|| self.row.device.to_string(), |device| device.name.clone())
    }

    /// Its device's id and its workload.
    pub fn title(self) -> String {
        format!("{} {}", self.row.device, self.row.workload.spec)
    }

    /// The source of its headline energy.
    pub fn source(self) -> Option<&'a Source> {
        self.manifest().source(self.figures.energy.source?)
    }

    /// Whether one power was declared for all workloads, so that its joules only reflect speed.
    pub fn is_speed_only(self) -> bool {
        self.figures.energy.provenance() == Provenance::Declared
            && self.source().is_some_and(|source| source.workload.is_none())
    }

    /// What makes it invalid, or why it was not measured.
    pub fn reasons(self) -> Vec<String> {
        match self.row.outcome.failure() {
            Some(failure) => vec![failure.to_string()],
            None => self.figures.reasons.iter().map(ToString::to_string).collect(),
        }
    }
}
