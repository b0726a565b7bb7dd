//! `rigbench report`: shows one run in full, or several side by side.

use super::{Exit, args, documents};
use crate::report::{self, Collection, flat};
use anyhow::{Context, Result, bail};
use atomic_write_file::AtomicWriteFile;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench report result.json\n  rigbench report --format html -o report.html results/local/*.json\n  rigbench report --format csv results/published > rows.csv\n\nOf a folder every file that ends in .json is taken. One run is shown in full; of several, rows of one kind are merged into one line."
)]
pub(super) struct Args {
    /// Result files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    inputs: Vec<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write to FILE, whole or not at all [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Tables for a terminal
    Table,
    /// Tables in Markdown
    Markdown,
    /// Every row with all digits, for machines
    Csv,
    /// A page to look at, in one file
    Html,
}

/// Where a report is written to.
enum Output {
    /// A file, which is replaced when the report is whole.
    Whole(AtomicWriteFile),
    /// A device or a pipe, which must not be replaced.
    Device(File),
}

impl Output {
    fn open(path: &Path) -> std::io::Result<Output> {
        match path.exists() && !path.is_file() {
            true => OpenOptions::new().write(true).open(path).map(Output::Device),
            false => AtomicWriteFile::open(path).map(Output::Whole),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Output::Whole(file) => file,
            Output::Device(file) => file,
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let paths = documents::files(&args.inputs)?;
    let output = args.output.as_deref().unwrap_or(Path::new(""));
    let cannot_write =
        || format!("cannot write {}; choose another place with -o", output.display());
    // What a link leads to is written, not the link.
    let target = std::fs::canonicalize(output).unwrap_or_else(|_| output.to_path_buf());
    if paths.iter().any(|path| std::fs::canonicalize(path).is_ok_and(|path| path == target)) {
        bail!("{} is one of the files to report; choose another place with -o", output.display());
    }
    let file = args.output.is_some().then(|| Output::open(&target)).transpose();
    let mut file = file.with_context(cannot_write)?;
    let mut write = |text: &str| match &mut file {
        Some(file) => file.writer().write_all(text.as_bytes()).with_context(cannot_write),
        None => super::print(text),
    };
    let mut rows = flat::empty();
    let (mut shown, mut only, mut written) = (0, None, Ok(()));
    let collection = Collection::gather(&paths, |file, document| {
        // Written file by file, so that the rows of thousands of files are not all held in memory.
        if args.format == Format::Csv && written.is_ok() {
            let first = rows.rows.is_empty();
            rows.rows = flat::rows(file, &document).collect();
            written = write(&if first { rows.to_csv() } else { rows.rows_to_csv() });
        }
        shown += 1;
        only = (shown == 1).then_some(document);
    });
    written?;
    for (file, why) in collection.refused() {
        if collection.runs().next().is_none() {
            bail!("{}: {why}", file.name);
        }
        super::say(&format!("note: {} is not shown: {why}", file.name));
    }
    let render = |text: &dyn Fn(&report::Table) -> String| -> String {
        let mut tables = match &only {
            Some(document) => report::run(document),
            None => vec![report::several(&collection)],
        };
        let refused = collection.refused();
        let refused = refused.map(|(file, why)| format!("not shown: {}: {why}", file.name));
        if let Some(last) = tables.last_mut() {
            last.notes.extend(refused);
        }
        tables.iter().map(|table| text(table) + "\n").collect()
    };
    let (width, styled) = args::terminal();
    let styled = styled && args.output.is_none();
    write(&match args.format {
        Format::Table => render(&|table| table.to_terminal(width, styled)),
        Format::Markdown => render(&report::Table::to_markdown),
        Format::Csv if rows.rows.is_empty() => rows.to_csv(),
        Format::Csv => String::new(),
        Format::Html => report::page(&collection, only.as_ref()),
    })?;
    if let Some(Output::Whole(file)) = file {
        file.commit().with_context(cannot_write)?;
    }
    Ok(Exit::Done)
}
