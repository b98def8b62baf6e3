//! The report of a case: one, whatever happens on the way.

use chrono::TimeDelta;
use job::{JobError, Mode, Sent, Settled, Wish};
use mastodon::{AdminReport, Client, Error, NewReport, Permit};
use model::AccountId;
use serde_json::{Value, json};
use store::{
    cases::{self, Case, Line, State},
    effects,
    notices::Severity,
    rule_hits::{self, Hit},
};

use super::{Pass, US, pass::PATIENCE};
use crate::{FEATURE, WhenReported, comment::comment};

/// The kind of effect.
pub(crate) const KIND: &str = "report.create";

/// A case that waits for a quota, a panic stop or the server is tried again after this.
pub(crate) const WAIT: TimeDelta = TimeDelta::minutes(1);

/// Nobody knows whether an effect went out: the ledger settles it after a few minutes.
pub(crate) const UNSURE: TimeDelta = TimeDelta::minutes(6);

/// Reports by rules are counted over this.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// The report of a case as it would go out now.
pub(crate) fn report(case: &Case, hits: &[Hit], names: &[(String, String)], pages: &str) -> NewReport {
    NewReport {
        account_id: case.account_id.clone(),
        status_ids: case.statuses.clone(),
        comment: comment(case, hits, names, pages),
        category: case.category.clone(),
        rule_ids: case.rule_ids.clone(),
        // Nobody's own server is told of its own people.
        forward: case.forward && !case.domain.is_empty(),
    }
}

/// What the last look at the server says.
enum Look {
    /// Go on.
    Clear,
    /// The account is not there any more.
    Gone,
    /// We reported it, and that report is open.
    Ours(String),
    /// Somebody else did.
    Others(usize),
}

