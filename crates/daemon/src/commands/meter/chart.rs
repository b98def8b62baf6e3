//! `egret meter chart`.

use anyhow::{Context as _, bail};
use chrono::DateTime;
use metering::chart::{Chart, Flag, Metric, Panel, Series, Theme};
use store::metered_events;

use super::{chosen, period, points};
use crate::{Exit, args::ChartOptions, config::Config, doors::Doors};

pub(super) async fn draw(config: &Config, doors: &Doors, options: &ChartOptions) -> anyhow::Result<Exit> {
    let ChartOptions {
        accounts,
        group,
        metric,
        since,
        out: file,
        dark,
        width,
        height,
        scale,
    } = options;
    if accounts.is_empty() && group.is_none() {
        bail!("which accounts? Name them, or a group with --group");
    }
    let metrics = match metric.as_str() {
        "both" => vec![Metric::Followers, Metric::Statuses],
        word => vec![Metric::parse(word).with_context(|| {
            format!("there is no metric {word:?}; there are followers, following, statuses and both")
        })?],
    };
    let db = &doors.store;
    let accounts = chosen(db, accounts, group.clone()).await?;
    let now = doors.clock.now();
    let start = match since {
        Some(word) => now - period(word)?,
        None => DateTime::UNIX_EPOCH,
    };
    let mut rows = Vec::new();
    for account in &accounts {
        rows.push(points(db, account.id, start, now).await?);
    }
    let mut flags = Vec::new();
    if let [account] = accounts.as_slice() {
        let events = metered_events::range(db, account.id, start, now, 200).await?;
        flags.extend(events.into_iter().map(|event| Flag {
            at: event.at.timestamp(),
            label: event.kind,
        }));
    }
    let panels = metrics
        .iter()
        .map(|metric| Panel {
            title: match accounts.as_slice() {
                [account] => format!("{}: {}", account.acct, metric.as_str()),
                _ => metric.as_str().to_owned(),
            },
            series: accounts
                .iter()
                .zip(&rows)
                .map(|(account, rows)| Series::of(&account.acct, *metric, rows))
                .collect(),
            flags: flags.clone(),
        })
        .collect();
    let mut chart = Chart::new(panels, config.metering.accounts.zone());
    chart.theme = if *dark { Theme::Dark } else { Theme::Light };
    chart.width = width.unwrap_or(chart.width);
    chart.height = height.unwrap_or(chart.height);
    if since.is_some() {
        (chart.since, chart.to) = (Some(start.timestamp()), Some(now.timestamp()));
    }
    let picture = match file.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => chart.svg().into_bytes(),
        Some("png") => chart.png(*scale),
        _ => bail!("{} is neither a .png nor a .svg; name the file so", file.display()),
    };
    std::fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Exit::Done)
}
