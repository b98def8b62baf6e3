//! Brings a server back to a snapshot, one effect after the other.

use std::path::Path;

use job::{JobContext, JobError, Login, Sent, Settled, Wish};
use mastodon::{AdminList, Error, Permit};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    gather::snapshot::{self, Line, Manifest},
    plan::restore::{self, Action, Step},
};

/// Failures in a row after which a restore gives up: it is not one row that is wrong.
const MOST_FAILURES: usize = 5;

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The snapshot's.
    pub manifest: Manifest,
    /// In this order.
    pub steps: Vec<Step>,
    /// What a restore cannot bring back, and why.
    pub notes: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Done {
    /// Writes that were made.
    pub done: usize,
    /// Only rehearsed: the mode is `observe`.
    pub rehearsed: usize,
    /// Waiting for the quota or the end of a panic stop.
    pub waiting: usize,
    /// Refused, and why.
    pub failed: Vec<(String, String)>,
}

/// Compares a snapshot with the server.
///
/// # Errors
/// When the snapshot is damaged or another server's, or the server cannot be read.
pub async fn plan(cx: &JobContext, login: &Login, file: &Path, exact: bool) -> Result<Plan, JobError> {
    let of_server = |part: &str| part == "rules" || AdminList::ALL.iter().any(|list| list.name() == part);
    let (manifest, lines) = snapshot::read(file, of_server).map_err(|error| JobError::Permanent(error.into()))?;
    if manifest.server != login.server {
        return Err(JobError::Permanent(anyhow::anyhow!(
            "{} is a snapshot of {}, not of {}",
            file.display(),
            manifest.server,
            login.server
        )));
    }
    let (mut steps, mut notes) = (Vec::new(), Vec::new());
    for list in AdminList::ALL {
        if !manifest.counts.contains_key(list.name()) {
            let why = manifest
                .missing
                .get(list.name())
                .map_or("it was not read", String::as_str);
            notes.push(format!("{} is not in the snapshot: {why}", list.name()));
            continue;
        }
        let now = match login.client.admin_list(list).await {
            Ok(now) => now,
            Err(error @ (Error::Scope { .. } | Error::Forbidden { .. } | Error::NotFound { .. })) => {
                notes.push(format!("{} stays as it is: {error}", list.name()));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let then = rows(&lines, list.name());
        steps.extend(restore::list(list, &then, &now, exact, cx.clock.now()));
    }
    if let Ok(now) = login.client.rules().await
        && manifest.counts.contains_key("rules")
        && now != rows(&lines, "rules")
    {
        notes.push(
            "the rules are others now; no server lets a program write them: the snapshot holds the old ones".into(),
        );
    }
    Ok(Plan { manifest, steps, notes })
}

fn rows(lines: &[Line], part: &str) -> Vec<Value> {
    let of = lines.iter().filter(|line| line.part == part);
    of.map(|line| line.row.clone()).collect()
}

/// Looks after what an earlier restore left without an answer: what the plan still wants did not happen.
///
/// # Errors
/// When the store fails.
pub async fn settle(cx: &JobContext, login: &Login, plan: &Plan) -> Result<(), JobError> {
    let pending = cx.effects.pending().await?;
    for effect in pending.iter().filter(|effect| effect.server == login.server) {
        let wanted = plan
            .steps
            .iter()
            .any(|step| effect.intent["list"] == step.list.name() && effect.intent["key"].as_str() == Some(&step.key));
        let outcome = if wanted {
            Settled::Failed("the server does not show it".to_owned())
        } else {
            Settled::Done(json!({}))
        };
        cx.effects.settle(&effect.id, outcome).await?;
    }
    Ok(())
}

/// Carries a plan out.
///
/// # Errors
/// When it is stopped, the token may not, the store fails, or failure follows failure; what was done is on record.
pub async fn carry_out(cx: &JobContext, login: &Login, plan: &Plan) -> Result<Done, JobError> {
    settle(cx, login, plan).await?;
    let mut done = Done::default();
    let mut in_a_row = 0;
    cx.progress.begin("rows", Some(plan.steps.len() as u64));
    for (nth, step) in plan.steps.iter().enumerate() {
        cx.check_stop()?;
        let mut last = Ok(Sent::Known);
        for (word, part) in parts(&step.action) {
            last = one(cx, login, plan, step, word, part).await;
            if !matches!(last, Ok(Sent::Done(_) | Sent::Rehearsed)) {
                break;
            }
        }
        match last {
            Ok(Sent::Done(_)) => done.done += 1,
            Ok(Sent::Rehearsed) => done.rehearsed += 1,
            Ok(Sent::Held(_)) => {
                done.waiting = plan.steps.len() - nth;
                return Ok(done);
            }
            Ok(Sent::Known) => {}
            Err(JobError::Stopped) => return Err(JobError::Stopped),
            Err(error @ JobError::Permanent(_)) => return Err(error),
            Err(error) => {
                done.failed
                    .push((format!("{} {}", step.list.name(), step.key), error.to_string()));
                in_a_row += 1;
                if in_a_row >= MOST_FAILURES {
                    return Err(error);
                }
                continue;
            }
        }
        in_a_row = 0;
        cx.progress.advance(1);
    }
    Ok(done)
}

/// The writes of a step, in their order.
enum Write<'a> {
    Add(&'a Value),
    Change(&'a str, &'a Value),
    Remove(&'a str),
}

fn parts(action: &Action) -> Vec<(&'static str, Write<'_>)> {
    match action {
        Action::Create(fields) => vec![("create", Write::Add(fields))],
        Action::Update { id, fields } => vec![("update", Write::Change(id, fields))],
        Action::Replace { id, fields } => vec![("delete", Write::Remove(id)), ("create", Write::Add(fields))],
        Action::Delete { id } => vec![("delete", Write::Remove(id))],
    }
}

async fn one(
    cx: &JobContext,
    login: &Login,
    plan: &Plan,
    step: &Step,
    word: &str,
    write: Write<'_>,
) -> Result<Sent, JobError> {
    let fields = match &write {
        Write::Add(fields) | Write::Change(_, fields) => (*fields).clone(),
        Write::Remove(_) => Value::Null,
    };
    let wish = Wish {
        kind: kind(step.list),
        server: login.server.clone(),
        // The same row may be restored again another day.
        key: format!("{word} {} {}", step.key, cx.run),
        intent: json!({ "list": step.list.name(), "key": step.key, "action": word, "fields": fields }),
        reason: json!({ "snapshot": plan.manifest.made_at, "before": step.before }),
    };
    let (client, list) = (&login.client, step.list);
    let send = async |permit: Permit| match write {
        Write::Add(fields) => client.add_to_admin_list(list, fields, permit).await,
        Write::Change(id, fields) => client.change_in_admin_list(list, id, fields, permit).await,
        Write::Remove(id) => {
            let removed = client.remove_from_admin_list(list, id, permit).await;
            removed.map(|()| Value::Null)
        }
    };
    cx.effects.carry_out(wish, send).await
}

fn kind(list: AdminList) -> &'static str {
    match list {
        AdminList::DomainBlocks => "domain_block.restore",
        AdminList::DomainAllows => "domain_allow.restore",
        AdminList::EmailDomainBlocks => "email_domain_block.restore",
        AdminList::IpBlocks => "ip_block.restore",
        AdminList::CanonicalEmailBlocks => "canonical_email_block.restore",
    }
}
