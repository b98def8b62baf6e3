//! `egret man`: made from the same words as `--help`.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::{Exit, args::Args, out};

pub(super) fn run(args: &Args, folder: Option<&Path>) -> anyhow::Result<Exit> {
    let command = Args::command();
    match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder))
                .with_context(|| format!("cannot write to {}", folder.display()))?;
            if args.json {
                out::json(&serde_json::json!({ "folder": folder }))?;
            }
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            let page = String::from_utf8_lossy(&page);
            if args.json {
                out::json(&serde_json::json!({ "page": page }))?;
            } else {
                out::line(page.trim_end());
            }
        }
    }
    Ok(Exit::Done)
}
