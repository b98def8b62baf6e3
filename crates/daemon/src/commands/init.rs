//! `egret init`: a browser once, then a token in a file and a first config.

use std::{
    io::{BufRead as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use mastodon::oauth;
use model::SystemClock;
use net::{Net, Url};
use secrecy::ExposeSecret as _;

use crate::{
    Exit,
    args::Args,
    config::{self, Layers},
    out,
};

/// What the jobs of a person's account ask for; each is needed by a job named in docs/features.
const SCOPES: &[&str] = &["read"];

/// Beside those, for the jobs of a whole server.
const ADMIN_SCOPES: &[&str] = &["read", "admin:read"];

pub(super) async fn run(args: &Args, url: &Url, name: &str, admin: bool) -> anyhow::Result<Exit> {
    let file = args.config.clone().unwrap_or_else(|| "egret.toml".into());
    let folder = file.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        bail!("--name {name:?} must be one word of letters, digits, - and _");
    }
    let token_file = format!("egret-{name}.token");
    for path in [&file, &folder.join(&token_file)] {
        if path.exists() {
            bail!(
                "{} is there already, and init does not overwrite it; move it away first",
                path.display()
            );
        }
    }
    let base: Url = url
        .origin()
        .ascii_serialization()
        .parse()
        .with_context(|| format!("{url} is not the address of a server; write https://your.server"))?;
    // The environment may open what [net] must allow; the config that is about to be written cannot yet.
    let config = config::load(&Layers {
        file: None,
        environment: Layers::of_process()
            .environment
            .into_iter()
            .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("EGRET__NET__")))
            .collect(),
        flags: Vec::new(),
    })?;
    let net = Net::new(&config.net, std::sync::Arc::new(SystemClock))?;
    let scopes = if admin { ADMIN_SCOPES } else { SCOPES };
    let app = oauth::register(&net, &base, "Egret", oauth::Redirect::OutOfBand, scopes)
        .await
        .with_context(|| format!("cannot register at {base}; is it a Mastodon server?"))?;
    let asked = app.ask(scopes);
    out::line(format!(
        "Open this address in a browser where you are signed in, and agree:\n\n  {}\n\n\
         The server then shows a code. Paste it here and press Enter:",
        asked.url
    ));
    let code = read_line().await?;
    let granted = app
        .token(&net, &code, &asked.verifier, scopes)
        .await
        .context("the server did not take the code; run init again and paste the whole code within ten minutes")?;
    write_private(&folder.join(&token_file), granted.token.expose_secret())?;
    let text = format!(
        "# Made by `egret init`. config/example.toml shows every key with its default.\n\n\
         [[servers]]\nurl = \"{}\"\n\n[[servers.logins]]\nname = \"{name}\"\ntoken_file = \"{token_file}\"\n",
        base.origin().ascii_serialization()
    );
    std::fs::File::create_new(&file)
        .and_then(|mut written| written.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))?;
    out::line(format!(
        "Wrote {} and {}. Now: `egret check`, then `egret run`.",
        file.display(),
        folder.join(&token_file).display()
    ));
    Ok(Exit::Done)
}

async fn read_line() -> anyhow::Result<String> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    })
    .await??;
    let code = line.trim();
    if code.is_empty() {
        bail!("no code was given; run init again when you have it");
    }
    Ok(code.to_owned())
}

/// Writes a new file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| writeln!(file, "{text}"))
        .with_context(|| format!("cannot write {}", path.display()))
}
