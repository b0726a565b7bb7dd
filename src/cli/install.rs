//! `rigbench completions` and `rigbench man`: what a package installs beside the program.

use super::{Cli, Exit};
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench completions bash > ~/.local/share/bash-completion/completions/rigbench\n  rigbench completions fish > ~/.config/fish/completions/rigbench.fish\n  rigbench completions zsh > ~/.zfunc/_rigbench"
)]
pub(super) struct Completions {
    /// The shell that it is for
    shell: clap_complete::Shell,
}

/// Prints a shell completion script.
pub(super) fn completions(args: &Completions) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rigbench", &mut script);
    super::print(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench man ~/.local/share/man/man1    then man rigbench-run\n  rigbench man debian/tmp/usr/share/man/man1"
)]
pub(super) struct Man {
    /// Folder to write the pages to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes a manual page for rigbench and one for each command.
pub(super) fn man(Man { folder }: &Man) -> Result<Exit> {
    let command = Cli::command().disable_help_subcommand(true);
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written.with_context(|| {
        format!("cannot write manual pages to {}; give another folder", folder.display())
    })?;
    Ok(Exit::Done)
}
