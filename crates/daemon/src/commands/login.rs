//! `egret login`: a link for the person at this machine.

use anyhow::Context as _;

use crate::{Exit, args::Args, out};

pub(super) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let base = config.web.base(config.web.listen).context("in [web]")?;
    let link = web::signin::one_time_link(&doors.store, &base, doors.clock.now()).await?;
    doors.store.close().await;
    if args.json {
        out::json(&serde_json::json!({ "link": link }))?;
    } else {
        out::line(format!(
            "Open this in a browser while `egret run` runs. It works once, within half an hour, and opens everything:\n\n  {link}\n"
        ));
    }
    Ok(Exit::Done)
}
