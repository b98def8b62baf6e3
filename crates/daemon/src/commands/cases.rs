//! `egret cases`: what rules have against whom, and what a person wants done about it.
//!
//! Wishes are written to the store; the running daemon hears of them within seconds and carries them out.

use anyhow::{Context as _, bail};
use store::{
    Db,
    cases::{self, Asked, Case, Filter, State},
    job_states, rule_hits,
};

use super::{
    each::{CARRIED_OUT, ask_each},
    history,
};
use crate::{
    Exit,
    args::{Args, CasesAction, WhichCases},
    out, registry,
};

pub(super) async fn run(args: &Args, action: &CasesAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let db = &doors.store;
    let now = doors.clock.now();
    let exit = match action {
        CasesAction::List {
            state,
            search,
            rule,
            server,
            limit,
        } => {
            let mut filter = Filter {
                servers: server.clone().map(|server| vec![server]),
                search: search.clone(),
                rule: rule.clone(),
                ..Filter::default()
            };
            for name in state {
                let known = || State::ALL.map(State::as_str).join(", ");
                let state = State::named(name)
                    .with_context(|| format!("there is no state {name:?}; there are: {}", known()))?;
                filter.states.push(state);
            }
            if filter.states.is_empty() && filter.search.is_none() && filter.rule.is_none() {
                filter.states = State::ALL.into_iter().filter(|state| !state.is_end()).collect();
            }
            list(args, db, &filter, *limit).await?
        }
        CasesAction::Show { id } => show(args, db, id, &registry::moderation(&config).pages).await?,
        CasesAction::Approve(which) => ask(args, db, which, Asked::Approve, now).await?,
        CasesAction::Dismiss(which) => ask(args, db, which, Asked::Dismiss, now).await?,
        CasesAction::Escalate(which) => ask(args, db, which, Asked::Escalate, now).await?,
        CasesAction::Exempt(which) => ask(args, db, which, Asked::Exempt, now).await?,
        CasesAction::Audit => {
            history::audit(
                async |after, most| cases::lines_since(db, after, most).await,
                |line| &line.id,
            )
            .await?
        }
    };
    doors.store.close().await;
    Ok(exit)
}

const HEAD: [&str; 8] = [
    "REFERENCE",
    "SERVER",
    "ACCOUNT",
    "STATE",
    "SCORE",
    "RULES",
    "OPENED (UTC)",
    "WHY",
];

fn row(case: &Case) -> Vec<String> {
    let state = match &case.asked {
        Some(asked) => format!("{} ({asked} asked)", case.state.as_str()),
        None => case.state.as_str().to_owned(),
    };
    vec![
        case.reference.clone(),
        case.server.clone(),
        case.acct.clone(),
        state,
        format!("{:.2}", case.score),
        case.rules.join(", "),
        case.opened_at.format("%Y-%m-%d %H:%M").to_string(),
        case.why.clone(),
    ]
}

async fn list(args: &Args, db: &Db, filter: &Filter, limit: u32) -> anyhow::Result<Exit> {
    let found = cases::list(db, filter, limit).await?;
    if args.json {
        out::json(&found)?;
    } else if found.is_empty() {
        out::line("There is no case. `egret cases list --state resolved` shows those that are over.");
    } else {
        out::table(&HEAD, &found.iter().map(row).collect::<Vec<_>>());
    }
    Ok(Exit::Done)
}

async fn find(db: &Db, id: &str) -> anyhow::Result<Case> {
    let found = cases::load(db, id).await?;
    let found = match found {
        None => cases::load(db, &id.to_uppercase()).await?,
        found => found,
    };
    found.with_context(|| format!("there is no case {id:?}; `egret cases list` shows them"))
}

async fn show(args: &Args, db: &Db, id: &str, pages: &str) -> anyhow::Result<Exit> {
    let case = find(db, id).await?;
    let hits = rule_hits::of_case(db, &case.id, 200).await?;
    let history = cases::lines(db, &case.id).await?;
    let report = moderation::would_send(db, &case, &hits, pages).await?;
    if args.json {
        out::json(&serde_json::json!({ "case": case, "evidence": hits, "history": history, "report": report }))?;
        return Ok(Exit::Done);
    }
    out::table(&HEAD, &[row(&case)]);
    let evidence: Vec<Vec<String>> = hits
        .iter()
        .map(|hit| {
            let text = |key: &str| {
                hit.evidence
                    .get(key)
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            vec![
                hit.rule.clone(),
                hit.status_id.clone(),
                text("field"),
                text("original"),
                text("condition"),
            ]
        })
        .collect();
    out::table(&["RULE", "STATUS", "FIELD", "WRITTEN", "CONDITION"], &evidence);
    history::table(
        history
            .iter()
            .map(|line| (line.at, &*line.kind, &*line.by, &line.detail)),
    );
    out::line(format!(
        "The report, as it {}:\n{}",
        if case.report_id.is_some() {
            "would go out now"
        } else {
            "would go out"
        },
        report["comment"].as_str().unwrap_or_default()
    ));
    Ok(Exit::Done)
}

async fn ask(
    args: &Args,
    db: &Db,
    which: &WhichCases,
    asked: Asked,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Exit> {
    ask_each(args, &which.ids, Some(CARRIED_OUT), async |id| {
        let case = find(db, id).await?;
        if !cases::ask(db, &case.id, asked, "operator", &which.note, now).await? {
            bail!("{}: is {} already", case.reference, case.state.as_str());
        }
        job_states::wake(db, moderation::CASES, &case.server, now).await?;
        Ok(format!("{} ({}): {} asked", case.reference, case.acct, asked.as_str()))
    })
    .await
}
