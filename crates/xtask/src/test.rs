//! `cargo xtask test`: every test, on both engines, with nothing to prepare.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::{
    postgres::Cluster,
    process::{self, Group},
};

/// What to test, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tests on SQLite alone, for machines where Postgres cannot be had.
    #[arg(long)]
    no_postgres: bool,
    /// Handed to `cargo test`: a part of a test's name, `-p store`, `-- --nocapture`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

/// Starts a Postgres, runs `cargo test`, stops it again.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cargo = crate::cargo();
    cargo.current_dir(crate::root()?).arg("test");
    if !args
        .cargo
        .iter()
        .any(|a| a == "-p" || a.starts_with("--package") || a == "--workspace")
    {
        cargo.arg("--workspace");
    }
    cargo.args(&args.cargo);
    let mut cluster = None;
    match std::env::var("TEST_DATABASE_URL") {
        _ if args.no_postgres => {
            println!("xtask: testing on SQLite alone");
            cargo.env_remove("TEST_DATABASE_URL").env_remove("REQUIRE_POSTGRES");
        }
        Ok(url) if !url.is_empty() => {
            println!("xtask: testing on SQLite and on the Postgres of TEST_DATABASE_URL");
            cargo.env("REQUIRE_POSTGRES", "1");
        }
        _ => {
            let started = Cluster::start()?;
            println!("xtask: testing on SQLite and on {}", started.version());
            cargo
                .env("TEST_DATABASE_URL", started.url())
                .env("REQUIRE_POSTGRES", "1");
            cluster = Some(started);
        }
    }
    match crate::browser::find() {
        Ok(driver) => {
            cargo.env("CHROMEDRIVER", driver).env("REQUIRE_BROWSER", "1");
        }
        Err(error) => println!("xtask: SKIPPED: the dashboard in a real browser: {error:#}"),
    }
    let outcome = count(&mut cargo);
    // Not before the tests are over, and whatever they said.
    drop(cluster);
    outcome
}

/// Runs the tests, shows what they print, and adds up what each test binary says.
fn count(cargo: &mut Command) -> anyhow::Result<()> {
    let mut group = Group::start(cargo.stdout(Stdio::piped()))?;
    let stdout = group.child().stdout.take().context("cargo has no output")?;
    let mut total = Count::default();
    let mut out = std::io::stdout().lock();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        total.add(&String::from_utf8_lossy(&line));
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    drop(out);
    let status = group.wait()?;
    if process::interrupted() {
        bail!("interrupted");
    }
    println!(
        "xtask: {} passed, {} failed, {} skipped",
        total.passed, total.failed, total.ignored
    );
    if !status.success() {
        bail!("tests failed ({status})");
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Count {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(("", result)) = line.split_once("test result: ") else {
            return;
        };
        for part in result.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_test_binaries_say() {
        let mut count = Count::default();
        count.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        count.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        count.add("test says::test result: ok. 9 passed ... ok");
        assert_eq!(
            count,
            Count {
                passed: 15,
                failed: 2,
                ignored: 1
            }
        );
    }
}
