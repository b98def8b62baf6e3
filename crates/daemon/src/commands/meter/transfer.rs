//! `egret meter export` and `import`.

use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use metering::{address, export};
use store::{Db, metered_accounts::Metered, metered_points, metered_wishes};

use super::points;
use crate::{Exit, args::Args, out};

pub(super) async fn write_out(db: &Db, accounts: &[Metered], format: &str) -> anyhow::Result<Exit> {
    match format {
        "openmetrics" => {
            let accounts = &accounts[..accounts.len().min(export::MOST_METRICS as usize)];
            let ids: Vec<i64> = accounts.iter().map(|account| account.id).collect();
            let newest = metered_points::newest(db, &ids).await?;
            let pairs: Vec<_> = accounts
                .iter()
                .filter_map(|account| {
                    let point = newest.iter().find(|point| point.account == account.id)?;
                    Some((account.clone(), point.clone()))
                })
                .collect();
            out::line(export::open_metrics(&pairs).trim_end());
        }
        "csv" | "json" => {
            if format == "csv" {
                out::line(export::HEADING);
            }
            for account in accounts {
                for point in points(db, account.id, DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC).await? {
                    let row = export::Row::of(account, &point);
                    match format {
                        "csv" => out::line(export::csv_line(&row).trim_end_matches('\n')),
                        _ => out::line(serde_json::to_string(&row)?),
                    }
                }
            }
        }
        other => bail!("there is no format {other:?}; there are csv, json and openmetrics"),
    }
    Ok(Exit::Done)
}

/// A list of accounts becomes wishes, which the running daemon looks up; what `export` wrote becomes points.
pub(super) async fn import(
    args: &Args,
    db: &Db,
    file: &Path,
    groups: &[String],
    now: DateTime<Utc>,
) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    if first == export::HEADING || first.starts_with("{\"uri\"") {
        let rows = if first == export::HEADING {
            export::read_csv(&text).map_err(anyhow::Error::msg)?
        } else {
            let read = |(n, line): (usize, &str)| {
                serde_json::from_str(line).with_context(|| format!("line {}: is no row of an export", n + 1))
            };
            text.lines()
                .enumerate()
                .filter(|(_, line)| !line.trim().is_empty())
                .map(read)
                .collect::<Result<_, _>>()?
        };
        let (accounts, points) = metering::import_rows(db, rows, now).await?;
        if args.json {
            out::json(&serde_json::json!({ "accounts": accounts, "new_rows": points }))?;
        } else {
            out::line(format!("{points} new rows of {accounts} accounts."));
        }
        return Ok(Exit::Done);
    }
    let (found, odd) = address::read_file(&text);
    let wishes: Vec<_> = found
        .into_iter()
        .map(|(address, mut own)| {
            own.extend(groups.iter().cloned());
            metering::wish(&address, own, "import", now)
        })
        .collect();
    metered_wishes::insert(db, &wishes).await?;
    store::job_states::wake(db, "metering.wishes", "", now).await?;
    if args.json {
        let odd: Vec<_> = odd
            .iter()
            .map(|(line, error)| serde_json::json!({ "line": line, "error": error }))
            .collect();
        out::json(&serde_json::json!({ "wishes": wishes.len(), "odd": odd }))?;
    } else {
        for (line, error) in &odd {
            out::error_line(format!("line {line}: {error}"));
        }
        out::line(format!(
            "{} accounts are asked for; the running daemon looks them up, or `egret once metering.wishes` does.",
            wishes.len()
        ));
    }
    Ok(if odd.is_empty() { Exit::Done } else { Exit::Part })
}
