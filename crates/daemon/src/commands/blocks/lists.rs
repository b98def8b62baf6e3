//! Lists: how they fare, and the merged one.

use anyhow::bail;
use blocklists::{config::Form, gather};
use chrono::{DateTime, Utc};
use serde_json::json;
use store::block_sources;

use super::Desk;
use crate::{Exit, out};

impl Desk<'_> {
    pub(super) async fn lists(&self, only: Option<&str>) -> anyhow::Result<Exit> {
        let mut lists = block_sources::health(&self.doors.store).await?;
        lists.retain(|list| only.is_none_or(|only| only == list.name));
        let mut faults = Vec::new();
        if let Some(name) = only {
            let Some(source) = self.config.blocklists.sources.iter().find(|source| source.name == name) else {
                bail!("there is no list {name:?} in [[blocklists.sources]]");
            };
            let body = block_sources::load(&self.doors.store, name)
                .await?
                .and_then(|stored| stored.body);
            if let Some(parsed) = body
                .as_deref()
                .and_then(|body| blocklists::list::parse(body, &source.reading()).ok())
            {
                faults.extend(parsed.faults);
                faults.extend(parsed.notes);
            }
        }
        if self.args.json {
            out::json(&json!({ "lists": lists, "faults": faults }))?;
            return Ok(Exit::Done);
        }
        if lists.is_empty() {
            out::line(if self.config.blocklists.sources.is_empty() {
                "There is no list: [[blocklists.sources]] names them."
            } else {
                "No list was read yet; `egret blocks plan` reads them."
            });
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = lists
            .iter()
            .map(|list| {
                let day = |time: Option<DateTime<Utc>>| {
                    time.map_or("never".into(), |it| it.format("%Y-%m-%d %H:%M").to_string())
                };
                vec![
                    list.name.clone(),
                    list.row_count.to_string(),
                    list.bad_count.to_string(),
                    day(list.good_at),
                    day(list.changed_at),
                    list.trouble.clone().or_else(|| list.held.clone()).unwrap_or_default(),
                ]
            })
            .collect();
        out::table(&["LIST", "ROWS", "BAD", "READ (UTC)", "CHANGED", "TROUBLE"], &rows);
        for fault in faults {
            out::line(format!("{}: {fault}", only.unwrap_or_default()));
        }
        Ok(Exit::Done)
    }

    pub(super) async fn approve(&self, list: &str) -> anyhow::Result<Exit> {
        if !gather::approve(&self.doors.store, list, self.doors.clock.now()).await? {
            bail!("nothing of the list {list:?} is held; `egret blocks lists` shows how each fares");
        }
        if self.args.json {
            out::json(&json!({ "approved": list }))?;
            return Ok(Exit::Done);
        }
        out::line(format!(
            "The newest copy of {list} counts as it is. What it lost is lifted by the next plan."
        ));
        Ok(Exit::Done)
    }

    pub(super) async fn export(&self, policy: &str, format: &str) -> anyhow::Result<Exit> {
        let form = match format {
            "csv" => Form::Csv,
            "json" => Form::Json,
            "rapidblock" => Form::Rapidblock,
            "fires" => Form::Fires,
            other => bail!("there is no format {other:?}; there are csv, json, rapidblock and fires"),
        };
        let config = &self.config.blocklists;
        let now = self.doors.clock.now();
        let text = blocklists::outputs::merged_text(&self.doors.store, config, policy, form, policy, now).await?;
        let Some(text) = text else {
            bail!("there is no policy {policy:?} with lists that were read; `egret blocks plan` reads them");
        };
        out::line(text.trim_end_matches('\n'));
        Ok(Exit::Done)
    }
}
