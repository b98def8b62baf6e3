//! A browser for the tests of the dashboard, and `cargo xtask screenshots`.

use std::path::PathBuf;

use anyhow::bail;

use crate::{apt, process};

/// The longest picture in the docs: they are fetched with every clone.
const LARGEST: u64 = 200_000;

/// Finds chromedriver, or installs it with its browser where it may.
pub(crate) fn find() -> anyhow::Result<PathBuf> {
    const HOW: &str = "install it (Debian: `sudo apt-get install chromium chromium-driver`), or set CHROMEDRIVER to one \
                       of yours";
    const SCRIPT: &str = "set -e
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null";
    if let Some(named) = std::env::var_os("CHROMEDRIVER") {
        return Ok(named.into());
    }
    if let Some(found) = apt::in_path("chromedriver") {
        return Ok(found);
    }
    apt::install("a browser for the dashboard's tests", SCRIPT, HOW)?;
    match apt::in_path("chromedriver") {
        Some(found) => Ok(found),
        None => bail!("chromedriver is still not there: {HOW}"),
    }
}

/// Takes the pictures in docs/images anew.
pub(crate) fn screenshots() -> anyhow::Result<()> {
    let folder = crate::root()?.join("docs/images");
    std::fs::create_dir_all(&folder)?;
    let mut cargo = crate::cargo();
    cargo
        .current_dir(crate::root()?)
        .env("CHROMEDRIVER", find()?)
        .env("REQUIRE_BROWSER", "1")
        .env("SCREENSHOTS", &folder)
        .args([
            "test",
            "-p",
            "it",
            "--",
            "--ignored",
            "--exact",
            "browser::pictures::pictures",
        ]);
    process::run(&mut cargo)?;
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        let size = entry.metadata()?.len();
        if size > LARGEST {
            bail!(
                "{} has {size} bytes; a picture may have {LARGEST}",
                entry.path().display()
            );
        }
    }
    println!(
        "xtask: the pictures are in {}; look at them before they are committed",
        folder.display()
    );
    Ok(())
}
