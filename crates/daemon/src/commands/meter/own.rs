//! What only a token of ours shows: what statuses brought, who came and left, what servers count of themselves.

use anyhow::bail;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use metering::posts::{self, Brought};
use store::{Db, measures, metered_followers, metered_statuses};

use super::period;
use crate::{Exit, args::Args, out};

/// Statuses and followers that one command looks at.
const MOST: u32 = 10_000;
/// Lines of each table.
const LINES: usize = 20;

/// The one that was named, or the only one there is.
fn one(asked: Option<&str>, known: Vec<String>, job: &str) -> anyhow::Result<String> {
    if let Some(login) = asked {
        return Ok(login.to_owned());
    }
    match known.as_slice() {
        [login] => Ok(login.clone()),
        [] => bail!(
            "nothing is known yet; switch [{job}] on (`enabled = true`) and run it: `egret once {job}`, or where the \
             daemon runs `egret jobs run {job}`"
        ),
        several => bail!("whose? Add `--login` with one of: {}", several.join(", ")),
    }
}

pub(super) async fn posts(
    args: &Args,
    db: &Db,
    login: Option<&str>,
    since: DateTime<Utc>,
    zone: Tz,
) -> anyhow::Result<Exit> {
    let login = one(login, metered_statuses::logins(db).await?, "metering.posts")?;
    let statuses = metered_statuses::since(db, &login, since, MOST).await?;
    let (top, tags) = (posts::top(&statuses, LINES), posts::tags(&statuses));
    let (hours, days) = (posts::hours(&statuses, zone), posts::days(&statuses, zone));
    if args.json {
        out::json(&serde_json::json!({ "login": login, "top": top, "tags": tags, "hours": hours, "days": days }))?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = top
        .iter()
        .map(|status| {
            vec![
                status.replies.to_string(),
                status.reblogs.to_string(),
                status.favourites.to_string(),
                status
                    .created_at
                    .with_timezone(&zone)
                    .format("%Y-%m-%d %H:%M")
                    .to_string(),
                status.url.clone(),
            ]
        })
        .collect();
    out::table(&["REPLIES", "BOOSTS", "FAVOURITES", "WRITTEN", "STATUS"], &rows);
    for (of, brought) in [("TAG", tags), ("HOUR", hours), ("DAY", days)] {
        let rows: Vec<Vec<String>> = brought.iter().take(24).map(row).collect();
        if !rows.is_empty() {
            out::line("");
            out::table(&[of, "STATUSES", "EACH BROUGHT"], &rows);
        }
    }
    Ok(Exit::Done)
}

fn row(brought: &Brought) -> Vec<String> {
    vec![
        brought.of.clone(),
        brought.statuses.to_string(),
        format!("{:.1}", brought.each),
    ]
}

pub(super) async fn followers(args: &Args, db: &Db, login: Option<&str>, since: DateTime<Utc>) -> anyhow::Result<Exit> {
    let login = one(login, metered_followers::logins(db).await?, "metering.followers")?;
    let came = metered_followers::came(db, &login, since, MOST).await?;
    let left = metered_followers::left(db, &login, since, MOST).await?;
    if args.json {
        out::json(&serde_json::json!({ "login": login, "came": came, "left": left }))?;
        return Ok(Exit::Done);
    }
    let told = |at: Option<DateTime<Utc>>| at.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string());
    let mut rows = Vec::new();
    for one in &came {
        rows.push(vec!["came".to_owned(), told(one.came_at), one.acct.clone()]);
    }
    for one in &left {
        rows.push(vec!["left".to_owned(), told(one.left_at), one.acct.clone()]);
    }
    if rows.is_empty() {
        out::line("Nobody came and nobody left.");
    } else {
        out::table(&["", "NOTICED", "ACCOUNT"], &rows);
    }
    Ok(Exit::Done)
}

pub(super) async fn server(
    args: &Args,
    db: &Db,
    server: Option<&str>,
    key: Option<&str>,
    since: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<Exit> {
    let mut known: Vec<String> = measures::keys(db)
        .await?
        .into_iter()
        .map(|(server, _)| server)
        .collect();
    known.dedup();
    let server = match server {
        Some(server) => server.to_owned(),
        None if known.len() > 1 => bail!("which server? Add `--server` with one of: {}", known.join(", ")),
        None => one(None, known, "metering.server")?,
    };
    let rows = match key {
        None => measures::newest(db, &server).await?,
        Some(key) => {
            let since = now - period(since)?;
            measures::range(db, &server, key, since.timestamp(), now.timestamp()).await?
        }
    };
    if args.json {
        out::json(&rows)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let at = DateTime::from_timestamp(row.at, 0).unwrap_or_default();
            vec![row.key, row.value.to_string(), at.format("%Y-%m-%d %H:%M").to_string()]
        })
        .collect();
    out::table(&["NUMBER", "VALUE", "OF (UTC)"], &rows);
    Ok(Exit::Done)
}
