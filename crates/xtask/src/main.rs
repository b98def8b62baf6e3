//! The chores of this repository, so that nobody has to remember them: `cargo xtask test`, `ci`, `check-deps`, `bench`,
//! `soak`, `growth`, `deploy-check`, `screenshots`.
#![expect(
    clippy::print_stdout,
    reason = "a program for people at a terminal; printing is what it does"
)]

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

mod apt;
mod bench;
mod browser;
mod ci;
mod deploy;
mod deps;
mod postgres;
mod process;
mod test;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The chores of this repository"
)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs every test on both database engines, with a Postgres of its own that goes when the tests end.
    Test(test::Args),
    /// Does what CI does: format, lints, docs, permissions of dependencies, tests.
    Ci(test::Args),
    /// Checks who may depend on what, and that docs/dependencies.md names every dependency.
    CheckDeps,
    /// Measures the budgets against the simulated fediverse.
    Bench(bench::Args),
    /// Kills the daemon over and over while it works, and looks whether anything was lost or done twice.
    Soak(bench::soak::Args),
    /// Draws what a day takes on servers of different sizes.
    Growth(bench::growth::Args),
    /// Looks at deploy/ with the tools that its readers use, as far as they are here.
    DeployCheck,
    /// Takes the pictures of the dashboard in docs/images anew.
    Screenshots,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = process::watch_signals() {
        eprintln!("xtask: cannot watch for signals: {error}");
        return ExitCode::FAILURE;
    }
    let done = match &args.chore {
        Chore::Test(args) => test::run(args),
        Chore::Ci(args) => ci::run(args),
        Chore::CheckDeps => deps::run(),
        Chore::Bench(args) => bench::run(args),
        Chore::Soak(args) => bench::soak::run(args),
        Chore::Growth(args) => bench::growth::run(args),
        Chore::DeployCheck => deploy::run(),
        Chore::Screenshots => browser::screenshots(),
    };
    match done {
        _ if process::interrupted() => ExitCode::from(130),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the repository.
fn root() -> anyhow::Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .map(PathBuf::from)
        .context("xtask is not in crates/xtask of a repository")
}

/// The cargo that started us, or the one in PATH.
fn cargo() -> std::process::Command {
    std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
