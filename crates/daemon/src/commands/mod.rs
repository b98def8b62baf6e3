//! One file per command. Each says on standard output what it found, and how it went by its exit code.

mod actor;
mod alone;
mod archive;
mod backup;
mod blocks;
mod cases;
mod check;
mod demo;
mod each;
mod effects;
mod healthcheck;
mod history;
mod import;
mod init;
mod jobs;
mod login;
mod man;
pub(crate) mod meter;
mod migrate;
mod notify;
mod once;
mod registrations;
mod replies;
mod rules;
mod run;
mod token;

use std::sync::Arc;

use clap::CommandFactory as _;
use model::{Clock, SystemClock};

use crate::{
    Exit,
    args::{Args, Command, RepliesAction},
    config::{self, Config},
    doors::Doors,
    out, telemetry,
};

/// Does what the arguments say.
///
/// # Errors
/// One message that says what to do.
pub async fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Init {
            url,
            name,
            admin,
            actor: public,
        } => {
            if let Some(public) = public {
                actor::check(args, public)?;
            }
            let done = match url {
                Some(url) => init::run(args, url, name, *admin).await?,
                None => Exit::Done,
            };
            if let Some(public) = public {
                actor::make(args, public).await?;
            }
            Ok(done)
        }
        Command::Run { .. } => run::run(args).await,
        Command::Demo { listen, threads } => demo::run(args, *listen, *threads).await,
        Command::Login => login::run(args).await,
        Command::Token { action } => token::run(args, action).await,
        Command::Check => check::run(args).await,
        Command::Migrate { check, from, to } => match from {
            Some(from) => migrate::move_all(args, from, to.as_deref()).await,
            None => migrate::run(args, *check).await,
        },
        Command::Healthcheck => healthcheck::run(args).await,
        Command::Man { folder } => man::run(args, folder.as_deref()),
        Command::Once { jobs } => once::run(args, jobs).await,
        Command::Jobs { action } => jobs::run(args, action.as_ref()).await,
        Command::Replies {
            action: RepliesAction::Fetch { url, login },
        } => replies::fetch(args, url, login.as_deref()).await,
        Command::Archive { action } => archive::run(args, action).await,
        Command::Registrations { action } => registrations::run(args, action).await,
        Command::Rules { action } => Box::pin(rules::run(args, action)).await,
        Command::Cases { action } => Box::pin(cases::run(args, action)).await,
        Command::Blocks { action } => blocks::run(args, action).await,
        Command::Meter { action } => meter::run(args, action).await,
        Command::Effects { action } => effects::run(args, action).await,
        Command::Backup { action } => backup::run(args, action).await,
        Command::Notify { action } => notify::run(args, action).await,
        Command::Import { action } => import::run(args, action).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "egret", &mut script);
            let script = String::from_utf8_lossy(&script);
            if args.json {
                out::json(&serde_json::json!({ "shell": shell.to_string(), "script": script }))?;
            } else {
                out::line(script.trim_end());
            }
            Ok(Exit::Done)
        }
    }
}

/// The operating system's clock.
fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The config, with logs started as it says.
fn load(args: &Args) -> anyhow::Result<Config> {
    let config = config::load(&args.layers())?;
    telemetry::start_logs(&config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

/// The config and the database, for commands that only look or note a wish.
pub(crate) async fn open(args: &Args) -> anyhow::Result<(Config, Doors)> {
    let config = load(args)?;
    let doors = Doors::open(&config, clock()).await?;
    Ok((config, doors))
}
