//! `rigbench report`: one run to look at, or a folder of them side by side.

use super::{Exit, args};
use crate::report::{self, Collection, flat};
use anyhow::{Context, Result, bail};
use atomic_write_file::AtomicWriteFile;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench report result.json\n  rigbench report --format html -o report.html results/local/*.json\n  rigbench report --format csv results/published > rows.csv\n\nOf a folder every file that ends in .json is taken. One run is shown in full; of several, rows of one kind stand in one line."
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
    let paths = files(&args.inputs)?;
    let mut rows = flat::empty();
    let mut only = None;
    let alone = paths.len() == 1;
    let collection = Collection::gather(&paths, |file, document| {
        if args.format == Format::Csv {
            rows.rows.extend(flat::rows(file, &document));
        }
        only = alone.then_some(document);
    });
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
    let each = |text: &dyn Fn(&report::Table) -> String| -> String {
        tables().iter().map(|table| text(table) + "\n").collect()
    };
    let text = match args.format {
        Format::Table => each(&|table| table.to_terminal(width, styled)),
        Format::Markdown => each(&|table| table.to_markdown()),
        Format::Csv => rows.to_csv(),
        Format::Html => report::page(&collection, only.as_ref()),
    };
    match &args.output {
        Some(path) => write(path, &text)?,
        None => super::print(&text)?,
    }
    Ok(Exit::Done)
}

/// The files that are meant, in order: those that are named, and of a folder those that end in `.json`.
fn files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for input in inputs {
        let about =
            || format!("cannot read {}; give result files or a folder of them", input.display());
        if !std::fs::metadata(input).with_context(about)?.is_dir() {
            all.push(input.clone());
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(input).with_context(about)? {
            let path = entry.with_context(about)?.path();
            if path.extension().is_some_and(|e| e == "json") && path.is_file() {
                found.push(path);
            }
        }
        found.sort();
        all.extend(found);
    }
    if all.is_empty() {
        let names: Vec<String> = inputs.iter().map(|input| input.display().to_string()).collect();
        bail!("there is no .json file in {}; rigbench run writes one", names.join(", "));
    }
    Ok(all)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let about = || format!("cannot write {}; choose another place with -o", path.display());
    let mut file = AtomicWriteFile::open(path).with_context(about)?;
    file.write_all(text.as_bytes()).with_context(about)?;
    file.commit().with_context(about)
}
