//! Ways back: a run undone, blocks cleared.

use std::collections::BTreeMap;

use anyhow::bail;
use blocklists::{
    gather,
    plan::Plan,
    undo::{self, Filter},
};
use job::JobContext;
use store::{block_entries, block_plans};

use super::Desk;
use crate::{Exit, out};

impl Desk<'_> {
    pub(super) async fn undo(&self, run: &str, yes: bool) -> anyhow::Result<Exit> {
        let changes = block_entries::of_run(&self.doors.store, run).await?;
        let Some(first) = changes.first() else {
            bail!("there is no run {run} that changed something; `egret blocks runs` lists them");
        };
        let settings = self.settings()?;
        let cx = self.cx(&settings, &first.server)?;
        let login = cx.login()?;
        let plan = undo::undo(&login.server, &changes, &gather::blocks(login).await?);
        if !yes {
            if self.args.json {
                out::json(&plan)?;
            } else {
                out::line(plan.text().trim_end());
                out::line("Nothing was done; `--yes` does it.");
            }
            return Ok(Exit::Done);
        }
        let policy = self
            .config
            .blocklists
            .policy(&login.server)
            .cloned()
            .unwrap_or_default();
        let guard = gather::guard(&cx, login, &policy).await?;
        let author = self.author(&cx);
        let work = async { Ok(undo::carry_out(&cx, login, &guard, &plan, author, Some(&changes)).await?) };
        let done = self.in_place(&first.server, work).await?;
        if !self.args.json {
            for doubt in &plan.doubts {
                out::line(doubt);
            }
            for note in &plan.notes {
                out::line(format!("{}: {}", note.domain, note.text));
            }
        }
        self.told(&done)
    }

    pub(super) async fn runs(&self) -> anyhow::Result<Exit> {
        let runs = block_entries::runs(&self.doors.store, None, None, 50).await?;
        if self.args.json {
            out::json(&runs)?;
            return Ok(Exit::Done);
        }
        if runs.is_empty() {
            out::line("No run changed anything yet.");
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = runs
            .iter()
            .map(|run| {
                vec![
                    run.run.clone(),
                    run.changed_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                    run.server.clone(),
                    run.who.clone(),
                    format!("+{} ~{} -{}", run.created, run.updated, run.deleted),
                    if run.undone > 0 {
                        format!("{} undone", run.undone)
                    } else {
                        String::new()
                    },
                ]
            })
            .collect();
        out::table(&["RUN", "ENDED (UTC)", "SERVER", "WHO", "WHAT", ""], &rows);
        Ok(Exit::Done)
    }

    pub(super) async fn clearing(&self, cx: &JobContext, filter: &Filter) -> anyhow::Result<Plan> {
        let login = cx.login()?;
        let entries: BTreeMap<String, block_entries::Entry> = block_entries::list(&cx.store, &login.server)
            .await?
            .into_iter()
            .map(|entry| (entry.domain.clone(), entry))
            .collect();
        Ok(undo::clear(
            &login.server,
            filter,
            &gather::blocks(login).await?,
            &entries,
        ))
    }

    /// Keeps a plan to clear: with every block it would lift, as it is now, and the filter it was made by.
    pub(super) async fn keep(&self, cx: &JobContext, plan: &Plan, filter: &Filter) -> anyhow::Result<()> {
        let mut value = serde_json::to_value(plan)?;
        value["filter"] = serde_json::to_value(filter)?;
        let now = cx.clock.now();
        let row = block_plans::Plan {
            server: plan.server.clone(),
            hash: plan.hash.clone(),
            policy: plan.policy.clone(),
            state: block_plans::State::Open,
            plan: value,
            who: None,
            run: None,
            made_at: now,
            changed_at: now,
        };
        block_plans::save(&cx.store, &row).await?;
        Ok(())
    }

    pub(super) async fn clear(&self, server: Option<&str>, filter: Filter) -> anyhow::Result<Exit> {
        if filter
            .severity
            .as_deref()
            .is_some_and(|word| blocklists::list::severity(word).is_none())
        {
            bail!("--severity must be noop, silence or suspend");
        }
        let settings = self.settings()?;
        let cx = self.cx(&settings, &self.server(server)?)?;
        let plan = self.clearing(&cx, &filter).await?;
        self.keep(&cx, &plan, &filter).await?;
        if self.args.json {
            out::json(&plan)?;
        } else {
            out::line(plan.text().trim_end());
            let short = plan.hash.get(..12).unwrap_or(&plan.hash);
            out::line(format!(
                "Nothing was done; `egret blocks apply {short}` lifts these {}.",
                plan.operations.len()
            ));
        }
        Ok(Exit::Done)
    }
}
