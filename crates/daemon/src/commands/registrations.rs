//! `egret registrations`: who asked for an account, and what a person wants done about it.
//!
//! Wishes are written to the store; the running daemon hears of them within seconds and carries them out.

use std::path::Path;

use anyhow::{Context as _, bail};
use registrations::{Lists, Rule, Ruleset};
use serde::Deserialize;
use store::{
    Db,
    applicants::{self, Applicant, Asked, Filter, State},
    job_states,
};

use super::{
    each::{CARRIED_OUT, ask_each},
    history,
};
use crate::{
    Exit,
    args::{Args, RegistrationsAction, Who},
    out,
};

const JOB: &str = "registrations.pending";

pub(super) async fn run(args: &Args, action: &RegistrationsAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let db = &doors.store;
    let now = doors.clock.now();
    let exit = match action {
        RegistrationsAction::List {
            state,
            search,
            server,
            limit,
        } => list(args, db, state, search.clone(), server.clone(), *limit).await?,
        RegistrationsAction::Show { id, server } => show(args, db, id, server.as_deref()).await?,
        RegistrationsAction::Approve(who) => ask(args, db, who, Asked::Approve, now).await?,
        RegistrationsAction::Reject(who) => ask(args, db, who, Asked::Reject, now).await?,
        RegistrationsAction::Hold(who) => ask(args, db, who, Asked::Hold, now).await?,
        RegistrationsAction::Judge(who) => ask(args, db, who, Asked::Judge, now).await?,
        RegistrationsAction::Replay { rules } => {
            replay(args, db, &config.registrations.rules, rules.as_deref()).await?
        }
        RegistrationsAction::Audit => {
            history::audit(
                async |after, most| applicants::events_since(db, after, most).await,
                |line| &line.id,
            )
            .await?
        }
    };
    doors.store.close().await;
    Ok(exit)
}

async fn list(
    args: &Args,
    db: &Db,
    states: &[String],
    search: Option<String>,
    server: Option<String>,
    limit: u32,
) -> anyhow::Result<Exit> {
    let mut filter = Filter {
        server,
        search,
        ..Filter::default()
    };
    for name in states {
        let known = || State::ALL.map(State::as_str).join(", ");
        filter
            .states
            .push(State::named(name).with_context(|| format!("there is no state {name:?}; there are: {}", known()))?);
    }
    if filter.states.is_empty() && filter.search.is_none() {
        filter.states = State::ALL.into_iter().filter(|state| !state.is_end()).collect();
    }
    let found = applicants::list(db, &filter, limit).await?;
    if args.json {
        out::json(&found)?;
    } else if found.is_empty() {
        out::line("Nobody waits. `egret registrations list --state approved` shows who is in.");
    } else {
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        out::table(&HEAD, &rows);
    }
    Ok(Exit::Done)
}

/// Of people, one a line.
const HEAD: [&str; 8] = [
    "ID",
    "SERVER",
    "NAME",
    "ADDRESS",
    "SIGNED UP (UTC)",
    "STATE",
    "VERDICT",
    "WHY",
];

fn row(one: &Applicant) -> Vec<String> {
    let state = match &one.asked {
        Some(asked) => format!("{} ({asked} asked)", one.state.as_str()),
        None => one.state.as_str().to_owned(),
    };
    vec![
        one.account_id.clone(),
        one.server.clone(),
        one.username.clone(),
        one.email.clone().unwrap_or_else(|| "forgotten".to_owned()),
        one.signed_up_at.format("%Y-%m-%d %H:%M").to_string(),
        state,
        one.verdict.clone(),
        one.why.clone(),
    ]
}

async fn show(args: &Args, db: &Db, id: &str, server: Option<&str>) -> anyhow::Result<Exit> {
    let one = find(db, id, server).await?;
    let history = applicants::events(db, &one.server, &one.account_id).await?;
    if args.json {
        out::json(&serde_json::json!({ "applicant": one, "history": history }))?;
        return Ok(Exit::Done);
    }
    out::table(&HEAD, &[row(&one)]);
    let facts: Vec<Vec<String>> = one
        .facts
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| {
            vec![
                key.clone(),
                value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            ]
        })
        .collect();
    out::table(&["FACT", "IS"], &facts);
    history::table(
        history
            .iter()
            .map(|line| (line.at, &*line.kind, &*line.by, &line.detail)),
    );
    Ok(Exit::Done)
}

/// Somebody by account id or name; the server is only needed where several have one.
async fn find(db: &Db, id: &str, server: Option<&str>) -> anyhow::Result<Applicant> {
    let mut found = applicants::find(db, id).await?;
    if found.is_empty() {
        let filter = Filter {
            search: Some(id.to_owned()),
            ..Filter::default()
        };
        let named = applicants::list(db, &filter, 100).await?;
        found.extend(named.into_iter().filter(|one| one.username.eq_ignore_ascii_case(id)));
    }
    found.retain(|one| server.is_none_or(|server| one.server == server));
    match found.len() {
        0 => bail!("nobody is known as {id:?}; `egret registrations list` shows who waits"),
        1 => Ok(found.remove(0)),
        _ => {
            let servers: Vec<&str> = found.iter().map(|one| one.server.as_str()).collect();
            bail!("{id:?} is known at {}; say which with --server", servers.join(", "))
        }
    }
}

async fn ask(
    args: &Args,
    db: &Db,
    who: &Who,
    asked: Asked,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Exit> {
    ask_each(args, &who.ids, Some(CARRIED_OUT), async |id| {
        let one = find(db, id, who.server.as_deref()).await?;
        let name = format!("{} ({})", one.username, one.account_id);
        if !applicants::ask(db, &one.server, &one.account_id, asked, "operator", now).await? {
            bail!("{name}: is {} already", one.state.as_str());
        }
        job_states::wake(db, JOB, &one.server, now).await?;
        Ok(format!("{name}: {} asked", asked.as_str()))
    })
    .await
}

/// A file with rules: as in the config, or the rules alone.
#[derive(Deserialize)]
struct RulesFile {
    #[serde(default)]
    rules: Vec<Rule>,
    registrations: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    rules: Vec<Rule>,
}

async fn replay(args: &Args, db: &Db, config: &[Rule], file: Option<&Path>) -> anyhow::Result<Exit> {
    let rules = match file {
        None => registrations::in_place(db, config).await?,
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let read: RulesFile =
                toml::from_str(&text).with_context(|| format!("{} holds no rules", file.display()))?;
            read.registrations.map_or(read.rules, |inner| inner.rules)
        }
    };
    let lists: Lists = registrations::known_lists(db).await?;
    let ruleset = Ruleset::new(&rules, &lists).map_err(anyhow::Error::msg)?;
    let replay = registrations::replay(db, &ruleset).await?;
    if args.json {
        out::json(&replay)?;
        return Ok(Exit::Done);
    }
    out::line(format!(
        "Of {} applicants whose facts are still known, these rules judge {} alike and {} otherwise.",
        replay.judged, replay.same, replay.changed
    ));
    let rows: Vec<Vec<String>> = replay
        .changes
        .iter()
        .map(|change| {
            vec![
                change.account_id.clone(),
                change.username.clone(),
                change.was.clone(),
                change.would_be.to_string(),
                change.why.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out::table(&["ID", "NAME", "WAS", "WOULD BE", "WHY"], &rows);
    }
    Ok(Exit::Done)
}
