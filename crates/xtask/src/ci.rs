//! `cargo xtask ci`: what CI runs, in its order. `CONTRIBUTING.md` says what each step is for.

use crate::{deps, process, test};

/// Runs every step; the first that fails ends it.
pub(crate) fn run(args: &test::Args) -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"])?;
    println!("xtask: permissions of dependencies");
    deps::run()?;
    test::run(args)
}

fn cargo(step: &[&str]) -> anyhow::Result<()> {
    println!("xtask: cargo {}", step.join(" "));
    let mut cargo = crate::cargo();
    // Only `cargo doc` reads it.
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    process::run(cargo.current_dir(crate::root()?).args(step))
}
