//! `egret meter`: accounts that are measured, and what comes of it.

mod chart;
mod own;
mod transfer;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, Progress};
use metering::{chart::Metric, report};
use store::{
    Db,
    metered_accounts::{self, Added, Filter, Metered},
    metered_points,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Args, MeterAction},
    config::Config,
    daemon,
    doors::Doors,
    out, registry,
};

/// Accounts that are read at a time.
const PAGE: u32 = 1000;
/// Rows of one account that are read at a time.
const ROWS: u32 = 10_000;

pub(super) async fn run(args: &Args, action: &MeterAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let db = &doors.store;
    let exit = match action {
        MeterAction::Add { addresses, group } => add(args, &config, &doors, addresses, group).await?,
        MeterAction::Remove { accounts, purge } => remove(args, db, accounts, *purge).await?,
        MeterAction::List { group, state, search } => {
            let filter = Filter {
                states: state.clone(),
                group: group.clone(),
                search: search.clone(),
                ..Filter::default()
            };
            list(args, db, filter).await?
        }
        MeterAction::Group { name, accounts, leave } => {
            for account in chosen(db, accounts, None).await? {
                if *leave {
                    metered_accounts::leave(db, account.id, name).await?;
                } else {
                    metered_accounts::join(db, account.id, std::slice::from_ref(name)).await?;
                }
            }
            Exit::Done
        }
        MeterAction::Now { accounts } => {
            let accounts = chosen(db, accounts, None).await?;
            let summary = metering::measure_now(&cx(&config, &doors)?, &config.metering, accounts).await?;
            if args.json {
                out::json(&summary.counters())?;
            } else {
                out::line(format!(
                    "{} measured, {} failed.",
                    summary.get("measured"),
                    summary.get("failed")
                ));
            }
            if summary.get("failed") == 0 {
                Exit::Done
            } else {
                Exit::Part
            }
        }
        MeterAction::Report {
            accounts,
            group,
            since,
            html,
        } => {
            let length = period(since)?;
            let accounts = chosen(db, accounts, group.clone()).await?;
            let now = doors.clock.now();
            let report = report::report(db, &accounts, now - length, now).await?;
            if args.json {
                out::json(&report)?;
            } else if *html {
                let page = report.html(config.metering.accounts.zone(), config.metering.show_zero);
                out::line(page.trim_end());
            } else {
                let text = report.text(config.metering.accounts.zone(), config.metering.show_zero);
                out::line(text.trim_end());
            }
            Exit::Done
        }
        MeterAction::Chart(options) => chart::draw(&config, &doors, options).await?,
        MeterAction::Posts { login, since } => {
            let since = doors.clock.now() - period(since)?;
            let zone = config.metering.accounts.zone();
            own::posts(args, db, login.as_deref(), since, zone).await?
        }
        MeterAction::Followers { login, since } => {
            own::followers(args, db, login.as_deref(), doors.clock.now() - period(since)?).await?
        }
        MeterAction::Server { key, server, since } => {
            own::server(args, db, server.as_deref(), key.as_deref(), since, doors.clock.now()).await?
        }
        MeterAction::Export {
            accounts,
            group,
            format,
        } => {
            let accounts = chosen(db, accounts, group.clone()).await?;
            transfer::write_out(db, &accounts, format).await?
        }
        MeterAction::Import { file, group } => transfer::import(args, db, file, group, doors.clock.now()).await?,
    };
    doors.store.close().await;
    Ok(exit)
}

fn period(word: &str) -> anyhow::Result<TimeDelta> {
    report::period(word).with_context(|| format!("{word:?} is no period; write 24h, 7d, week, month or year"))
}

/// The doors of a run by hand, with every token that can be read.
pub(crate) fn cx(config: &Config, doors: &Doors) -> anyhow::Result<JobContext> {
    let settings = daemon::settings(config, doors, registry::jobs)?;
    let stop = CancellationToken::new();
    let net = settings.net.for_run("metering.now", stop.clone());
    Ok(JobContext {
        run: uuid::Uuid::now_v7().to_string(),
        login: None,
        logins: settings.logins.iter().filter_map(|login| login.ready(&net)).collect(),
        net,
        store: doors.store.clone(),
        clock: doors.clock.clone(),
        stop,
        progress: Progress::default(),
        effects: doors.ledger.of("metering"),
    })
}

