//! `rigbench report`: shows one run in full, or several side by side.

use super::{Exit, args, documents};
use crate::report::{self, Collection, flat};
use anyhow::{Context, Result, bail};
use atomic_write_file::AtomicWriteFile;
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

pub(super) fn run(args: &Args) -> Result<Exit> {
    let paths = documents::files(&args.inputs)?;
    let mut output = Output::open(args.output.as_deref())?;
    let mut table = flat::empty();
    let (mut only, mut written) = (None, Ok(()));
    let alone = paths.len() == 1;
    let collection = Collection::gather(&paths, |file, document| {
        // Written file by file, so that the rows of thousands of files are not all held in memory.
        if args.format == Format::Csv && written.is_ok() {
            let first = table.rows.is_empty();
            table.rows = flat::rows(file, &document).collect();
            let text = if first { table.to_csv() } else { table.rows_to_csv() };
            written = output.write(&text);
        }
        only = alone.then_some(document);
    });
    written?;
    for (file, why) in collection.refused() {
        if collection.runs().next().is_none() {
            bail!("{}: {why}", file.name);
        }
        super::say(&format!("note: {} is not shown: {why}", file.name));
    }
    let (width, styled) = args::terminal();
    let styled = styled && args.output.is_none();
    let tables = || match &only {
        Some(document) => report::run(document),
        None => vec![report::several(&collection)],
    };
    let render = |text: &dyn Fn(&report::Table) -> String| -> String {
        tables().iter().map(|table| text(table) + "\n").collect()
    };
    let text = match args.format {
        Format::Table => render(&|table| table.to_terminal(width, styled)),
        Format::Markdown => render(&|table| table.to_markdown()),
        Format::Csv if table.rows.is_empty() => table.to_csv(),
        Format::Csv => String::new(),
        Format::Html => report::page(&collection, only.as_ref()),
    };
    output.write(&text)?;
    output.end()?;
    Ok(Exit::Done)
}

/// Destination of a report: a file that is replaced atomically at the end, or stdout.
struct Output<'a> {
    file: Option<(&'a Path, AtomicWriteFile)>,
}

impl<'a> Output<'a> {
    fn open(path: Option<&'a Path>) -> Result<Output<'a>> {
        let Some(path) = path else { return Ok(Output { file: None }) };
        let file = AtomicWriteFile::open(path).with_context(|| cannot_write(path))?;
        Ok(Output { file: Some((path, file)) })
    }

    fn write(&mut self, text: &str) -> Result<()> {
        match &mut self.file {
            None => super::print(text),
            Some((path, file)) => {
                file.write_all(text.as_bytes()).with_context(|| cannot_write(path))
            }
        }
    }

    fn end(self) -> Result<()> {
        let Some((path, file)) = self.file else { return Ok(()) };
        file.commit().with_context(|| cannot_write(path))
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}; choose another place with -o", path.display())
}
