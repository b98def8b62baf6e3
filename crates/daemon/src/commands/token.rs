//! `egret token`: tokens for programs that ask the API.

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use store::api_tokens::{self, ApiToken};

use crate::{
    Exit,
    args::{Args, TokenAction},
    config::Config,
    doors::Doors,
    out,
};

/// A token, as shown.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    scopes: Vec<&'a str>,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

pub(super) async fn run(args: &Args, action: &TokenAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    match action {
        TokenAction::Create { name, scopes, expires } => {
            scopes.iter().try_for_each(|scope| check(&config, scope))?;
            create(args, &doors, name, scopes, *expires).await?;
        }
        TokenAction::List => list(args, &doors).await?,
        TokenAction::Revoke { name } => {
            if !api_tokens::revoke(&doors.store, name, doors.clock.now()).await? {
                bail!("there is no token {name:?} that works; `egret token list` shows them");
            }
            let said = format!("the token {name:?} is worth nothing from now on");
            if args.json {
                out::json(&serde_json::json!({ "done": said }))?;
            } else {
                out::line(said);
            }
        }
    }
    doors.store.close().await;
    Ok(Exit::Done)
}

/// A scope for a server or login that is not there would let nobody do anything.
fn check(config: &Config, scope: &str) -> anyhow::Result<()> {
    let Some((_, place)) = scope.split_once('@') else {
        return Ok(());
    };
    let (host, login) = place
        .split_once('/')
        .map_or((place, None), |(host, login)| (host, Some(login)));
    let Some(server) = config.servers.iter().find(|server| server.host() == host) else {
        bail!("--scope {scope}: there is no server {host:?} in [[servers]]; write its host, as in its url");
    };
    if let Some(login) = login
        && !server.logins.iter().any(|known| known.name == login)
    {
        bail!("--scope {scope}: there is no login {login:?} at {host}; see its [[servers.logins]]");
    }
    Ok(())
}

async fn create(
    args: &Args,
    doors: &Doors,
    name: &str,
    scopes: &[String],
    expires: Option<std::time::Duration>,
) -> anyhow::Result<()> {
    let now = doors.clock.now();
    let expires_at = expires
        .map(|after| {
            let end = TimeDelta::from_std(after)
                .ok()
                .and_then(|after| now.checked_add_signed(after));
            end.context("--expires is too far away; leave it out for a token that works for ever")
        })
        .transpose()?;
    let created = web::tokens::create(&doors.store, name, scopes, now, expires_at).await?;
    let token = created.token.expose_secret();
    if args.json {
        return out::json(&serde_json::json!({ "token": token, "about": row(&created.row) }));
    }
    out::line(format!(
        "This is the token. It is not shown again:\n\n  {token}\n\nPrograms send it as `Authorization: Bearer …`. \
         `egret token revoke {name:?}` ends it."
    ));
    Ok(())
}

async fn list(args: &Args, doors: &Doors) -> anyhow::Result<()> {
    let tokens = api_tokens::list(&doors.store).await?;
    if args.json {
        return out::json(&tokens.iter().map(row).collect::<Vec<_>>());
    }
    let time =
        |at: Option<DateTime<Utc>>| at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string());
    let now = doors.clock.now();
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            let state = match (token.revoked_at, token.expires_at) {
                (Some(_), _) => "revoked",
                (None, Some(end)) if end <= now => "expired",
                _ => "works",
            };
            vec![
                token.name.clone(),
                token.rights.replace(' ', ","),
                time(Some(token.created_at)),
                time(token.last_used_at),
                time(token.expires_at),
                state.to_owned(),
            ]
        })
        .collect();
    let heading = [
        "NAME",
        "SCOPES",
        "MADE (UTC)",
        "LAST USED (UTC)",
        "EXPIRES (UTC)",
        "STATE",
    ];
    out::table(&heading, &rows);
    Ok(())
}

fn row(token: &ApiToken) -> Row<'_> {
    Row {
        name: &token.name,
        scopes: token.rights.split_whitespace().collect(),
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}
