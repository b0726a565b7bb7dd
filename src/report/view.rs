//! A row of a document with what is said of it in other places.

use super::provenance;
use crate::device::{Class, Device};
use crate::results::{Document, Manifest, Outcome, Row, RowFigures, Source, Verdict};
use crate::units::{Interval, Provenance};

/// A row as reports look at it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What it is in.
    pub document: &'a Document,
    /// What was observed.
    pub row: &'a Row,
    /// What follows from that.
    pub figures: &'a RowFigures,
    /// Its device; none if the manifest does not have it.
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

    /// Its device as the driver calls it.
    pub fn name(self) -> String {
        self.device.map_or_else(|| self.row.device.to_string(), |device| device.name.clone())
    }

    /// The source of its headline's joules.
    pub fn source(self) -> Option<&'a Source> {
        self.manifest().source(self.figures.energy.source?)
    }

    /// Whether one power was declared for all workloads, so that its joules tell of the speed alone.
    pub fn is_speed_only(self) -> bool {
        self.figures.energy.provenance() == Provenance::Declared
            && self.source().is_some_and(|source| source.workload.is_none())
    }

    /// Units of work a second.
    pub fn rate(self) -> Option<Interval> {
        self.figures.throughput
    }

    /// Whether it was measured.
    pub fn is_measured(self) -> bool {
        self.row.outcome == Outcome::Measured
    }

    /// Why it does not count: what makes it invalid, or why it was not measured.
    pub fn reasons(self) -> Vec<String> {
        match self.row.outcome.failure() {
            Some(failure) => vec![failure.to_string()],
            None => self.figures.reasons.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether it counts.
    pub fn counts(self) -> bool {
        self.is_measured() && self.figures.verdict == Verdict::Valid
    }

    /// Where its joules come from, in sentences.
    pub fn about(self) -> String {
        provenance::sentences(self)
    }
}
