//! `egret import fediblockhole`: its TOML as a config of ours, and what will be different.

use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::{Exit, args::Args, out};

pub(super) fn run(args: &Args, file: &Path) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let imported = blocklists::import::fediblockhole(&text)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{} is no config of FediBlockHole", file.display()))?;
    if args.json {
        out::json(&json!({ "config": imported.text, "differences": imported.differences }))?;
        return Ok(Exit::Done);
    }
    out::line(imported.text.trim_end());
    out::line("");
    for difference in &imported.differences {
        out::line(format!("# {difference}"));
    }
    Ok(Exit::Done)
}