async fn add(
    args: &Args,
    config: &Config,
    doors: &Doors,
    addresses: &[String],
    groups: &[String],
) -> anyhow::Result<Exit> {
    let cx = cx(config, doors)?;
    let (mut told, mut failed) = (Vec::new(), 0);
    for address in addresses {
        let said = match metering::add(&cx, &config.metering, address, groups, "hand").await? {
            Ok(tracked) => {
                let how = match tracked.added {
                    Added::New => "is measured from now on",
                    Added::Known => "is measured already",
                    Added::Restored => "is measured again, with what was measured before",
                };
                told.push(serde_json::json!({ "address": address, "account": tracked }));
                format!("{} ({}) {how}", tracked.acct, tracked.id)
            }
            Err(refusal) => {
                failed += 1;
                told.push(serde_json::json!({ "address": address, "error": refusal.to_string() }));
                format!("{address}: {refusal}")
            }
        };
        if !args.json {
            out::line(said);
        }
    }
    if args.json {
        out::json(&told)?;
    }
    Ok(match failed {
        0 => Exit::Done,
        all if all == addresses.len() => Exit::Failed,
        _ => Exit::Part,
    })
}

async fn remove(args: &Args, db: &Db, accounts: &[String], purge: bool) -> anyhow::Result<Exit> {
    let accounts = chosen(db, accounts, None).await?;
    for account in &accounts {
        let how = if purge {
            metered_accounts::purge(db, account.id).await?;
            "is forgotten, with all that was measured"
        } else {
            metered_accounts::remove(db, account.id).await?;
            "is not measured any more; what was measured stays"
        };
        if !args.json {
            out::line(format!("{} ({}) {how}", account.acct, account.id));
        }
    }
    if args.json {
        out::json(&accounts)?;
    }
    Ok(Exit::Done)
}

async fn list(args: &Args, db: &Db, mut filter: Filter) -> anyhow::Result<Exit> {
    if filter.states.is_empty() {
        filter.states = vec!["tracked".to_owned(), "archived".to_owned()];
    }
    let accounts = all(db, filter).await?;
    if args.json {
        out::json(&accounts)?;
        return Ok(Exit::Done);
    }
    if accounts.is_empty() {
        out::line("Nobody is measured yet. `egret meter add @user@host` begins.");
        return Ok(Exit::Done);
    }
    let ids: Vec<i64> = accounts.iter().map(|account| account.id).collect();
    let newest = metered_points::newest(db, &ids).await?;
    let groups = metered_accounts::groups_of(db, &ids).await?;
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|account| {
            let point = newest.iter().find(|point| point.account == account.id);
            let count = |metric: Metric| {
                let count = point.and_then(|point| metric.of(point));
                count.map_or_else(|| "-".to_owned(), |count| count.to_string())
            };
            let mine: Vec<&str> = groups
                .iter()
                .filter(|(id, _)| *id == account.id)
                .map(|(_, name)| name.as_str())
                .collect();
            let state = [account.state.as_str(), account.condition.as_str()].join(" ");
            vec![
                account.id.to_string(),
                account.acct.clone(),
                count(Metric::Followers),
                count(Metric::Statuses),
                mine.join(" "),
                state.trim().to_owned(),
                account.trouble.clone().unwrap_or_default(),
            ]
        })
        .collect();
    out::table(
        &["ID", "ACCOUNT", "FOLLOWERS", "STATUSES", "GROUPS", "STATE", "TROUBLE"],
        &rows,
    );
    Ok(Exit::Done)
}

/// Every account that a filter means.
async fn all(db: &Db, mut filter: Filter) -> anyhow::Result<Vec<Metered>> {
    let mut found = Vec::new();
    loop {
        let mut page = metered_accounts::list(db, &filter, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        filter.after = last.id;
        found.append(&mut page);
    }
}

/// The accounts that were named, in that order; all that are measured, or those of a group, where none was.
async fn chosen(db: &Db, names: &[String], group: Option<String>) -> anyhow::Result<Vec<Metered>> {
    if names.is_empty() {
        let filter = Filter {
            states: vec!["tracked".to_owned()],
            group,
            ..Filter::default()
        };
        return all(db, filter).await;
    }
    let mut found = Vec::new();
    for name in names {
        let mut here: Vec<Metered> = match name.parse::<i64>() {
            Ok(id) => metered_accounts::load(db, id).await?.into_iter().collect(),
            Err(_) => metered_accounts::find(db, name).await?,
        };
        if here.is_empty() {
            bail!("{name:?} is not measured; `egret meter list` shows who is, `egret meter add` begins");
        }
        found.append(&mut here);
    }
    Ok(found)
}

/// All rows of an account between two moments.
async fn points(
    db: &Db,
    account: i64,
    since: DateTime<Utc>,
    to: DateTime<Utc>,
) -> anyhow::Result<Vec<metered_points::Point>> {
    let mut found = Vec::new();
    let mut from = since.timestamp();
    loop {
        let page = metered_points::range(db, account, from, to.timestamp(), ROWS).await?;
        let whole = page.len() < ROWS as usize;
        let fresh = page.into_iter().filter(|point| {
            found
                .last()
                .is_none_or(|last: &metered_points::Point| last.slot < point.slot)
        });
        let fresh: Vec<_> = fresh.collect();
        let Some(last) = fresh.last() else { return Ok(found) };
        from = last.slot + 1;
        found.extend(fresh);
        if whole {
            return Ok(found);
        }
    }
}
