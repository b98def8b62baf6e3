//! What rules do beyond a report, and its end.

use chrono::TimeDelta;
use job::{JobError, Mode, Sent, Settled, Wish};
use mastodon::{Action, Client, Error, Permit};
use model::AccountId;
use serde_json::{Value, json};
use store::{
    cases::{self, Case, Line, State},
    effects::{self, Effect},
    notices::Severity,
    reversals::{self, Reversal},
};

use super::{
    Pass, US,
    file::{UNSURE, WAIT, later},
};
use crate::{Allowed, FEATURE, plan::Wanted};

/// Reversals of one run.
const PER_RUN: u32 = 100;

/// The longest pause between two tries of a reversal.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

fn action(allowed: Allowed) -> Action {
    match allowed {
        Allowed::Warn => Action::None,
        Allowed::Sensitive => Action::Sensitive,
        Allowed::Silence => Action::Silence,
        Allowed::Suspend => Action::Suspend,
    }
}

fn kind(action: Action) -> &'static str {
    match action {
        Action::None => "account.warn",
        Action::Sensitive => "account.sensitive",
        Action::Silence => "account.silence",
        Action::Suspend => "account.suspend",
    }
}

fn undo_kind(action: Action) -> &'static str {
    match action {
        Action::None => "account.warn",
        Action::Sensitive => "account.unsensitive",
        Action::Silence => "account.unsilence",
        Action::Suspend => "account.unsuspend",
    }
}

/// Whether the server shows the account like that already.
fn stands(account: &Value, action: Action) -> bool {
    let key = match action {
        Action::None => return false,
        Action::Sensitive => "sensitized",
        Action::Silence => "silenced",
        Action::Suspend => "suspended",
    };
    account[key].as_bool() == Some(true)
}

