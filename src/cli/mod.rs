//! The command line, one file per command. Documents go to stdout, everything else to stderr.

mod advise;
mod args;
mod busy;
mod check;
mod compare;
mod devices;
mod doctor;
mod documents;
mod install;
mod interrupt;
mod progress;
mod report;
mod run;
mod stream;
mod tune;
mod validate;
mod verify;

use crate::report::Table;
use crate::text::{self, plain};
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use stream::{print, say};

/// What a joule buys on this machine: Bitcoin hashes or AI tokens.
#[derive(Parser)]
#[command(
    name = "rigbench",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Example: rigbench run --quick, then rigbench advise results/local/*.json\nExit codes: 0 done, 1 the answer is no, 2 the request cannot be carried out, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What can be measured here, and its class
    Devices(devices::Args),
    /// Compare every kernel, but the decoders', with its oracle on every device
    Check(check::Args),
    /// Choose the fastest verified kernel for each workload and device, and keep the choice
    Tune(tune::Args),
    /// Measure workloads on devices and write a result file
    Run(run::Args),
    /// Judge whether result files are consistent: digests, figures and proofs of the work
    Validate(validate::Args),
    /// Compare two result files, like with like, and fail on a regression past a gate
    Compare(compare::Args),
    /// Show runs as tables, Markdown, CSV or a page to look at
    Report(report::Args),
    /// What the next kilowatt-hour should do: hash, sell tokens or be rented out; and the break-even prices
    Advise(advise::Args),
    /// What is missing here for a good measurement, and how to fix it
    Doctor(doctor::Args),
    /// Print what a shell needs to complete arguments
    Completions(install::Completions),
    /// Write manual pages to a folder
    Man(install::Man),
    #[command(hide = true)]
    VerifyVariants(verify::Args),
}

/// How a command ended, by its exit code.
enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no.
    No = 1,
    /// The user interrupted it.
    Interrupted = 130,
}

/// Parses the process's arguments and runs the command. Exit codes: 0 done, 1 the answer is no, 2 the request cannot be carried
/// out, 130 interrupted.
pub fn main() -> ExitCode {
    prepare_drivers();
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_env_var("RIGBENCH_LOG")
        .with_default_directive(tracing::Level::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| stream::Stderr).init();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return refuse(&error),
    };
    let done = match command {
        Command::Devices(args) => devices::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Advise(args) => advise::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => install::completions(&args),
        Command::Man(args) => install::man(&args),
        Command::VerifyVariants(args) => verify::run(&args),
    };
    match done {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Sets environment variables that drivers read when they are loaded.
fn prepare_drivers() {
    let is_set = |name| std::env::var_os(name).is_some();
    // SAFETY: no other thread runs yet that could read the environment.
    let set = |name, value| unsafe { std::env::set_var(name, value) };
    // Mesa's device-select layer warns on stderr if there is no display. It is not needed: rigbench orders devices itself.
    set("NODEVICE_SELECT", "1");
    // Mesa's shader cache is not keyed by vector width, so another width would run stale kernels.
    if is_set("LP_NATIVE_VECTOR_WIDTH") && !is_set("MESA_SHADER_CACHE_DISABLE") {
        set("MESA_SHADER_CACHE_DISABLE", "true");
    }
}

/// Writes a line to stdout. It is escaped, since it may hold text from a driver or an untrusted file.
fn print_line(text: &str) -> anyhow::Result<()> {
    print(&format!("{}\n", plain(text)))
}

/// Writes tables to stdout, each followed by an empty line.
fn print_tables(tables: &[Table]) -> anyhow::Result<()> {
    let (width, styled) = args::terminal();
    tables.iter().try_for_each(|table| print(&(table.to_terminal(width, styled) + "\n")))
}

/// Writes a JSON document to stdout. Hidden characters in its strings are escaped, since stdout may be a terminal.
fn print_json(document: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", text::json(&serde_json::to_string_pretty(document)?)))
}

/// Prints help in full, and a usage error in one line.
fn refuse(error: &clap::Error) -> ExitCode {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let help_for_missing = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if help_for_missing || !error.use_stderr() {
        let _ = error.print();
        return ExitCode::from(if help_for_missing { 2 } else { 0 });
    }
    let text = error.to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("error: these arguments are not understood");
    let missing = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(names))) => {
            format!(" {}", names.join(" "))
        }
        _ => String::new(),
    };
    let is_tip = |line: &&str| line.starts_with("tip:") || line.starts_with("[possible values:");
    let tip = lines.find(is_tip).map(|tip| format!("; {tip}"));
    say(&format!("{first}{missing}{} (see rigbench --help)", tip.unwrap_or_default()));
    ExitCode::from(2)
}
