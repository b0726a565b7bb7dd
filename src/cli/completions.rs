//! `rigbench completions`: prints a shell completion script.

use super::{Cli, Exit};
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  rigbench completions bash > ~/.local/share/bash-completion/completions/rigbench\n  rigbench completions fish > ~/.config/fish/completions/rigbench.fish\n  rigbench completions zsh > ~/.zfunc/_rigbench"
)]
pub(super) struct Args {
    /// The shell that it is for
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rigbench", &mut script);
    super::print(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}
