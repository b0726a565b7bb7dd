//! Reads files for a report, a few at a time. Each is validated (its digest only if it is the only file), its rows are reduced to entries,
//! and the document is dropped. Unreadable, inconsistent and duplicate files are kept with the reason.

use super::entry::Entry;
use super::view::View;
use crate::results::read::{self, ParsedDocument, ReadError};
use crate::results::{Depth, Document, OrNewer, RunReason, Verdict, validate};
use crate::text::plain;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::PathBuf;

/// Files read in parallel: enough for a desktop CPU, few enough for its memory.
const PARALLEL_FILES: usize = 8;

/// The files of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collection {
    /// All given files.
    pub files: Vec<File>,
    /// The rows of the files that are shown.
    pub(super) entries: Vec<Entry>,
    /// Index of the file of each run id.
    places: HashMap<String, usize>,
}

/// A given file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its name without the directory.
    pub name: String,
    /// The run in it, or why it is not shown.
    pub run: Result<Run, String>,
}

/// The run in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Whether it ran to completion.
    pub finished: bool,
    /// The mode of its protocol.
    pub mode: String,
    /// The version of rigbench that measured it.
    pub version: String,
    /// The CPU of the machine.
    pub machine: String,
    /// What makes it invalid.
    pub reasons: Vec<String>,
}

impl Collection {
    /// Reads the files and calls `also` with each document that is shown.
    pub fn gather(paths: &[PathBuf], mut also: impl FnMut(&File, Document)) -> Self {
        let reader = if paths.len() == 1 { read::read } else { read::skim };
        let mut collection = Collection::default();
        let mut show = |paths: &[PathBuf], finished_only: bool| {
            let mut unfinished = Vec::new();
            for some in paths.chunks(PARALLEL_FILES) {
                let read: Vec<_> =
                    some.par_iter().map(|path| document(read::open(path, reader))).collect();
                for (path, document) in some.iter().zip(read) {
                    let partial = |d: &Document| d.evidence.run.finished_at.is_none();
                    if finished_only && document.as_ref().is_ok_and(partial) {
                        unfinished.push(path.clone());
                        continue;
                    }
                    let name = path.file_name().unwrap_or(path.as_os_str());
                    let name = name.to_string_lossy().into_owned();
                    if let Some((file, document)) = collection.add(name, document) {
                        also(file, document);
                    }
                }
            }
            unfinished
        };
        // Of a run that is there twice, the finished file counts: unfinished ones are read again after all others.
        let unfinished = show(paths, true);
        show(&unfinished, false);
        collection
    }

    /// Adds a file with its document, or with the reason why it is not shown. Returns the document if it is shown.
    pub fn add(
        &mut self,
        name: String,
        document: Result<Document, String>,
    ) -> Option<(&File, Document)> {
        let document =
            document.and_then(|document| match self.name_of(&document.evidence.run.id) {
                None => Ok(document),
                Some(other) => Err(format!("it is the same run as {other}, which is shown")),
            });
        let place = self.files.len();
        let run = document.as_ref().map(Run::from_document).map_err(|why| plain(why).into_owned());
        self.files.push(File { name: plain(&name).into_owned(), run });
        let document = document.ok()?;
        self.places.insert(document.evidence.run.id.clone(), place);
        self.entries.extend(Entry::all(&document, place));
        Some((&self.files[place], document))
    }

    fn name_of(&self, run: &str) -> Option<&str> {
        self.places.get(run).map(|place| self.files[*place].name.as_str())
    }

    /// Files that are shown, with their runs.
    pub fn runs(&self) -> impl Iterator<Item = (&File, &Run)> {
        self.files.iter().filter_map(|file| Some((file, file.run.as_ref().ok()?)))
    }

    /// Files that are not shown, and why.
    pub fn refused(&self) -> impl Iterator<Item = (&File, &String)> {
        self.files.iter().filter_map(|file| Some((file, file.run.as_ref().err()?)))
    }
}

impl Run {
    fn from_document(document: &Document) -> Run {
        let (run, manifest) = (&document.evidence.run, &document.evidence.manifest);
        Run {
            id: run.id.clone(),
            started_at: run.started_at.to_string(),
            finished: run.finished_at.is_some(),
            mode: manifest.protocol.mode.clone(),
            version: manifest.rigbench.version.clone(),
            machine: manifest.host.cpu.clone(),
            reasons: reasons(document),
        }
    }
}

/// What makes a run invalid, row by row, and the rows that this version cannot read.
pub fn reasons(document: &Document) -> Vec<String> {
    let invalid = View::all(document).filter(|view| view.figures.verdict == Verdict::Invalid);
    let of_row = |view: View| format!("{}: {}", view.row.label(), view.reasons().join("; "));
    let rows: Vec<String> = invalid.map(of_row).collect();
    let mut reasons = Vec::new();
    for reason in document.derived.run.reasons.iter().filter_map(OrNewer::known) {
        match reason {
            RunReason::InvalidRows { .. } => reasons.extend(rows.iter().cloned()),
            other => reasons.push(other.to_string()),
        }
    }
    let newer = document.newer_rows().map(|(_, row)| format!("from a newer rigbench: {row}"));
    reasons.extend(newer);
    reasons
}

/// The document to show, or why it is unreadable, inconsistent or without a finished row.
fn document(read: std::io::Result<Result<ParsedDocument, ReadError>>) -> Result<Document, String> {
    let given = read
        .map_err(|error| format!("it cannot be read: {error}"))?
        .map_err(|error| error.to_string())?;
    match &validate(&given, Depth::Quick).faults[..] {
        [] => {}
        [first] => {
            return Err(format!("it is not consistent: {first}; rigbench validate says more"));
        }
        [first, rest @ ..] => {
            return Err(format!(
                "it is not consistent: {first}; and {} more; rigbench validate says more",
                rest.len()
            ));
        }
    }
    let document = given.shown();
    match document.derived.run.verdict {
        Verdict::Incomplete => {
            Err(format!("{}: it was interrupted or is under way; run it again", RunReason::NoRow))
        }
        Verdict::Valid | Verdict::Invalid => Ok(document),
    }
}