impl Pass<'_> {
    /// Does what the rules of a case want beyond its report, as far as they may: the hardest of it, once. Gives how long to
    /// wait where it could not be done yet.
    pub(crate) async fn act_on(&mut self, case: Case) -> Result<Option<TimeDelta>, JobError> {
        let mut wanted: Vec<Wanted> = serde_json::from_value(case.actions.clone()).unwrap_or_default();
        wanted.retain(|one| self.config.allow.contains(&one.action));
        let Some(one) = wanted.into_iter().max_by_key(|one| one.action) else {
            return Ok(None);
        };
        let act = action(one.action);
        let id = AccountId::new(case.account_id.clone());
        let key = format!("{}/{}", case.id, one.action.as_str());
        if self.cx.effects.mode() == Mode::Act {
            match self.how_far(&case.server, act, &key).await? {
                Some(effects::State::Done) => return Ok(None),
                Some(effects::State::Intended) => return Ok(Some(UNSURE)),
                _ => {}
            }
            let Some(account) = self.login.client.moderated_account(&id).await? else {
                return Ok(None);
            };
            if stands(&account, act) {
                return Ok(None);
            }
            // All but a warning resolves whatever is open against the account, other people's reports as well.
            if act != Action::None && !one.may_resolve_reports {
                let open = self.login.client.reports_against(&id, false).await?;
                let others = open
                    .iter()
                    .filter(|report| {
                        Some(&report.id) != case.report_id.as_ref() && !self.people.own.contains(&report.by)
                    })
                    .count();
                if others > 0 {
                    self.leave_to_people(case, &one, others).await?;
                    return Ok(None);
                }
            }
        }
        // Written down first: an action that is to end has its end before it begins, counted anew with each try.
        if let Some(seconds) = one
            .undo_after
            .filter(|_| act != Action::None && self.cx.effects.mode() == Mode::Act)
        {
            let due_at = self.now() + TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 2_000));
            let reversal = Reversal {
                id: uuid::Uuid::now_v7().to_string(),
                case_id: case.id.clone(),
                server: case.server.clone(),
                account_id: case.account_id.clone(),
                action: act.as_str().to_owned(),
                due_at,
                state: "waiting".to_owned(),
                tries: 0,
                next_try_at: due_at,
                note: None,
                ended_at: None,
            };
            reversals::insert(&self.cx.store, &reversal).await?;
        }
        let text = if one.tell.is_empty() {
            format!(
                "A moderation rule of {} applies to your account. Reference: {}",
                case.server, case.reference
            )
        } else {
            format!("{}\n\nReference: {}", one.tell, case.reference)
        };
        let wish = Wish {
            kind: kind(act),
            server: case.server.clone(),
            key,
            intent: json!({ "account_id": case.account_id, "type": act.as_str(), "text": text, "undo_after": one.undo_after }),
            reason: json!({ "case": case.id, "reference": case.reference, "rule": one.rule, "ruleset": case.ruleset, "by": US }),
        };
        let client = self.login.client.clone();
        let sent = self
            .cx
            .effects
            .carry_out(wish, move |permit| act_on(client, id, act, text, permit))
            .await;
        match sent {
            Ok(Sent::Done(_)) => {
                self.summary.add("acted", 1);
                self.acted(case, act, &one.rule).await?;
                Ok(None)
            }
            Ok(Sent::Rehearsed) => {
                self.summary.add("rehearsed", 1);
                Ok(None)
            }
            Ok(Sent::Held(why)) => {
                let was = case.updated_at;
                let mut case = case;
                case.why = format!("{} waits: {why}", one.action.as_str());
                case.look_at = Some(self.now() + WAIT);
                self.keep_quietly(case, was).await?;
                self.hold().await?;
                Ok(Some(WAIT))
            }
            Ok(Sent::Known) => Ok(Some(UNSURE)),
            Err(JobError::Transient(error)) => {
                self.summary.add("failed", 1);
                tracing::debug!(
                    error = format!("{error:#}"),
                    "an action has no answer, and is asked for later"
                );
                Ok(Some(UNSURE))
            }
            Err(error) => Err(error),
        }
    }

    /// What became of an action of this key, if there is one.
    async fn how_far(&self, server: &str, act: Action, key: &str) -> Result<Option<effects::State>, JobError> {
        let effect = effects::alive(&self.cx.store, FEATURE, server, kind(act), key).await?;
        Ok(effect.map(|effect| effect.state))
    }

    async fn leave_to_people(&mut self, mut case: Case, one: &Wanted, others: usize) -> Result<(), JobError> {
        let text = format!(
            "{}: a rule wants to {} {}, which would resolve {others} reports of others; a person decides",
            case.server,
            one.action.as_str(),
            case.acct
        );
        self.tell("others", &case.reference, Severity::Warning, &text).await;
        let was = case.updated_at;
        case.why = format!(
            "{} would resolve {others} reports of others, so a person decides",
            one.action.as_str()
        );
        case.actions = json!([]);
        self.keep(case, was, "waits").await?;
        Ok(())
    }

    async fn acted(&mut self, mut case: Case, act: Action, rule: &str) -> Result<(), JobError> {
        let now = self.now();
        let was = case.updated_at;
        case.actions = json!([]);
        case.updated_at = later(was, now);
        let detail = json!({ "action": act.as_str(), "rule": rule });
        let mut lines = vec![Line::new(Some(&case), "acted", US, detail, now)];
        if act != Action::None {
            // It resolved our own report, too. Nobody has judged it by that.
            case.state = State::Resolved;
            case.why = format!("{} by a rule", act.as_str());
            (case.ended_at, case.ended_by, case.look_at) = (Some(now), Some(US.to_owned()), None);
            lines.push(Line::new(
                Some(&case),
                "ended",
                US,
                json!({ "state": "resolved", "why": case.why }),
                now,
            ));
        }
        cases::save(&self.cx.store, &case, was, &lines).await?;
        Ok(())
    }

    /// An action that was about to be sent when a process died.
    pub(crate) async fn settle_action(&mut self, effect: &Effect) -> Result<(), JobError> {
        let text = |key: &str| effect.intent.get(key).and_then(Value::as_str).unwrap_or_default();
        let id = AccountId::new(text("account_id"));
        let account = self.login.client.moderated_account(&id).await?;
        let act = Action::named(text("type"));
        let is_undo = effect.intent.get("undo").is_some();
        let done = match (&account, act) {
            (Some(account), Some(act)) => stands(account, act) != is_undo,
            _ => false,
        };
        self.summary.add("settled", 1);
        // Whether a warning went out cannot be seen, and nobody is to be warned twice.
        let outcome = match done || act == Some(Action::None) {
            true => Settled::Done(json!({ "seen": done })),
            false => Settled::Failed(format!("{} does not show it", self.server())),
        };
        self.cx.effects.settle(&effect.id, outcome).await?;
        Ok(())
    }

    /// Takes back what was to end by now.
    pub(crate) async fn take_back(&mut self) -> Result<(), JobError> {
        for one in reversals::due(&self.cx.store, self.server(), self.now(), PER_RUN).await? {
            self.cx.check_stop()?;
            if let Err(error) = self.take_one_back(&one).await {
                match error {
                    JobError::Stopped => return Err(JobError::Stopped),
                    error => self.put_off(&one, &format!("{error:#}")).await?,
                }
            }
        }
        Ok(())
    }

    async fn take_one_back(&mut self, one: &Reversal) -> Result<(), JobError> {
        let Some(act) = Action::named(&one.action) else {
            reversals::end(&self.cx.store, &one.id, "over", self.now()).await?;
            return Ok(());
        };
        let allowed = match act {
            Action::None => Allowed::Warn,
            Action::Sensitive => Allowed::Sensitive,
            Action::Silence => Allowed::Silence,
            Action::Suspend => Allowed::Suspend,
        };
        let key = format!("{}/{}", one.case_id, allowed.as_str());
        match self.how_far(&one.server, act, &key).await? {
            Some(effects::State::Done) => {}
            // Not known yet whether it was done at all.
            Some(effects::State::Intended | effects::State::Held) => {
                return self.put_off(one, "the action waits itself").await;
            }
            _ => {
                reversals::end(&self.cx.store, &one.id, "over", self.now()).await?;
                return Ok(());
            }
        }
        let id = AccountId::new(one.account_id.clone());
        let account = self.login.client.moderated_account(&id).await?;
        if account.is_none_or(|account| !stands(&account, act)) {
            reversals::end(&self.cx.store, &one.id, "over", self.now()).await?;
            return Ok(());
        }
        let wish = Wish {
            kind: undo_kind(act),
            server: one.server.clone(),
            key: one.id.clone(),
            intent: json!({ "account_id": one.account_id, "type": act.as_str(), "undo": true }),
            reason: json!({ "case": one.case_id, "due_at": one.due_at, "by": US }),
        };
        let client = self.login.client.clone();
        let sent = self
            .cx
            .effects
            .take_back(wish, move |permit| async move {
                client.undo_action(&id, act, permit).await?;
                Ok(json!({}))
            })
            .await?;
        match sent {
            Sent::Done(_) => {
                reversals::end(&self.cx.store, &one.id, "done", self.now()).await?;
                self.summary.add("reversed", 1);
                let case = cases::load(&self.cx.store, &one.case_id).await?;
                let line = Line::new(
                    case.as_ref(),
                    "reversed",
                    US,
                    json!({ "action": one.action }),
                    self.now(),
                );
                cases::tell(&self.cx.store, &line).await?;
                Ok(())
            }
            Sent::Rehearsed => self.put_off(one, "the mode is observe").await,
            Sent::Held(why) => self.put_off(one, &why).await,
            Sent::Known => self.put_off(one, "it is on the way").await,
        }
    }

    async fn put_off(&mut self, one: &Reversal, why: &str) -> Result<(), JobError> {
        let tries = i32::try_from(one.tries.min(6)).unwrap_or(6);
        let pause = (TimeDelta::seconds(15) * (1 << tries)).min(LONGEST);
        self.summary.add("put_off", 1);
        reversals::put_off(&self.cx.store, &one.id, self.now() + pause, why).await?;
        Ok(())
    }
}

/// Makes the call. Without an answer the account itself shows whether it happened.
async fn act_on(client: Client, id: AccountId, act: Action, text: String, permit: Permit) -> Result<Value, Error> {
    let error = match client.act_on_account(&id, act, &text, None, permit).await {
        Ok(()) => return Ok(json!({})),
        Err(error) => error,
    };
    if !matches!(error, Error::ServerDown { .. } | Error::NotJson { .. } | Error::Net(_)) {
        return Err(error);
    }
    match client.moderated_account(&id).await {
        Ok(Some(account)) if stands(&account, act) => Ok(json!({ "seen": true })),
        _ => Err(error),
    }
}
