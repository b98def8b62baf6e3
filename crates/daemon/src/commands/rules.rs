//! `egret rules`: check them, try them, put them in place.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use moderation::{BookError, Edit, Page};
use rules::{Backtested, State, Subject};
use serde_json::json;
use store::{Db, rule_hits, rulesets};

use crate::{
    Exit,
    args::{Args, RulesAction},
    out,
};

/// Who changes rules by command.
const OPERATOR: &str = "operator";

pub(super) async fn run(args: &Args, action: &RulesAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let db = &doors.store;
    let now = doors.clock.now();
    let exit = match action {
        RulesAction::Check { paths } => check(args, db, paths).await?,
        RulesAction::List => list(args, db, now).await?,
        RulesAction::Test { file, rules } => test(args, db, file, rules, now).await?,
        RulesAction::Backtest { paths, since } => {
            let pages = pages(db, paths).await?;
            let ruleset = compile(db, &pages).await?;
            let since = now - TimeDelta::from_std(**since).unwrap_or(TimeDelta::days(7));
            let replay = moderation::replay(db, &ruleset, since, now).await?;
            keep(db, &pages, &replay, since, now).await?;
            backtested(args, &replay)?
        }
        RulesAction::Put { file, note } => {
            let edit = Edit {
                name: file
                    .file_name()
                    .map_or_else(|| "rules.toml".to_owned(), |name| name.to_string_lossy().into_owned()),
                text: Some(read(file)?),
                note: note.clone(),
                by: OPERATOR.to_owned(),
                after: rulesets::stamp(db).await?.0,
            };
            let version = moderation::edit(db, edit, now).await.map_err(told)?;
            said(
                args,
                &json!({ "version": version }),
                format!("version {version} is in place; new rules are in shadow"),
            )?
        }
        RulesAction::Import { file, print } => import(args, db, file, *print, now).await?,
        RulesAction::Rollback { to } => {
            let new = moderation::rollback(db, *to, OPERATOR, now).await.map_err(told)?;
            said(
                args,
                &json!({ "version": new }),
                format!("version {new} is in place, with the rules of {to}"),
            )?
        }
        RulesAction::Stand { id, standing, why } => {
            let wish = State::parse(standing).with_context(|| format!("{standing:?} is none of shadow, live, off"))?;
            let now_is = moderation::stand(db, config.moderation.backtest, id, wish, OPERATOR, why, now).await?;
            said(
                args,
                &json!(now_is),
                format!("{id} is {}: {}", now_is.standing, now_is.why),
            )?
        }
    };
    doors.store.close().await;
    Ok(exit)
}

async fn import(
    args: &Args,
    db: &Db,
    file: &Path,
    print: bool,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Exit> {
    let imported = rules::from_mastowatch(&read(file)?)?;
    if print {
        out::line(imported.toml.trim_end());
        for note in &imported.notes {
            tracing::warn!("{note}");
        }
        return Ok(Exit::Done);
    }
    let edit = Edit {
        name: "mastowatch.toml".to_owned(),
        text: Some(imported.toml),
        note: "taken over from MastoWatch".to_owned(),
        by: OPERATOR.to_owned(),
        after: rulesets::stamp(db).await?.0,
    };
    let version = moderation::edit(db, edit, now).await.map_err(told)?;
    if args.json {
        out::json(&json!({ "version": version, "rules": imported.rules, "notes": imported.notes }))?;
    } else {
        for note in &imported.notes {
            out::line(note);
        }
        out::line(format!(
            "{} rules are in place as version {version}, in shadow",
            imported.rules
        ));
    }
    Ok(if imported.notes.is_empty() {
        Exit::Done
    } else {
        Exit::Part
    })
}

fn said(args: &Args, value: &serde_json::Value, line: String) -> anyhow::Result<Exit> {
    if args.json {
        out::json(value)?;
    } else {
        out::line(line);
    }
    Ok(Exit::Done)
}

/// A line for each mistake.
fn told(error: BookError) -> anyhow::Error {
    match error {
        BookError::Problems(problems) => {
            anyhow::anyhow!(
                "{}",
                problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            )
        }
        other => other.into(),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The pages in these files and folders, or those in place.
async fn pages(db: &Db, paths: &[PathBuf]) -> anyhow::Result<Vec<Page>> {
    if paths.is_empty() {
        let newest = rulesets::newest(db).await?;
        return Ok(newest.as_ref().map(moderation::pages_of).unwrap_or_default());
    }
    let mut pages = Vec::new();
    for path in paths {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
            files = entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .collect();
            files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
            files.sort();
        }
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            pages.push(Page {
                name,
                text: read(&file)?,
            });
        }
    }
    Ok(pages)
}

async fn compile(db: &Db, pages: &[Page]) -> anyhow::Result<rules::Ruleset> {
    moderation::compile(db, pages).await.map_err(told)
}

async fn check(args: &Args, db: &Db, paths: &[PathBuf]) -> anyhow::Result<Exit> {
    let pages = pages(db, paths).await?;
    match moderation::compile(db, &pages).await {
        Ok(ruleset) => {
            let count = ruleset.rules().count();
            said(
                args,
                &json!({ "rules": count, "problems": [] }),
                format!("{count} rules, nothing is wrong with them"),
            )
        }
        Err(BookError::Problems(problems)) => {
            if args.json {
                out::json(&json!({ "problems": problems }))?;
            } else {
                for problem in &problems {
                    out::line(problem.to_string());
                }
            }
            Ok(Exit::Failed)
        }
        Err(error) => Err(error.into()),
    }
}

async fn list(args: &Args, db: &Db, now: chrono::DateTime<chrono::Utc>) -> anyhow::Result<Exit> {
    let pages = pages(db, &[]).await?;
    let (ruleset, digests) = (compile(db, &pages).await?, moderation::digests(&pages));
    let standings = rulesets::standings(db).await?;
    let numbers = rule_hits::numbers(db, now - TimeDelta::days(30)).await?;
    let mut rows = Vec::new();
    for (rule, _) in ruleset.rules() {
        let said = standings
            .iter()
            .find(|said| said.name == rule.id && digests.get(&rule.id) == Some(&said.digest));
        let (hits, accounts) = numbers
            .iter()
            .filter(|line| line.rule == rule.id)
            .fold((0, 0), |(hits, accounts), line| {
                (hits + line.hits, accounts + line.accounts)
            });
        rows.push((
            rule,
            said.map_or("shadow", |said| said.standing.as_str()),
            hits,
            accounts,
        ));
    }
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(rule, standing, hits, accounts)| json!({ "rule": rule, "standing": standing, "hits": hits, "accounts": accounts }))
            .collect();
        out::json(&rows)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(rule, standing, hits, accounts)| {
            vec![
                rule.id.clone(),
                rule.name.clone(),
                standing.to_owned(),
                rule.weight.to_string(),
                rule.action.name().to_owned(),
                hits.to_string(),
                accounts.to_string(),
            ]
        })
        .collect();
    out::table(
        &["ID", "NAME", "STANDS", "WEIGHT", "ACTION", "HITS (30 DAYS)", "ACCOUNTS"],
        &rows,
    );
    Ok(Exit::Done)
}

