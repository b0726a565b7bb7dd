//! The `rigbench` command.

fn main() -> std::process::ExitCode {
    rigbench::cli::main()
}