impl Pass<'_> {
    /// Files the report of a case that is ready, or says why it waits. Whoever calls has saved the case before.
    pub(crate) async fn file(&mut self, case: Case) -> Result<(), JobError> {
        if case.state != State::Ready {
            return Ok(());
        }
        let case = match self.cx.effects.mode() {
            Mode::Observe => case,
            Mode::Act => match self.look(case).await? {
                Some(case) => case,
                None => return Ok(()),
            },
        };
        let mut case = case;
        // A status may be gone at each try, and then the rest is filed.
        for _ in 0..3 {
            match self.send_report(case).await? {
                Some(again) => case = again,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Looks at the server before a report; `None` when there is nothing to file now.
    async fn look(&mut self, mut case: Case) -> Result<Option<Case>, JobError> {
        let by_person = case.asked_by.is_some();
        match self.ask_before(&case).await? {
            Look::Gone => {
                self.end(case, State::Gone, "not on the server any more", None).await?;
                return Ok(None);
            }
            Look::Ours(id) => {
                self.reported(case, &id, "an open report of ours was there already")
                    .await?;
                return Ok(None);
            }
            Look::Others(count) if self.config.when_reported == WhenReported::Wait && !by_person => {
                let was = case.updated_at;
                case.state = State::Open;
                case.stopped = Some("reported".to_owned());
                case.why = format!("{count} open reports of others are about this account");
                case.look_at = None;
                self.keep(case, was, "waits").await?;
                return Ok(None);
            }
            Look::Others(_) | Look::Clear => {}
        }
        if !by_person {
            let filed = cases::reported_since(&self.cx.store, self.server(), self.now() - HOUR).await?;
            if filed >= i64::from(self.config.reports_per_hour) {
                let was = case.updated_at;
                case.state = State::Open;
                case.stopped = Some("burst".to_owned());
                case.why = format!("rules filed {filed} reports within an hour; a person looks at the rest");
                case.look_at = None;
                let text = format!(
                    "{}: rules filed {filed} reports within an hour; further cases wait for a person, on the page or with \
                     `egret cases approve`",
                    self.server()
                );
                self.tell("burst", self.server(), Severity::Warning, &text).await;
                self.summary.add("stopped", 1);
                self.keep(case, was, "waits").await?;
                return Ok(None);
            }
        }
        Ok(Some(case))
    }

    async fn ask_before(&mut self, case: &Case) -> Result<Look, JobError> {
        let id = AccountId::new(case.account_id.clone());
        let account = self.login.client.shown_account(&id).await?;
        if account.is_none_or(|account| account["suspended"].as_bool() == Some(true)) {
            return Ok(Look::Gone);
        }
        let open = self.login.client.reports_against(&id, false).await?;
        let ours = |report: &&AdminReport| {
            self.people.own.contains(&report.by) || report.comment.contains(case.reference.as_str())
        };
        if let Some(report) = open.iter().find(ours) {
            return Ok(Look::Ours(report.id.clone()));
        }
        Ok(match open.len() {
            0 => Look::Clear,
            count => Look::Others(count),
        })
    }

    /// One try. Gives the case back when it is to be tried again at once, with what is left of it.
    async fn send_report(&mut self, mut case: Case) -> Result<Option<Case>, JobError> {
        let hits = rule_hits::of_case(&self.cx.store, &case.id, 200).await?;
        let report = report(&case, &hits, &self.rules.names(), &self.config.pages);
        let wish = Wish {
            kind: KIND,
            server: case.server.clone(),
            // One per case: whatever rules say later, the same case is the same wish.
            key: case.id.clone(),
            intent: serde_json::to_value(&report).unwrap_or_default(),
            reason: json!({
                "case": case.id,
                "reference": case.reference,
                "rules": case.rules,
                "ruleset": case.ruleset,
                "by": case.asked_by.as_deref().unwrap_or(US),
            }),
        };
        let (client, reference) = (self.login.client.clone(), case.reference.clone());
        let sent = self
            .cx
            .effects
            .carry_out(wish, move |permit| send(client, report, reference, permit))
            .await;
        let was = case.updated_at;
        match sent {
            Ok(Sent::Done(result)) => {
                self.failures = 0;
                let id = result["report_id"].as_str().unwrap_or_default().to_owned();
                self.summary.add("reported", 1);
                metrics::counter!("egret_moderation_reports_total").increment(1);
                self.reported(case, &id, "").await?;
            }
            Ok(Sent::Rehearsed) => {
                self.summary.add("rehearsed", 1);
                case.why = "would be reported: the mode is observe".to_owned();
                case.look_at = Some(self.now() + WAIT);
                self.keep_quietly(case, was).await?;
            }
            Ok(Sent::Held(why)) => {
                self.summary.add("waits", 1);
                case.why = format!("waits: {why}");
                case.look_at = Some(self.now() + WAIT);
                self.keep_quietly(case, was).await?;
                self.hold().await?;
            }
            Ok(Sent::Known) => self.known(case).await?,
            Err(JobError::Transient(error)) => return self.failed(case, error).await,
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// It was sent before, by this process or another: the ledger knows what became of it.
    async fn known(&mut self, mut case: Case) -> Result<(), JobError> {
        let alive = effects::alive(&self.cx.store, FEATURE, &case.server, KIND, &case.id).await?;
        match alive {
            Some(effect) if effect.state == effects::State::Done => {
                let id = effect
                    .result
                    .as_ref()
                    .and_then(|result| result["report_id"].as_str())
                    .unwrap_or_default();
                let id = id.to_owned();
                self.reported(case, &id, "").await
            }
            _ => {
                let was = case.updated_at;
                case.why = "its report is on the way".to_owned();
                case.look_at = Some(self.now() + UNSURE);
                self.keep_quietly(case, was).await
            }
        }
    }

    async fn failed(&mut self, mut case: Case, error: anyhow::Error) -> Result<Option<Case>, JobError> {
        let was = case.updated_at;
        match error.downcast_ref::<Error>() {
            // One wrong status and nothing is filed: what is still there is filed without the rest.
            Some(Error::NotFound { .. } | Error::Gone { .. }) => self.what_is_left(case).await,
            Some(Error::Invalid { .. }) => {
                case.state = State::Open;
                case.stopped = Some("refused".to_owned());
                case.why =
                    "the server does not take this report; look at the category and the server's rules".to_owned();
                case.look_at = None;
                self.summary.add("refused", 1);
                self.keep(case, was, "waits").await?;
                Ok(None)
            }
            _ => {
                tracing::debug!(
                    error = format!("{error:#}"),
                    "a report has no answer, and is asked for later"
                );
                self.failures += 1;
                self.summary.add("failed", 1);
                let unsure = !matches!(error.downcast_ref::<Error>(), Some(Error::RateLimited { .. }));
                case.why = if unsure {
                    "nobody knows yet whether its report arrived"
                } else {
                    "the server asks to slow down"
                }
                .to_owned();
                case.look_at = Some(self.now() + if unsure { UNSURE } else { WAIT });
                self.keep_quietly(case, was).await?;
                if self.failures < PATIENCE {
                    Ok(None)
                } else {
                    Err(JobError::Transient(error))
                }
            }
        }
    }

    /// After a 404: the account may be gone, or some of the statuses.
    async fn what_is_left(&mut self, mut case: Case) -> Result<Option<Case>, JobError> {
        if matches!(self.ask_before(&case).await?, Look::Gone) {
            self.end(case, State::Gone, "not on the server any more", None).await?;
            return Ok(None);
        }
        let ids: Vec<model::StatusId> = case
            .statuses
            .iter()
            .map(|id| model::StatusId::new(id.clone()))
            .collect();
        let there = self.login.client.statuses(&ids).await?;
        let left: Vec<String> = case
            .statuses
            .iter()
            .filter(|id| there.iter().any(|status| status.id.as_str() == id.as_str()))
            .cloned()
            .collect();
        let was = case.updated_at;
        let lost = case.statuses.len() - left.len();
        let all_gone = left.is_empty() && lost > 0;
        let may_without = case
            .rules
            .iter()
            .any(|id| self.rules.rule(id).is_some_and(|rule| rule.without_statuses));
        if all_gone && !may_without {
            self.end(case, State::Gone, "every status of it is gone", None).await?;
            return Ok(None);
        }
        if lost == 0 {
            // The server knows better than we do what it does not like.
            case.state = State::Open;
            case.stopped = Some("refused".to_owned());
            case.why = "the server does not find what is to be reported".to_owned();
            case.look_at = None;
            self.keep(case, was, "waits").await?;
            return Ok(None);
        }
        case.statuses = left;
        case.updated_at = later(was, self.now());
        let line = Line::new(Some(&case), "merged", US, json!({ "statuses_gone": lost }), self.now());
        Ok(cases::save(&self.cx.store, &case, was, &[line]).await?.then_some(case))
    }

    /// Its report is filed.
    pub(crate) async fn reported(&mut self, mut case: Case, report_id: &str, why: &str) -> Result<(), JobError> {
        let now = self.now();
        let was = case.updated_at;
        let by = case.asked_by.clone().unwrap_or_else(|| US.to_owned());
        case.state = State::Reported;
        case.report_id = (!report_id.is_empty()).then(|| report_id.to_owned());
        case.reported_at = Some(now);
        case.stopped = None;
        case.asked = None;
        case.why = why.to_owned();
        case.look_at = Some(now);
        case.updated_at = later(was, now);
        let detail = json!({ "report": report_id, "statuses": case.statuses, "category": case.category, "why": why });
        let line = Line::new(Some(&case), "reported", &by, detail, now);
        if cases::save(&self.cx.store, &case, was, &[line]).await? {
            self.act_on(case).await?;
        }
        Ok(())
    }

    /// It is over.
    pub(crate) async fn end(
        &mut self,
        mut case: Case,
        state: State,
        why: &str,
        by: Option<&str>,
    ) -> Result<bool, JobError> {
        let now = self.now();
        let was = case.updated_at;
        let by = by.unwrap_or(US).to_owned();
        case.state = state;
        case.why = why.to_owned();
        (case.stopped, case.asked, case.look_at) = (None, None, None);
        (case.ended_at, case.ended_by) = (Some(now), Some(by.clone()));
        case.updated_at = later(was, now);
        let detail = json!({ "state": state.as_str(), "why": why, "verdict": case.verdict });
        let line = Line::new(Some(&case), "ended", &by, detail, now);
        self.summary.add("ended", 1);
        Ok(cases::save(&self.cx.store, &case, was, &[line]).await?)
    }

    /// Keeps a case with a line that says why it is where it is.
    pub(crate) async fn keep(
        &mut self,
        mut case: Case,
        was: chrono::DateTime<chrono::Utc>,
        kind: &str,
    ) -> Result<bool, JobError> {
        case.updated_at = later(was, self.now());
        let line = Line::new(
            Some(&case),
            kind,
            US,
            json!({ "why": case.why, "stopped": case.stopped }),
            self.now(),
        );
        Ok(cases::save(&self.cx.store, &case, was, &[line]).await?)
    }

    /// Keeps a case without a word in its history: it waits as before.
    pub(crate) async fn keep_quietly(
        &mut self,
        mut case: Case,
        was: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), JobError> {
        case.updated_at = later(was, self.now());
        cases::save(&self.cx.store, &case, was, &[]).await?;
        Ok(())
    }

    /// Reports that were about to be filed when a process died: the server says whether they were.
    pub(crate) async fn settle(&mut self) -> Result<(), JobError> {
        for effect in self.cx.effects.pending().await? {
            self.cx.check_stop()?;
            if effect.server != self.server() {
                continue;
            }
            if effect.kind != KIND {
                self.settle_action(&effect).await?;
                continue;
            }
            let text = |key: &str| {
                effect
                    .reason
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let (case, reference) = (cases::load(&self.cx.store, &effect.key).await?, text("reference"));
            let target = effect
                .intent
                .get("account_id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let found = find_report(&self.login.client, &AccountId::new(target), &reference).await?;
            self.summary.add("settled", 1);
            match found {
                Some(id) => {
                    let seen = Settled::Done(json!({ "report_id": id, "seen": true }));
                    self.cx.effects.settle(&effect.id, seen).await?;
                    if let Some(case) = case.filter(|case| case.report_id.is_none() && !case.state.is_end()) {
                        self.reported(case, &id, "its answer was lost, and the server shows it")
                            .await?;
                    }
                }
                None => {
                    let failed = Settled::Failed(format!("{} does not show it", self.server()));
                    self.cx.effects.settle(&effect.id, failed).await?;
                    if let Some(mut case) = case.filter(|case| case.state == State::Ready) {
                        let was = case.updated_at;
                        case.look_at = Some(self.now());
                        self.keep_quietly(case, was).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A moment after the last change: what was read before it is known to be old.
pub(crate) fn later(
    was: chrono::DateTime<chrono::Utc>,
    now: chrono::DateTime<chrono::Utc>,
) -> chrono::DateTime<chrono::Utc> {
    now.max(was + TimeDelta::microseconds(1))
}

/// The report that carries this reference, open or resolved.
async fn find_report(client: &Client, target: &AccountId, reference: &str) -> Result<Option<String>, Error> {
    for resolved in [false, true] {
        let reports = client.reports_against(target, resolved).await?;
        if let Some(report) = reports
            .into_iter()
            .find(|report| !reference.is_empty() && report.comment.contains(reference))
        {
            return Ok(Some(report.id));
        }
    }
    Ok(None)
}

/// Makes the call. No answer may mean that it arrived all the same, so the server is asked before anybody else wonders.
async fn send(client: Client, report: NewReport, reference: String, permit: Permit) -> Result<Value, Error> {
    let error = match client.file_report(&report, permit).await {
        Ok(id) => return Ok(json!({ "report_id": id })),
        Err(error) => error,
    };
    let unclear = matches!(error, Error::ServerDown { .. } | Error::NotJson { .. } | Error::Net(_));
    if !unclear {
        return Err(error);
    }
    match find_report(&client, &AccountId::new(report.account_id), &reference).await {
        Ok(Some(id)) => Ok(json!({ "report_id": id, "seen": true })),
        _ => Err(error),
    }
}
