//! What Debian and its relatives can install, where we are root or may become root without a password.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::process;

/// Runs `script` as root, to install `what`. `how` tells people what to do where that cannot be.
pub(crate) fn install(what: &str, script: &str, how: &str) -> anyhow::Result<()> {
    if in_path("apt-get").is_none() {
        bail!("{what} is not installed: {how}");
    }
    let mut command = if is_root()? {
        Command::new("sh")
    } else if in_path("sudo").is_some() && quietly(Command::new("sudo").args(["-n", "true"])).is_ok() {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        sudo
    } else {
        bail!("{what} is not installed, and I am not root and cannot sudo without a password: {how}");
    };
    println!("xtask: installing {what} with apt-get");
    process::run(command.args(["-c", script])).with_context(|| format!("cannot install {what}: {how}"))
}

/// Whether we are root.
pub(crate) fn is_root() -> anyhow::Result<bool> {
    let out = Command::new("id")
        .arg("-u")
        .output()
        .context("cannot ask `id -u` who I am")?;
    Ok(out.stdout.trim_ascii() == b"0")
}

/// A program that the shell would find.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Runs something whose output matters only when it fails.
pub(crate) fn quietly(command: &mut Command) -> anyhow::Result<()> {
    // The output goes to a file: a server that stays would hold a pipe open for ever.
    let mut log = tempfile::tempfile()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    std::io::Seek::rewind(&mut log)?;
    std::io::Read::read_to_string(&mut log, &mut said)?;
    bail!("`{}` failed ({status}): {}", process::shown(command), said.trim())
}
