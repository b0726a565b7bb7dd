//! `rigbench man`: writes a manual page for rigbench and one for each command.

use super::{Cli, Exit};
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench man ~/.local/share/man/man1    then man rigbench-run\n  rigbench man debian/tmp/usr/share/man/man1"
)]
pub(super) struct Args {
    /// Folder to write the pages to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let write = || {
        std::fs::create_dir_all(&args.folder)?;
        clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), &args.folder)
    };
    write().with_context(|| {
        format!("cannot write manual pages to {}; give another folder", args.folder.display())
    })?;
    Ok(Exit::Done)
}