async fn test(
    args: &Args,
    db: &Db,
    file: &Path,
    rules: &[PathBuf],
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Exit> {
    let value: serde_json::Value = serde_json::from_str(&read(file)?).context("this is no JSON")?;
    let subject = Subject::from_status(&value).or_else(|| Subject::from_account(&value));
    let Some(subject) = subject else {
        bail!("this is no Status, no Account and no Admin::Account of Mastodon's API");
    };
    let ruleset = compile(db, &pages(db, rules).await?).await?;
    let tried = moderation::try_out(&ruleset, &subject, now);
    if args.json {
        out::json(&tried)?;
        return Ok(Exit::Done);
    }
    if tried.rules.is_empty() {
        out::line("There are no rules.");
    }
    for rule in &tried.rules {
        out::line(format!("{} {}", rule.rule, moderation::outcome(rule)));
        for (depth, holds, says) in moderation::conditions(rule) {
            out::line(format!(
                "  {:<13}  {:indent$}{says}",
                holds.as_str(),
                "",
                indent = depth * 2
            ));
        }
    }
    let verdict = &tried.verdict;
    out::line(format!(
        "Live rules add {}, with those in shadow {}.",
        verdict.score, verdict.shadow_score
    ));
    if let Some(why) = &verdict.exempt {
        out::line(format!("The account is spared: {why}."));
    }
    Ok(Exit::Done)
}

/// A backtest by command counts like one of the page: the rule may go live.
async fn keep(
    db: &Db,
    pages: &[Page],
    replay: &Backtested,
    since: chrono::DateTime<chrono::Utc>,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<()> {
    let done = rulesets::Backtest {
        id: uuid::Uuid::now_v7().to_string(),
        state: "done".to_owned(),
        rules: serde_json::to_string(pages)?,
        digests: json!(moderation::digests(pages)),
        since,
        result: Some(serde_json::to_value(replay)?),
        by: OPERATOR.to_owned(),
        at: now,
        ended_at: Some(now),
    };
    Ok(rulesets::save_backtest(db, &done).await?)
}

fn backtested(args: &Args, replay: &Backtested) -> anyhow::Result<Exit> {
    if args.json {
        out::json(replay)?;
        return Ok(Exit::Done);
    }
    out::line(format!("{} statuses of {} accounts.", replay.statuses, replay.accounts));
    let rows: Vec<Vec<String>> = replay
        .rules
        .iter()
        .map(|rule| {
            vec![
                rule.rule.clone(),
                rule.hits.to_string(),
                rule.accounts.to_string(),
                rule.exempt.to_string(),
                rule.acted_on.to_string(),
                format!("{:.1}", rule.per_day),
                rule.samples
                    .first()
                    .map(|sample| match sample.evidence.first() {
                        Some(piece) => format!("{}: {piece}", sample.acct),
                        None => sample.acct.clone(),
                    })
                    .unwrap_or_default(),
            ]
        })
        .collect();
    out::table(
        &["RULE", "HITS", "ACCOUNTS", "SPARED", "KNOWN", "HITS A DAY", "SUCH AS"],
        &rows,
    );
    Ok(Exit::Done)
}
