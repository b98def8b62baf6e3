//! Single domains: why one is blocked, whom it concerns, whose business it is.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use blocklists::{gather, undo::Filter};
use job::Mode;
use serde_json::json;
use store::block_entries;

use super::Desk;
use crate::{Exit, out};

impl Desk<'_> {
    pub(super) async fn why(&self, name: &str) -> anyhow::Result<Exit> {
        let told = blocklists::why::why(&self.doors.store, &self.config.blocklists, name).await?;
        let told = told.with_context(|| format!("{name:?} is no domain"))?;
        if self.args.json {
            out::json(&told)?;
        } else {
            let text = told.text();
            out::line(text.trim_end());
            if text.lines().count() < 2 {
                out::line("  no list that was read names it, and nothing was done about it");
            }
        }
        Ok(Exit::Done)
    }

    pub(super) async fn search(&self, text: &str) -> anyhow::Result<Exit> {
        let found = block_entries::search(&self.doors.store, None, text, ("", ""), 500).await?;
        if self.args.json {
            out::json(&found)?;
            return Ok(Exit::Done);
        }
        if found.is_empty() {
            out::line(
                "Found nothing that was changed or left alone; `egret blocks why DOMAIN` asks the lists as well.",
            );
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|entry| {
                let severity = entry.written.as_ref().and_then(|block| block["severity"].as_str());
                vec![
                    entry.domain.clone(),
                    entry.server.clone(),
                    format!("{:?}", entry.state).to_lowercase(),
                    severity.unwrap_or_default().to_owned(),
                    entry.note.clone().unwrap_or_default(),
                ]
            })
            .collect();
        out::table(&["DOMAIN", "SERVER", "STATE", "SEVERITY", "NOTE"], &rows);
        Ok(Exit::Done)
    }

    pub(super) async fn affected(&self, name: &str, server: Option<&str>) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let cx = self.cx(&settings, &self.server(server)?)?;
        let found = gather::affected(&cx, cx.login()?, name).await?;
        if self.args.json {
            out::json(&found)?;
            return Ok(Exit::Done);
        }
        let both = found.following.union(&found.followed);
        let rows: Vec<Vec<String>> = both
            .map(|acct| {
                let said = |is: bool| if is { "yes" } else { "" }.to_owned();
                let (follows, followed) = (found.following.contains(acct), found.followed.contains(acct));
                vec![format!("@{acct}"), said(follows), said(followed)]
            })
            .collect();
        out::table(&["ACCOUNT", "FOLLOWS SOMEBODY THERE", "IS FOLLOWED FROM THERE"], &rows);
        let bound = if found.is_whole { "all" } else { "not all" };
        out::line(format!(
            "Looked at {} accounts of {name}, {bound} that are known. Who hides their follows is not seen.",
            found.looked_at
        ));
        Ok(Exit::Done)
    }

    pub(super) async fn adopt(
        &self,
        name: Option<&str>,
        filter: &Filter,
        server: Option<&str>,
    ) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let cx = self.cx(&settings, &self.server(server)?)?;
        let login = cx.login()?;
        let live = gather::blocks(login).await?;
        let ours: BTreeSet<String> = block_entries::list(&cx.store, &login.server)
            .await?
            .into_iter()
            .filter(|entry| entry.state == block_entries::State::Ours)
            .map(|entry| entry.domain)
            .collect();
        let meant = |domain: &str| name.is_none_or(|name| name == domain) && !ours.contains(domain);
        let mut adopted = 0;
        for (domain, block) in live
            .iter()
            .filter(|(domain, block)| meant(domain) && filter.fits(domain, block, None))
        {
            blocklists::apply::adopt(&cx, &login.server, domain, block).await?;
            adopted += 1;
        }
        match name {
            Some(name) if adopted == 0 => {
                bail!("{} has no block of {name} that is somebody else's", login.server)
            }
            None if adopted == 0 => bail!("{} has no such block that is somebody else's", login.server),
            _ => {}
        }
        if self.args.json {
            out::json(&json!({ "adopted": adopted }))?;
            return Ok(Exit::Done);
        }
        out::line(format!(
            "{adopted} blocks on {} are the lists' business from now on: what no list wants is lifted by the next plan.",
            login.server
        ));
        if self.config.blocklists.mode == Mode::Observe {
            out::line("[blocklists] mode is \"observe\", so nothing changes there yet.");
        }
        Ok(Exit::Done)
    }
}
