//! `egret replies fetch`.

use anyhow::bail;

use crate::{Exit, args::Args};

pub(super) async fn fetch(_args: &Args, _url: &str, _login: Option<&str>) -> anyhow::Result<Exit> {
    bail!("not in this build")
}
