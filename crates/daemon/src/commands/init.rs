//! `egret init`: a browser once, then a token in a file and a first config.

use std::{
    io::{BufRead as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use mastodon::{Client, oauth};
use model::SystemClock;
use net::{Net, Url};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::{
    Exit,
    args::Args,
    config::{self, Layers},
    logins, out,
};

/// What is asked for, and why; the last only for admins.
const SCOPES: [(&str, &str); 2] = [
    (
        "read",
        "see your timelines, lists, bookmarks and favourites, and let your server fetch the replies it lacks",
    ),
    (
        "admin:read",
        "see which accounts are your server's own, for the jobs that look after the whole of it",
    ),
];

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    config: PathBuf,
    token_file: PathBuf,
    server: String,
    version: String,
    acct: String,
    role: Option<String>,
    scopes: Vec<String>,
}

pub(super) async fn run(args: &Args, url: &Url, name: &str, admin: bool) -> anyhow::Result<Exit> {
    // Where `egret check` and `egret run` will look for it.
    let named = std::env::var_os("EGRET_CONFIG").filter(|file| !file.is_empty());
    let file = args.config.clone().or(named.map(PathBuf::from));
    let file = file.unwrap_or_else(|| "egret.toml".into());
    let folder = file.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        bail!("--name {name:?} must be one word of letters, digits, - and _; choose another");
    }
    let token_name = format!("egret-{name}.token");
    let token_file = folder.join(&token_name);
    for path in [&file, &token_file] {
        if path.exists() {
            bail!(
                "{} is there already, and init does not overwrite it; move it away first, or add the login by hand",
                path.display()
            );
        }
    }
    let base: Url = url
        .origin()
        .ascii_serialization()
        .parse()
        .with_context(|| format!("{url} is not the address of a server; write https://your.server"))?;
    let net = net()?;
    let version = version(&net, &base).await?;
    let asked_for = &SCOPES[..if admin { 2 } else { 1 }];
    let scopes: Vec<&str> = asked_for.iter().map(|(scope, _)| *scope).collect();
    let app = oauth::register(&net, &base, "Egret", oauth::Redirect::OutOfBand, &scopes)
        .await
        .with_context(|| format!("cannot register at {base}"))?;
    let question = app.ask(&scopes);
    say(args, &explanation(&base, asked_for, &question.url));

    let code = read_line().await?;
    let granted = app
        .token(&net, &code, &question.verifier, &scopes)
        .await
        .context("the server did not take the code; run init again and paste the whole code within ten minutes")?;
    let client = Client::new(net, base.clone(), format!("{base}{name}"), granted.token.clone());
    let owner = client
        .verify_credentials()
        .await
        .context("the server gave a token and does not take it; run init again")?;
    let made = Made {
        acct: logins::acct(&owner.account.acct, &client.host().to_string()),
        role: owner.role.map(|role| role.name).filter(|role| !role.is_empty()),
        scopes: granted.scopes,
        server: base.origin().ascii_serialization(),
        version,
        config: file,
        token_file,
    };
    write(&made, name, &token_name, granted.token.expose_secret())?;
    tell(args, &made, &scopes)?;
    Ok(Exit::Done)
}

/// The door to other servers. The environment may open what `[net]` must allow; the config that is about to be
/// written cannot yet.
fn net() -> anyhow::Result<Net> {
    let config = config::load(&Layers {
        file: None,
        environment: Layers::of_process()
            .environment
            .into_iter()
            .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("EGRET__NET__")))
            .collect(),
        flags: Vec::new(),
    })?;
    Ok(Net::new(&config.net, Arc::new(SystemClock))?)
}

/// What the server says it runs, before anybody is sent anywhere.
async fn version(net: &Net, base: &Url) -> anyhow::Result<String> {
    let nobody = Client::new(net.clone(), base.clone(), "init", String::new().into());
    match nobody.instance().await {
        Ok(instance) => Ok(instance.version),
        Err(error @ (mastodon::Error::NotJson { .. } | mastodon::Error::NotFound { .. })) => {
            bail!("{base} is not a Mastodon server ({error}); write the address that you sign in at")
        }
        // A server that shows nothing of itself to strangers may still take an app.
        Err(mastodon::Error::NoToken { .. } | mastodon::Error::Revoked { .. }) => Ok(String::new()),
        Err(error @ mastodon::Error::Net(net::Error::Refused { .. })) => {
            bail!("{error}; for a server of your own network set EGRET__NET__ALLOW=192.0.2.0/24, with its addresses")
        }
        Err(error) => Err(error).with_context(|| format!("cannot reach {base}; is the address right?")),
    }
}

fn explanation(base: &Url, scopes: &[(&str, &str)], address: &Url) -> String {
    let scopes: String = scopes
        .iter()
        .map(|(scope, why)| format!("  {scope:<11} to {why}\n"))
        .collect();
    format!(
        "Egret asks {} for a token with these scopes, none of which can write:\n{scopes}\
         You can take it back at any time in your server's preferences, under authorized apps.\n\n\
         Open this address in a browser where you are signed in, and agree:\n\n  {address}\n\n\
         The server then shows a code. Paste it here and press Enter:",
        base.host_str().unwrap_or_default(),
    )
}

/// To the person at the terminal; with `--json` standard output is for the result alone.
fn say(args: &Args, text: &str) {
    if args.json {
        let _ = writeln!(std::io::stderr(), "{text}");
    } else {
        out::line(text);
    }
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

fn write(made: &Made, name: &str, token_name: &str, token: &str) -> anyhow::Result<()> {
    if let Some(folder) = made.config.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    write_private(&made.token_file, token)?;
    let text = format!(
        "# Made by `egret init`. config/example.toml shows every key with its default.\n\n\
         [[servers]]\nurl = \"{}\"\n\n[[servers.logins]]\nname = \"{name}\"\ntoken_file = \"{token_name}\"\n",
        made.server
    );
    std::fs::File::create_new(&made.config)
        .and_then(|mut written| written.write_all(text.as_bytes()))
        .with_context(|| {
            // Without the config the token is of no use, and in the way of the next try.
            let _ = std::fs::remove_file(&made.token_file);
            format!("cannot write {}", made.config.display())
        })
}

fn tell(args: &Args, made: &Made, wanted: &[&str]) -> anyhow::Result<()> {
    if args.json {
        return out::json(made);
    }
    let role = made.role.as_ref().map_or_else(String::new, |role| format!(" ({role})"));
    out::line(format!("You are {}{role}.", made.acct));
    for scope in wanted {
        if !made.scopes.iter().any(|given| given == scope) {
            out::line(format!(
                "The server did not give the scope {scope}: the jobs that need it will rest."
            ));
        }
    }
    out::line(format!(
        "Wrote {} and {}, which only you can read. Now: `egret check`, then `egret run`.",
        made.config.display(),
        made.token_file.display()
    ));
    Ok(())
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
