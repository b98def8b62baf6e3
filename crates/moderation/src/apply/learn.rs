//! What people thought of a report or an action: the verdict that a rule is judged by.

use chrono::TimeDelta;
use job::JobError;
use mastodon::AdminReport;
use serde_json::{Value, json};
use store::{
    cases::{self, Case, Line, State},
    effects,
    exemptions::{self, Exemption},
    reversals,
};

use super::{Pass, US};
use crate::FEATURE;

impl Pass<'_> {
    /// A report as the server has it now: ours may have been resolved.
    pub(crate) async fn learn(&mut self, report: &AdminReport) -> Result<(), JobError> {
        if !report.action_taken {
            return Ok(());
        }
        let Some(case) = cases::of_report(&self.cx.store, self.server(), &report.id).await? else {
            return Ok(());
        };
        if case.state != State::Reported {
            return Ok(());
        }
        let by_us = report
            .resolved_by
            .as_ref()
            .is_some_and(|id| self.people.own.contains(id));
        let confirmed = report.target_is_limited() || self.are_gone(&case).await?;
        self.judged(case, confirmed, by_us).await
    }

    /// Whether what was reported was deleted: then somebody agreed, whatever the account looks like.
    async fn are_gone(&self, case: &Case) -> Result<bool, JobError> {
        if case.statuses.is_empty() {
            return Ok(false);
        }
        let ids: Vec<model::StatusId> = case
            .statuses
            .iter()
            .map(|id| model::StatusId::new(id.clone()))
            .collect();
        let there = self.login.client.statuses(&ids).await?;
        Ok(there.is_empty())
    }

    /// Somebody resolved the report of a case.
    async fn judged(&mut self, mut case: Case, confirmed: bool, by_us: bool) -> Result<(), JobError> {
        let verdict = if confirmed { "confirmed" } else { "rejected" };
        // What our own token did is no opinion.
        if !by_us {
            case.verdict = Some(verdict.to_owned());
            self.summary.add(verdict, 1);
            metrics::counter!("egret_moderation_verdicts_total", "verdict" => verdict).increment(1);
        }
        if !confirmed && !by_us {
            self.immune(&case, "a moderator resolved a report of this rule without an action")
                .await?;
        }
        let why = match (by_us, confirmed) {
            (true, _) => "its report was resolved with our own token",
            (_, true) => "its report was resolved, and something was done",
            (_, false) => "its report was resolved, and nothing was done",
        };
        self.end(case, State::Resolved, why, Some("moderators")).await?;
        Ok(())
    }

    /// The case's rules leave this account alone for a while.
    pub(crate) async fn immune(&mut self, case: &Case, why: &str) -> Result<(), JobError> {
        let now = self.now();
        let until = TimeDelta::from_std(self.config.immunity)
            .ok()
            .and_then(|wait| now.checked_add_signed(wait));
        for rule in &case.rules {
            let exemption = Exemption {
                id: uuid::Uuid::now_v7().to_string(),
                server: case.server.clone(),
                account_id: case.account_id.clone(),
                domain: String::new(),
                rule: rule.clone(),
                until,
                why: why.to_owned(),
                by: US.to_owned(),
                at: now,
            };
            let line = Line::new(
                Some(case),
                "exempted",
                US,
                json!({ "rule": rule, "until": until, "why": why }),
                now,
            );
            exemptions::insert(&self.cx.store, &exemption, &line).await?;
        }
        Ok(())
    }

    /// An account as the server has it now: somebody may have taken back what a rule did, before its time.
    pub(crate) async fn look_for_taken_back(&mut self, account: &Value) -> Result<(), JobError> {
        let Some(id) = account["id"].as_str() else {
            return Ok(());
        };
        for one in reversals::waiting_for(&self.cx.store, self.server(), id).await? {
            let key = match one.action.as_str() {
                "silence" => "silenced",
                "sensitive" => "sensitized",
                _ => "suspended",
            };
            if account[key].as_bool() != Some(false) || one.due_at <= self.now() {
                continue;
            }
            let kind = match one.action.as_str() {
                "silence" => "account.silence",
                "sensitive" => "account.sensitive",
                _ => "account.suspend",
            };
            let key = format!("{}/{}", one.case_id, one.action);
            let done = effects::alive(&self.cx.store, FEATURE, &one.server, kind, &key).await?;
            let since = done
                .filter(|effect| effect.state == effects::State::Done)
                .map(|effect| effect.changed_at);
            // A note that was on its way when we acted tells of the time before.
            if since.is_none_or(|since| self.now() - since < TimeDelta::seconds(2)) {
                continue;
            }
            reversals::end(&self.cx.store, &one.id, "over", self.now()).await?;
            if let Some(case) = cases::load(&self.cx.store, &one.case_id).await? {
                self.immune(&case, "a moderator took back what this rule did").await?;
                let mut case = case;
                let was = case.updated_at;
                case.verdict = Some("rejected".to_owned());
                self.summary.add("rejected", 1);
                metrics::counter!("egret_moderation_verdicts_total", "verdict" => "rejected").increment(1);
                self.keep(case, was, "reversed").await?;
            }
        }
        Ok(())
    }
}
