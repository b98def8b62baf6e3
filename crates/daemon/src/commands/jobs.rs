//! `egret jobs`: what runs when, and how it went.

use anyhow::bail;
use job::{Due, due};
use serde::Serialize;
use store::{job_runs, job_states, leases};

use crate::{
    Exit,
    args::{Args, JobName, JobsAction},
    config::Config,
    doors::{self, Doors},
    logins, out, registry,
    runner::Settings,
};

/// A job and scope, as shown.
#[derive(Debug, Serialize)]
struct Row {
    job: String,
    scope: String,
    schedule: String,
    state: String,
    due_at: Option<chrono::DateTime<chrono::Utc>>,
    last_start: Option<chrono::DateTime<chrono::Utc>>,
    last_outcome: Option<&'static str>,
    last_error: Option<String>,
}

pub(super) async fn run(args: &Args, action: Option<&JobsAction>) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let now = doors.clock.now();
    let said = match action {
        None => {
            list(args, &config, &doors).await?;
            doors.store.close().await;
            return Ok(Exit::Done);
        }
        Some(JobsAction::Pause(name)) => {
            known(&config, &doors, name)?;
            job_states::set_paused(&doors.store, &name.job, &name.scope, true, now).await?;
            format!("{} is paused; `egret jobs resume {}` ends that", name.job, name.job)
        }
        Some(JobsAction::Resume(name)) => {
            known(&config, &doors, name)?;
            job_states::set_paused(&doors.store, &name.job, &name.scope, false, now).await?;
            format!("{} goes on by its schedule", name.job)
        }
        Some(JobsAction::Run(name)) => {
            known(&config, &doors, name)?;
            if let Some(paused) = paused(&doors, name).await? {
                bail!(
                    "{paused} is paused; resume it first, with `egret jobs resume {}`",
                    name.job
                );
            }
            job_states::wake(&doors.store, &name.job, &name.scope, now).await?;
            format!("{} will be run by the running daemon within seconds", name.job)
        }
    };
    if args.json {
        out::json(&serde_json::json!({ "done": said }))?;
    } else {
        out::line(said);
    }
    doors.store.close().await;
    Ok(Exit::Done)
}

/// That there is such a job, and such a scope of it: a pause of nothing would look like one.
fn known(config: &Config, doors: &Doors, name: &JobName) -> anyhow::Result<()> {
    let jobs = registry::jobs(config);
    if !jobs.iter().any(|job| job.name() == name.job) {
        let known: Vec<_> = jobs.iter().map(|job| job.name()).collect();
        bail!(
            "there is no job {:?} that is on; there are: {}",
            name.job,
            known.join(", ")
        );
    }
    let settings = settings(config, doors)?;
    let scopes: Vec<&str> = settings
        .entries
        .iter()
        .filter(|entry| entry.job.name() == name.job)
        .map(|entry| entry.scope.as_str())
        .collect();
    if !name.scope.is_empty() && !scopes.contains(&name.scope.as_str()) {
        bail!(
            "{} does not run for {:?}; it runs for: {}",
            name.job,
            name.scope,
            scopes.join(", ")
        );
    }
    Ok(())
}

fn settings(config: &Config, doors: &Doors) -> anyhow::Result<Settings> {
    let net = doors::open_net(config, &doors.clock)?;
    let logins = logins::read(config, &net, false)?;
    Ok(Settings::new(net, registry::jobs(config), logins))
}

/// The pause that would keep a wish waiting, if there is one: of the job, or of the scope that is meant.
async fn paused(doors: &Doors, name: &JobName) -> anyhow::Result<Option<String>> {
    let states = job_states::list(&doors.store).await?;
    let stands = |state: &&job_states::JobState| {
        state.paused && state.job == name.job && (state.scope.is_empty() || state.scope == name.scope)
    };
    Ok(states
        .iter()
        .find(stands)
        .map(|state| format!("{} {}", state.job, state.scope).trim_end().to_owned()))
}

async fn list(args: &Args, config: &Config, doors: &Doors) -> anyhow::Result<()> {
    let settings = settings(config, doors)?;
    let states = job_states::list(&doors.store).await?;
    let now = doors.clock.now();
    let leases = leases::list(&doors.store, now).await?;
    let mut rows = Vec::new();
    for entry in &settings.entries {
        let (job, scope) = (entry.job.name(), entry.scope.as_str());
        let last = job_runs::last(&doors.store, job, scope).await?;
        let failures = job_runs::failures_in_a_row(&doors.store, job, scope, 20).await?;
        let of = states
            .iter()
            .filter(|state| state.job == job && (state.scope == scope || state.scope.is_empty()));
        let (mut paused, mut rests) = (false, entry.hindrance());
        for state in of {
            paused |= state.paused;
            rests = rests.or_else(|| state.rests.clone());
        }
        let due_at = match due(
            entry.job.schedule(),
            now,
            last.as_ref().map(|run| run.started_at),
            failures,
        ) {
            Due::Now => Some(now),
            Due::At(at) => Some(at),
            Due::Never => None,
        };
        let state = if leases.iter().any(|lease| lease.name == entry.lease()) {
            "running".to_owned()
        } else if paused {
            "paused".to_owned()
        } else if let Some(reason) = rests {
            format!("rests: {reason}")
        } else {
            "waits".to_owned()
        };
        rows.push(Row {
            job: job.to_owned(),
            scope: scope.to_owned(),
            schedule: entry.job.schedule().to_string(),
            due_at: due_at.filter(|_| state == "waits"),
            state,
            last_start: last.as_ref().map(|run| run.started_at),
            last_outcome: last.as_ref().map(|run| run.outcome.as_str()),
            last_error: last.and_then(|run| run.error),
        });
    }
    if args.json {
        return out::json(&rows);
    }
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string())
    };
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            vec![
                row.job,
                row.scope,
                row.schedule,
                time(row.due_at),
                time(row.last_start),
                row.last_outcome.unwrap_or("-").to_owned(),
                row.state,
            ]
        })
        .collect();
    out::table(
        &[
            "JOB",
            "SCOPE",
            "SCHEDULE",
            "DUE (UTC)",
            "LAST (UTC)",
            "OUTCOME",
            "STATE",
        ],
        &rows,
    );
    Ok(())
}
