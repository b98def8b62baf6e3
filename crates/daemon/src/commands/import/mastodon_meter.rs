//! `egret import mastodon-meter`: the accounts it tracked, and what it measured.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use metering::meter::{self, Tracked};

use super::Report;
use crate::{Exit, args::Args, commands, out};

pub(super) async fn run(args: &Args, dump: &Path, meterings: Option<&Path>) -> anyhow::Result<Exit> {
    let read = |file: &Path| std::fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let (accounts, meterings) = match meterings {
        Some(meterings) => (dump.to_owned(), meterings.to_owned()),
        None => (collection(dump, "tracked-accounts")?, collection(dump, "meterings")?),
    };
    let tracked = meter::accounts(&read(&accounts)?)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{} is no dump of tracked-accounts", accounts.display()))?;
    let measured = meter::meterings(&read(&meterings)?)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{} is no dump of meterings", meterings.display()))?;
    let (config, doors) = commands::open(args).await?;
    let cx = commands::meter::cx(&config, &doors)?;
    let mut report = Report::default();
    let mut ids: HashMap<String, i64> = HashMap::new();
    for account in &tracked {
        let id = match metering::add(&cx, &config.metering, &account.address(), &[], "import").await? {
            Ok(found) => {
                report.took(account.address(), format!("account {}", found.id));
                Some(found.id)
            }
            // What is gone today was measured once all the same.
            Err(refusal) => match keep(&doors.store, account, doors.clock.now()).await? {
                Some(id) => {
                    report.took(account.address(), format!("account {id}, archived: {refusal}"));
                    Some(id)
                }
                None => {
                    report.left(account.address(), refusal.to_string());
                    None
                }
            },
        };
        if let Some(id) = id {
            ids.insert(account.internal_id.clone(), id);
        }
    }
    let orphans = measured.iter().filter(|one| !ids.contains_key(&one.account)).count();
    let points = meter::points(&measured, &ids);
    let new = store::metered_points::insert(&doors.store, &points).await?;
    report.counted("meterings", "points", points.len(), new);
    if orphans > 0 {
        report.left(
            format!("{orphans} meterings"),
            "of accounts that are not in the other file",
        );
    }
    doors.store.close().await;
    if args.json {
        out::json(&report)?;
    } else {
        out::line(report.table());
    }
    Ok(Exit::Done)
}

/// A collection in a folder of `mongodump`, packed or not, or of files made by `mongoexport`.
fn collection(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    ["bson", "bson.gz", "json"]
        .into_iter()
        .map(|ending| folder.join(format!("{name}.{ending}")))
        .find(|file| file.is_file())
        .with_context(|| {
            format!(
                "{} holds no {name}.bson; name the folder that mongodump made, such as dump/mastodon-meter, or two files",
                folder.display()
            )
        })
}

/// Keeps an account that cannot be found any more, for its points.
async fn keep(db: &store::Db, account: &Tracked, now: chrono::DateTime<chrono::Utc>) -> anyhow::Result<Option<i64>> {
    let Some(new) = account.as_new() else {
        return Ok(None);
    };
    let Some((id, added)) = store::metered_accounts::add(db, &new, now).await? else {
        return Ok(None);
    };
    if added == store::metered_accounts::Added::New
        && let Some(mut row) = store::metered_accounts::load(db, id).await?
    {
        row.state = "archived".to_owned();
        row.condition = "gone".to_owned();
        row.next_try_at = Some(now + chrono::TimeDelta::days(1));
        store::metered_accounts::save(db, &row).await?;
    }
    Ok(Some(id))
}
