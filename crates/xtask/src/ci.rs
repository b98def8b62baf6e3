//! `cargo xtask ci`: what CI runs, in its order. `CONTRIBUTING.md` says what each step is for.

use crate::{deps, process, test};

/// Runs every step; the first that fails ends it.
pub(crate) fn run(args: &test::Args) -> anyhow::Result<()> {
    let root = crate::root()?;
    let steps: [(&[&str], Option<(&str, &str)>); 3] = [
        (&["fmt", "--all", "--check"], None),
        (
            &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            None,
        ),
        (
            &["doc", "--workspace", "--no-deps", "--document-private-items"],
            Some(("RUSTDOCFLAGS", "-D warnings")),
        ),
    ];
    for (step, env) in steps {
        println!("xtask: cargo {}", step.join(" "));
        process::run(crate::cargo().current_dir(&root).args(step).envs(env))?;
    }
    println!("xtask: permissions of dependencies");
    deps::run()?;
    test::run(args)
}
