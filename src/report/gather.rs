//! Reads files for a report, a few at a time. Each is validated (its digest only if it is the only file), its rows are added to groups of
//! comparable ones, and the document is dropped. Unreadable, inconsistent and duplicate files are kept with the reason.

use super::entry::Entry;
use super::group::Groups;
use crate::results::read::{self, ParsedDocument, ReadError};
use crate::results::{Depth, Document, Evidence, OrNewer, RunReason, Verdict, View, validate};
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
    pub(super) groups: Groups,
    /// For each run id, the index of its file and its digest as stated.
    shown: HashMap<String, (usize, String)>,
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
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Whether it ran to completion.
    pub finished: bool,
    /// Name of the machine's processor.
    pub cpu: String,
    /// The mode of the protocol: `quick`, `default`, `publish`.
    pub mode: String,
    /// Whether it is invalid, or has invalid rows.
    pub invalid: bool,
}

impl Collection {
    /// Reads the files and calls `also` with each document that is shown.
    pub fn gather(paths: &[PathBuf], mut also: impl FnMut(&File, Document)) -> Self {
        let reader = if paths.len() == 1 { read::read } else { read::skim };
        let mut collection = Collection::default();
        let mut paths = paths.to_vec();
        // Of a run that is duplicated, the finished file counts: unfinished ones are read again after all others.
        for finished_only in [true, false] {
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
                    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                    if let Some((file, document)) = collection.add(name.into_owned(), document) {
                        also(file, document);
                    }
                }
            }
            paths = unfinished;
        }
        collection
    }

    /// Adds a file with its document, or with the reason why it is not shown. Returns the document if it is shown.
    pub fn add(
        &mut self,
        name: String,
        document: Result<Document, String>,
    ) -> Option<(&File, Document)> {
        let document = document.and_then(|document| {
            let (id, sha256) = (&document.evidence.run.id, &document.proof.document_sha256);
            match self.shown.get(id) {
                None => Ok(document),
                Some((index, other)) => {
                    let edited = ", with other content: at least one of them was edited";
                    let edited = if other == sha256 { "" } else { edited };
                    let name = &self.files[*index].name;
                    Err(format!("it is the same run as {name}, which is shown{edited}"))
                }
            }
        });
        let index = self.files.len();
        let run = document.as_ref().map(Run::from_document).map_err(|why| plain(why).into_owned());
        self.files.push(File { name: plain(&name).into_owned(), run });
        let document = document.ok()?;
        let sha256 = document.proof.document_sha256.clone();
        self.shown.insert(document.evidence.run.id.clone(), (index, sha256));
        View::all(&document).map(Entry::of).for_each(|entry| self.groups.add(entry));
        Some((&self.files[index], document))
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
    /// The day of its start.
    pub fn day(&self) -> &str {
        self.started_at.split('T').next().unwrap_or_default()
    }

    fn from_document(document: &Document) -> Run {
        let Evidence { run, manifest, .. } = &document.evidence;
        Run {
            started_at: run.started_at.to_string(),
            finished: run.finished_at.is_some(),
            cpu: manifest.host.cpu.clone(),
            mode: manifest.protocol.mode.clone(),
            invalid: !reasons(document).is_empty(),
        }
    }
}

/// What makes a run invalid, row by row, and the rows that this version cannot read.
pub fn reasons(document: &Document) -> Vec<String> {
    let invalid = |view: &View| view.figures.verdict == Verdict::Invalid;
    let of_row = |view: View| format!("{}: {}", view.row.label(), view.reasons().join("; "));
    let of_run = document.derived.run.reasons.iter().filter_map(OrNewer::known);
    let of_run = of_run.flat_map(|reason| match reason {
        RunReason::InvalidRows { .. } => View::all(document).filter(invalid).map(of_row).collect(),
        other => vec![other.to_string()],
    });
    let newer = document.newer_rows().map(|(_, row)| format!("from a newer rigbench: {row}"));
    of_run.chain(newer).collect()
}

/// The document to show, or why it is unreadable, inconsistent or without a finished row.
fn document(read: std::io::Result<Result<ParsedDocument, ReadError>>) -> Result<Document, String> {
    let given = read
        .map_err(|error| format!("it cannot be read: {error}"))?
        .map_err(|error| error.to_string())?;
    if let [first, rest @ ..] = &validate(&given, Depth::Quick).faults[..] {
        let more = format!("; and {} more", rest.len());
        let more = if rest.is_empty() { "" } else { &more };
        return Err(format!("it is not consistent: {first}{more}; rigbench validate says more"));
    }
    let document = given.shown();
    if document.derived.run.verdict != Verdict::Incomplete {
        return Ok(document);
    }
    Err(format!("{}: it was interrupted or is under way; run it again", RunReason::NoRow))
}
