//! `egret healthcheck`: asks the daemon of this config whether it is ready. An image that holds nothing else has no curl.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{Exit, args::Args, config, out};

const PATIENCE: Duration = Duration::from_secs(4);

pub(super) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = config::load(&args.layers())?;
    let mut at = config.web.listen;
    if at.ip().is_unspecified() {
        let here = match at {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        at.set_ip(here);
    }
    let said = tokio::time::timeout(PATIENCE, ask(at))
        .await
        .with_context(|| format!("nothing answers at {at} in time"))?
        .with_context(|| format!("nothing answers at {at}"))?;
    if said.split(' ').nth(1) != Some("200") {
        bail!("the daemon at {at} is not ready: see http://{at}/healthz");
    }
    if args.json {
        out::json(&serde_json::json!({ "ready": true }))?;
    } else {
        out::line("ready");
    }
    Ok(Exit::Done)
}

/// The first line of the answer.
async fn ask(at: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    stream.take(4096).read_to_end(&mut head).await?;
    let text = String::from_utf8_lossy(&head);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
