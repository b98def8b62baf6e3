//! `egret init --actor`: the key of the actor that signs our fetches, and its section of the config.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use net::Url;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey as _, LineEnding},
    rand_core::OsRng,
};
use serde::Serialize;

use super::init::write_private;
use crate::{args::Args, out};

/// What Mastodon's own keys have.
const BITS: usize = 2048;
const KEY: &str = "egret-actor.pem";

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    config: PathBuf,
    key_file: PathBuf,
    actor: String,
    acct: String,
}

/// Where the config is, and where the key goes.
fn places(args: &Args) -> anyhow::Result<(PathBuf, PathBuf)> {
    let file = match args.layers().find()? {
        Some(file) => file,
        None => args.config.clone().unwrap_or_else(|| "egret.toml".into()),
    };
    let key = file.parent().unwrap_or_else(|| Path::new("")).join(KEY);
    Ok((file, key))
}

/// Says what stands in the way, before anything is made or anybody asked.
///
/// # Errors
/// When there is an actor already, or the address is no public one.
pub(super) fn check(args: &Args, public: &Url) -> anyhow::Result<()> {
    let (file, key) = places(args)?;
    if !matches!(public.path(), "" | "/") {
        bail!(
            "--actor {public}: other servers look for an actor at a host, so write it without a path, such as https://egret.example"
        );
    }
    if key.exists() {
        bail!(
            "{} is there already, and init does not overwrite it: other servers know the actor by this key",
            key.display()
        );
    }
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    // A broken one is told by whoever reads it next; its text may hold secrets, and so does the parser's message.
    let known = text.parse::<toml::Table>().ok();
    if known.is_some_and(|table| table.get("net").is_some_and(|net| net.get("actor").is_some())) {
        bail!(
            "{} has a [net.actor] already; its key_file is the actor's key",
            file.display()
        );
    }
    Ok(())
}

/// Makes the key and writes both.
///
/// # Errors
/// When a file cannot be written.
pub(super) async fn make(args: &Args, public: &Url) -> anyhow::Result<()> {
    check(args, public)?;
    let (file, key_file) = places(args)?;
    let pem = tokio::task::spawn_blocking(|| {
        let key = RsaPrivateKey::new(&mut OsRng, BITS).context("cannot make a key")?;
        key.to_pkcs8_pem(LineEnding::LF).context("cannot write a key down")
    })
    .await??;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    write_private(&key_file, pem.trim_end())?;
    let public = public.origin().ascii_serialization();
    let section = format!("\n[net.actor]\nurl = \"{public}\"\nname = \"egret\"\nkey_file = \"{KEY}\"\n");
    let mut options = std::fs::OpenOptions::new();
    options
        .append(true)
        .create(true)
        .open(&file)
        .and_then(|mut config| config.write_all(section.as_bytes()))
        .with_context(|| {
            // Without its section the key is of no use, and in the way of the next try.
            let _ = std::fs::remove_file(&key_file);
            format!("cannot write {}", file.display())
        })?;
    let host = public.split("://").nth(1).unwrap_or_default().to_owned();
    let made = Made {
        config: file,
        key_file,
        actor: format!("{public}/actor"),
        acct: format!("egret@{host}"),
    };
    if args.json {
        return out::json(&made);
    }
    out::line(format!(
        "Wrote {}, which only you can read, and [net.actor] in {}.\n\
         Let {public}/actor, {public}/actor/… and {public}/.well-known/webfinger lead to the address that [web] listens on, \
         then restart egret. docs/features/backfill.md says how.",
        made.key_file.display(),
        made.config.display()
    ));
    Ok(())
}
