//! What is to be done about cases: what was left behind, what people want, what waited, and how reports fare.

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use serde_json::json;
use store::{
    cases::{self, Asked, Case, Line, State},
    exemptions::{self, Exemption},
    findings,
};

use super::{Pass, US, file::WAIT};
use crate::{jobs::Room, plan};

/// At most so many of each kind in one run.
const PER_RUN: u32 = 100;

/// One run.
pub(crate) async fn cases(cx: &JobContext, room: &Room) -> Result<Summary, JobError> {
    let mut pass = Pass::begin(cx, room).await?;
    Box::pin(pass.settle()).await?;
    Box::pin(pass.take_back()).await?;
    Box::pin(pass.asked()).await?;
    Box::pin(pass.ready()).await?;
    Box::pin(pass.how_reports_fare()).await?;
    pass.take_findings().await?;
    Ok(pass.summary)
}

impl Pass<'_> {
    /// What people want of cases.
    async fn asked(&mut self) -> Result<(), JobError> {
        for case in cases::asked(&self.cx.store, self.server(), PER_RUN).await? {
            self.cx.check_stop()?;
            let asked = case.asked.as_deref().and_then(Asked::named);
            let Some(asked) = asked.filter(|_| !case.state.is_end()) else {
                let was = case.updated_at;
                self.keep_quietly(Case { asked: None, ..case }, was).await?;
                continue;
            };
            self.summary.add("asked", 1);
            Box::pin(self.answer(case, asked)).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, mut case: Case, asked: Asked) -> Result<(), JobError> {
        let was = case.updated_at;
        let who = case.asked_by.clone().unwrap_or_else(|| US.to_owned());
        match asked {
            Asked::Approve if case.state == State::Reported => {
                self.keep_quietly(Case { asked: None, ..case }, was).await
            }
            Asked::Approve => {
                (case.state, case.stopped, case.asked) = (State::Ready, None, None);
                case.why = format!("{who} wants it reported");
                case.look_at = Some(self.now());
                case.updated_at = super::file::later(was, self.now());
                let line = Line::new(Some(&case), "approved", &who, json!({}), self.now());
                if cases::save(&self.cx.store, &case, was, &[line]).await? {
                    return self.file(case).await;
                }
                Ok(())
            }
            Asked::Dismiss => {
                case.verdict = Some("rejected".to_owned());
                self.immune(&case, "a moderator dismissed a case of this rule").await?;
                self.end(
                    case,
                    State::Dismissed,
                    "a person said that there is nothing in it",
                    Some(&who),
                )
                .await?;
                Ok(())
            }
            Asked::Exempt => {
                case.verdict = Some("rejected".to_owned());
                let now = self.now();
                let exemption = Exemption {
                    id: uuid::Uuid::now_v7().to_string(),
                    server: case.server.clone(),
                    account_id: case.account_id.clone(),
                    domain: String::new(),
                    rule: String::new(),
                    until: None,
                    why: format!("{who} said so in case {}", case.reference),
                    by: who.clone(),
                    at: now,
                };
                let line = Line::new(Some(&case), "exempted", &who, json!({ "account": case.acct }), now);
                exemptions::insert(&self.cx.store, &exemption, &line).await?;
                self.end(
                    case,
                    State::Dismissed,
                    "a person said that rules leave this account alone",
                    Some(&who),
                )
                .await?;
                Ok(())
            }
            Asked::Escalate => {
                if case.report_id.is_none() {
                    case.state = State::Open;
                }
                case.stopped = Some("escalated".to_owned());
                case.asked = None;
                case.why = format!("{who} wants somebody with more say to look");
                let text = format!(
                    "{}: {who} escalated the case {} against {}",
                    case.server, case.reference, case.acct
                );
                self.tell("escalated", &case.reference, store::notices::Severity::Warning, &text)
                    .await;
                self.keep(case, was, "escalated").await?;
                Ok(())
            }
        }
    }

    /// Cases that are decided and wait.
    async fn ready(&mut self) -> Result<(), JobError> {
        for case in cases::due(&self.cx.store, self.server(), State::Ready, self.now(), PER_RUN).await? {
            self.cx.check_stop()?;
            if self.cx.effects.mode() == job::Mode::Observe && case.why.starts_with("would be reported") {
                // Rehearsed already, and nothing is new.
                continue;
            }
            if self.held.is_some() {
                break;
            }
            Box::pin(self.file(case)).await?;
        }
        for id in self.held.clone().unwrap_or_default() {
            self.cx.check_stop()?;
            // The key of a report is its case.
            if let Some(case) = cases::load(&self.cx.store, &id).await? {
                Box::pin(self.file(case)).await?;
            }
        }
        Ok(())
    }

    /// How reports fare, where the server does not push it, and actions that wait.
    async fn how_reports_fare(&mut self) -> Result<(), JobError> {
        for mut case in cases::due(&self.cx.store, self.server(), State::Reported, self.now(), PER_RUN).await? {
            self.cx.check_stop()?;
            let wants = case.actions.as_array().is_some_and(|actions| !actions.is_empty());
            if wants && self.is_held(&case.id) {
                let was = case.updated_at;
                case.look_at = Some(self.now() + WAIT);
                self.keep_quietly(case, was).await?;
                continue;
            }
            let asked_lately = case
                .reported_at
                .is_some_and(|at| self.now() - at < TimeDelta::minutes(1));
            // What people made of it comes before what rules want.
            if let Some(report) = case.report_id.clone().filter(|_| !asked_lately) {
                match self.login.client.admin_report(&report).await? {
                    Some(report) if report.action_taken => {
                        self.learn(&report).await?;
                        continue;
                    }
                    Some(_) => {}
                    None => {
                        self.end(case, State::Gone, "its report is not on the server any more", None)
                            .await?;
                        continue;
                    }
                }
            }
            let wait = match wants {
                true => Box::pin(self.act_on(case.clone())).await?,
                false => None,
            };
            let Some(mut case) = cases::load(&self.cx.store, &case.id)
                .await?
                .filter(|case| case.state == State::Reported)
            else {
                continue;
            };
            let was = case.updated_at;
            let wait = wait.or_else(|| TimeDelta::from_std(self.config.cases.ask).ok());
            case.look_at = wait.map(|wait| self.now() + wait);
            self.keep_quietly(case, was).await?;
        }
        Ok(())
    }

    /// What other features noticed of accounts is for a person to look at.
    async fn take_findings(&mut self) -> Result<(), JobError> {
        for finding in findings::accounts_open(&self.cx.store, self.server(), PER_RUN).await? {
            self.cx.check_stop()?;
            let now = self.now();
            let id = match finding.account_id.is_empty() {
                false => finding.account_id.clone(),
                true => match self.login.client.lookup(&finding.acct).await {
                    Ok(account) => account.id.to_string(),
                    Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => {
                        findings::take_account(&self.cx.store, &finding.id, now).await?;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            let domain = finding
                .acct
                .split_once('@')
                .map(|(_, domain)| domain.to_owned())
                .unwrap_or_default();
            let detail = json!({ "feature": finding.feature, "kind": finding.kind, "text": finding.text });
            match cases::current(&self.cx.store, self.server(), &id).await? {
                Some(case) => {
                    let line = Line::new(Some(&case), "finding", &finding.feature, detail, now);
                    cases::tell(&self.cx.store, &line).await?;
                }
                None => {
                    let case = Case {
                        reference: plan::reference(),
                        acct: finding.acct.clone(),
                        domain,
                        why: finding.text.clone(),
                        stopped: Some("finding".to_owned()),
                        ruleset: self.rules.version,
                        ..Case::new(self.server(), &id, now)
                    };
                    let line = Line::new(Some(&case), "opened", &finding.feature, detail, now);
                    cases::open(&self.cx.store, &case, &line).await?;
                    self.summary.add("opened", 1);
                }
            }
            findings::take_account(&self.cx.store, &finding.id, now).await?;
        }
        Ok(())
    }
}
