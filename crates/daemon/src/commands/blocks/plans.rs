//! Plans: made, carried out, dismissed.

use anyhow::{Context as _, bail};
use blocklists::{
    gather::{self, Counts},
    plan::Plan,
    undo::{self, Filter},
};
use job::JobContext;
use serde_json::json;
use store::block_plans;

use super::Desk;
use crate::{Exit, out};

impl Desk<'_> {
    pub(super) async fn plan(&self, only: Option<&str>, follows: bool) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let mut plans = Vec::new();
        let mut is_read = false;
        for server in self.servers(only)? {
            let Some(policy) = self.config.blocklists.policy(&server) else {
                if only.is_some() {
                    bail!("no [[blocklists.policies]] is for {server}");
                }
                continue;
            };
            let cx = self.cx(&settings, &server)?;
            if !std::mem::replace(&mut is_read, true) {
                gather::refresh(&cx, self.config.blocklists.sources.clone(), false).await?;
            }
            let counts = if follows { Counts::Ask } else { Counts::Skip };
            let login = cx.login()?;
            let gathered = blocklists::make_plan(&cx, &self.config.blocklists, policy, login, counts).await?;
            blocklists::save_plan(&cx, &gathered.plan, None).await?;
            plans.push(gathered.plan);
        }
        if self.args.json {
            out::json(&plans)?;
        } else if plans.is_empty() {
            out::line("No policy is for any of your servers: add [[blocklists.policies]] to the config.");
        } else {
            for plan in &plans {
                out::line(plan.text().trim_end());
            }
            out::line("`egret blocks apply HASH` carries one of them out.");
        }
        Ok(Exit::Done)
    }

    pub(super) async fn apply(&self, hash: &str) -> anyhow::Result<Exit> {
        let Some(stored) = block_plans::load(&self.doors.store, hash).await? else {
            bail!("there is no plan {hash}; `egret blocks plan` makes one (give 8 characters of its hash or more)");
        };
        let settings = self.settings()?;
        let cx = self.cx(&settings, &stored.server)?;
        self.in_place(&stored.server, self.apply_now(&cx, &stored)).await
    }

    async fn apply_now(&self, cx: &JobContext, stored: &block_plans::Plan) -> anyhow::Result<Exit> {
        let login = cx.login()?;
        let author = self.author(cx);
        if stored.policy == undo::CLEAR {
            let filter: Filter =
                serde_json::from_value(stored.plan["filter"].clone()).context("the plan is damaged")?;
            let plan = self.clearing(cx, &filter).await?;
            if plan.hash != stored.hash {
                self.keep(cx, &plan, &filter).await?;
                return self.moved(&plan);
            }
            let guard = blocklists::guard::Guard::default();
            let done = undo::carry_out(cx, login, &guard, &plan, author, None).await?;
            let run = Some(done.run.as_str());
            let applied = block_plans::State::Applied;
            block_plans::advance(&cx.store, &plan.server, &plan.hash, applied, None, run, cx.clock.now()).await?;
            return self.told(&done);
        }
        let policies = &self.config.blocklists.policies;
        let Some(policy) = policies.iter().find(|policy| policy.name == stored.policy) else {
            bail!(
                "the plan is of the policy {:?}, which is no longer in the config",
                stored.policy
            );
        };
        let counts = match stored.plan["counted_follows"].as_bool() {
            Some(true) => Counts::Ask,
            _ => Counts::Skip,
        };
        let mut gathered = blocklists::make_plan(cx, &self.config.blocklists, policy, login, counts).await?;
        if gathered.plan.hash != stored.hash {
            blocklists::save_plan(cx, &gathered.plan, None).await?;
            return self.moved(&gathered.plan);
        }
        // Should this be cut off, the job goes on with it.
        let state = block_plans::State::Approved;
        let who = Some(author.who.as_str());
        block_plans::advance(
            &cx.store,
            &stored.server,
            &stored.hash,
            state,
            who,
            None,
            cx.clock.now(),
        )
        .await?;
        let mut done = blocklists::carry_out(cx, login, &mut gathered, author, true).await?;
        if done.writes() > 0 {
            let config = &self.config.blocklists;
            blocklists::after(cx, config, policy, login, counts, &mut gathered, &mut done).await?;
        }
        blocklists::tell(cx, policy, &mut gathered).await?;
        self.told(&done)
    }

    /// The state moved: nothing was done, and this is the plan now.
    fn moved(&self, plan: &Plan) -> anyhow::Result<Exit> {
        if self.args.json {
            out::json(&json!({ "refused": "the server or the lists changed since", "plan": plan }))?;
        } else {
            out::line("Refused: the server or the lists changed since that plan was made. This is the plan now:");
            out::line(plan.text().trim_end());
        }
        Ok(Exit::Failed)
    }

    pub(super) async fn dismiss(&self, hash: &str) -> anyhow::Result<Exit> {
        let Some(plan) = block_plans::load(&self.doors.store, hash).await? else {
            bail!("there is no plan {hash}");
        };
        let state = block_plans::State::Dismissed;
        let now = self.doors.clock.now();
        let store = &self.doors.store;
        let moved = block_plans::advance(store, &plan.server, &plan.hash, state, Some("by command"), None, now).await?;
        if !moved {
            bail!("the plan {hash} is {:?} already", plan.state);
        }
        if self.args.json {
            out::json(&json!({ "dismissed": plan.hash }))?;
            return Ok(Exit::Done);
        }
        out::line("Dismissed: what waits in it stays undone, and is not asked about again.");
        Ok(Exit::Done)
    }
}
