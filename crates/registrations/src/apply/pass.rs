//! One applicant after the other.

use std::{collections::BTreeSet, sync::Arc};

use job::{JobContext, JobError, Login, Mode, Summary};
use model::{AccountId, AdminAccount};
use serde_json::json;
use store::applicants::{self, Applicant, Decision, Event, State};

use crate::{
    Config, Judgement, Ruleset,
    gather::{self, Known, MailHosts, Rules},
    plan::{self, Before, Now, Step},
};

/// A run over one server.
pub(crate) struct Pass<'a> {
    pub(crate) cx: &'a JobContext,
    pub(crate) config: &'a Config,
    pub(crate) login: &'a Login,
    pub(crate) rules: Arc<Ruleset>,
    pub(crate) summary: Summary,
    /// How many more the rules may let in within this hour.
    pub(crate) room: u32,
    /// Set once the ledger holds effects: those of people whom somebody let pass all the same, by their ids. No other is
    /// tried in this run.
    pub(crate) held: Option<BTreeSet<String>>,
    mail_hosts: MailHosts,
    /// Effects in a row without an answer; after a few the server is left alone until the next run.
    pub(crate) failures: u32,
    /// The same, where somebody was only to be looked at.
    unread: u32,
}

/// What came of asking for somebody.
pub(super) enum Found {
    There(Box<AdminAccount>),
    Gone,
    /// The server has trouble with them.
    Unknown,
}

/// Failures in a row after which a server is left alone until the next run.
const PATIENCE: u32 = 3;

/// Who decided, when it was not a person.
pub(crate) const US: &str = "egret";
/// Who decided, when it was nobody we know.
pub(crate) const ELSEWHERE: &str = "elsewhere";

impl<'a> Pass<'a> {
    pub(crate) async fn begin(cx: &'a JobContext, config: &'a Config, rules: &Rules) -> Result<Self, JobError> {
        let login = cx.login()?;
        Ok(Self {
            cx,
            config,
            login,
            rules: rules.now(cx, config).await?,
            summary: Summary::default(),
            room: gather::room(cx, config, &login.server).await?,
            held: None,
            mail_hosts: MailHosts::default(),
            failures: 0,
            unread: 0,
        })
    }

    pub(crate) fn server(&self) -> &'a str {
        &self.login.server
    }

    /// Whether no effect on somebody is worth a try in this run.
    pub(crate) fn is_held(&self, account_id: &str) -> bool {
        self.held
            .as_ref()
            .is_some_and(|released| !released.contains(account_id))
    }

    /// One answer to an effect did not come; `Err` after a few in a row.
    pub(crate) fn missed(&mut self, error: anyhow::Error) -> Result<(), JobError> {
        self.failures += 1;
        self.summary.add("failed", 1);
        tracing::debug!(
            error = format!("{error:#}"),
            "an answer is missing and is asked for later"
        );
        if self.failures < PATIENCE {
            Ok(())
        } else {
            Err(JobError::Transient(error))
        }
    }

    /// Looks at one of those who are due or missing.
    pub(crate) async fn look_at(&mut self, row: &Applicant) -> Result<(), JobError> {
        match self.find(&row.account_id).await? {
            Found::There(account) => self.judge(&[*account], true).await,
            Found::Gone => self.gone(row).await,
            Found::Unknown => Ok(()),
        }
    }

    /// Somebody as the server shows them now. One whom it stumbles over keeps nobody from the others.
    pub(super) async fn find(&mut self, id: &str) -> Result<Found, JobError> {
        let found = match self.read(id).await {
            Err(JobError::Transient(error)) if self.unread + 1 < PATIENCE => {
                self.unread += 1;
                self.summary.add("unread", 1);
                tracing::debug!(error = format!("{error:#}"), "somebody cannot be looked at");
                return Ok(Found::Unknown);
            }
            found => found?,
        };
        self.unread = 0;
        Ok(found.map_or(Found::Gone, |account| Found::There(Box::new(account))))
    }

    /// Somebody as the server shows them now.
    pub(crate) async fn read(&self, id: &str) -> Result<Option<AdminAccount>, JobError> {
        Ok(self.login.client.admin_account(&AccountId::new(id)).await?)
    }

    async fn known(&mut self, accounts: &[AdminAccount]) -> Result<Vec<Known>, JobError> {
        let mail_hosts = self.rules.wants_mx().then_some(&mut self.mail_hosts);
        gather::known(self.cx, self.config, &self.login.server, accounts, mail_hosts).await
    }

    /// Judges those whom the server just showed and does what follows. `fresh`: they were asked for one by one.
    pub(crate) async fn judge(&mut self, accounts: &[AdminAccount], fresh: bool) -> Result<(), JobError> {
        let known = self.known(accounts).await?;
        let (mut decisions, mut rehearsed) = (Vec::new(), Vec::new());
        for one in known {
            if one.row.state.is_end() {
                // Ended a moment ago, and the list is older than that.
                continue;
            }
            if one.facts.approved {
                self.is_in(&one.row).await?;
                continue;
            }
            let (judgement, before) = (self.rules.judge(&one.facts), before(&one.row));
            let step = self.step(&before, &one, &judgement);
            let Some(act) = step.act else {
                decisions.extend(self.changed(&one, &judgement, &step));
                continue;
            };
            let waits = self.is_held(&one.row.account_id) && !step.by_person;
            if waits && one.row.state == State::Ready {
                // It waits, and says so.
                continue;
            }
            if self.is_rehearsed(&one, &judgement) || waits {
                decisions.extend(self.changed(&one, &judgement, &step));
                continue;
            }
            if self.cx.effects.mode() == Mode::Observe {
                let wish = self.wish(act, &one, &judgement, &step);
                rehearsed.push((wish, self.decision(&one, &judgement, &step)));
                continue;
            }
            // What comes next may take a while: those before are written down first.
            applicants::decide(
                &self.cx.store,
                self.server(),
                &std::mem::take(&mut decisions),
                self.cx.clock.now(),
            )
            .await?;
            self.cx.check_stop()?;
            if fresh {
                self.act(act, &one, &judgement, &step).await?;
            } else {
                self.look_and_act(one, judgement, step).await?;
            }
        }
        let (wishes, ready): (Vec<_>, Vec<_>) = rehearsed.into_iter().unzip();
        // Where the mode was switched a moment ago nothing is written down of them, and the next run acts.
        if !wishes.is_empty() && self.cx.effects.rehearse(wishes).await? {
            self.summary.add("rehearsed", ready.len());
            decisions.extend(ready);
        }
        applicants::decide(&self.cx.store, self.server(), &decisions, self.cx.clock.now()).await?;
        Ok(())
    }

    /// Asks the server again, right before the effect, and acts only if everything still says so.
    async fn look_and_act(&mut self, was: Known, judgement: Judgement, step: Step) -> Result<(), JobError> {
        let (id, row) = (was.row.account_id.clone(), was.row.clone());
        let account = match self.find(&id).await? {
            Found::There(account) => *account,
            Found::Gone => return self.gone(&row).await,
            Found::Unknown => return Ok(()),
        };
        let mut known = self.known(&[account]).await?;
        let Some(now) = known.pop() else { return Ok(()) };
        if now.facts.approved {
            return self.is_in(&now.row).await;
        }
        let judged_now = self.rules.judge(&now.facts);
        let seen_before = Before {
            email_hash: was.seen.email_hash.clone(),
            confirmed: was.facts.confirmed,
            verdict: judgement.verdict.as_str().to_owned(),
            rule: judgement.rule.clone(),
            state: step.state,
            act_at: step.act_at,
            ..before(&now.row)
        };
        let again = self.step(&seen_before, &now, &judged_now);
        match again.act {
            Some(act) if Some(act) == step.act => self.act(act, &now, &judged_now, &again).await,
            _ => {
                let decision = self.decision(&now, &judged_now, &again);
                applicants::decide(&self.cx.store, self.server(), &[decision], self.cx.clock.now()).await?;
                Ok(())
            }
        }
    }

    fn step(&mut self, before: &Before, one: &Known, judgement: &Judgement) -> Step {
        let step = plan::step(
            self.config,
            before,
            &Now {
                judgement,
                confirmed: one.facts.confirmed,
                approved: one.facts.approved,
                email_hash: &one.seen.email_hash,
                now: self.cx.clock.now(),
                room: self.room,
            },
        );
        if step.stopped == Some("burst") && before.stopped.as_deref() != Some("burst") {
            self.summary.add("stopped", 1);
        }
        step
    }

    /// Whether this was rehearsed before, by the same rules: nothing new to rehearse.
    fn is_rehearsed(&self, one: &Known, judgement: &Judgement) -> bool {
        self.cx.effects.mode() == Mode::Observe
            && one.row.state == State::Ready
            && one.row.ruleset == self.rules.hash()
            && one.row.verdict == judgement.verdict.as_str()
            && one.row.email_hash == one.seen.email_hash
            && one.row.asked.is_none()
    }

    /// What is to be written down, if anything is new.
    fn changed(&mut self, one: &Known, judgement: &Judgement, step: &Step) -> Option<Decision> {
        let row = &one.row;
        let same = row.state == step.state
            && row.verdict == judgement.verdict.as_str()
            && row.rule == judgement.rule
            && row.why == step.why
            && row.ruleset == self.rules.hash()
            && row.stopped.as_deref() == step.stopped
            && row.act_at == step.act_at
            && row.email_hash == one.seen.email_hash
            && !step.answered
            && row.judged_at.is_some()
            && row.facts.get("confirmed") == one.seen.facts.get("confirmed");
        // What nameservers said is written down anew now and then, without a word in the history.
        let now = self.cx.clock.now();
        let stale = self.rules.wants_mx() && row.judged_at.is_some_and(|at| now - at >= gather::FRESH);
        (!same || stale).then(|| self.decision(one, judgement, step))
    }

    /// What is to be written down. A verdict that is the same as before adds no line to the history.
    pub(crate) fn decision(&mut self, one: &Known, judgement: &Judgement, step: &Step) -> Decision {
        let row = &one.row;
        let told = row.state != step.state
            || row.verdict != judgement.verdict.as_str()
            || row.rule != judgement.rule
            || row.stopped.as_deref() != step.stopped
            || row.email_hash != one.seen.email_hash
            || row.judged_at.is_none();
        self.summary.add(counter(step.state), 1);
        let kind = if row.judged_at.is_some() && row.email_hash != one.seen.email_hash {
            "changed"
        } else {
            "judged"
        };
        Decision {
            account_id: row.account_id.clone(),
            state: step.state,
            verdict: judgement.verdict.as_str().to_owned(),
            rule: judgement.rule.clone(),
            why: step.why.clone(),
            ruleset: self.rules.hash().to_owned(),
            stopped: step.stopped.map(str::to_owned),
            act_at: step.act_at,
            ended_by: step.state.is_end().then(|| ELSEWHERE.to_owned()),
            look: (None, row.looks),
            flag: row.flag.clone(),
            answers: row.asked_at.filter(|_| step.answered),
            seen: Some(one.seen.clone()),
            event: told.then(|| Event {
                kind,
                by: US.to_owned(),
                detail: json!({
                    "state": step.state.as_str(),
                    "verdict": judgement.verdict.as_str(),
                    "rule": judgement.rule,
                    "why": step.why,
                    "stopped": step.stopped,
                    "ruleset": self.rules.hash(),
                    "until": step.act_at,
                }),
                inputs: Some(one.seen.facts.clone()),
            }),
            mail: None,
            forget: false,
        }
    }
}

/// What the plan wants to know of somebody we knew.
pub(crate) fn before(row: &Applicant) -> Before {
    Before {
        state: row.state,
        verdict: row.verdict.clone(),
        rule: row.rule.clone(),
        email_hash: row.email_hash.clone(),
        confirmed: row
            .facts
            .get("confirmed")
            .and_then(serde_json::Value::as_bool)
            .unwrap_or_default(),
        stopped: row.stopped.clone(),
        asked: row
            .asked
            .clone()
            .map(|asked| (asked, row.asked_hash.clone().unwrap_or_default())),
        act_at: row.act_at,
    }
}

fn counter(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Hold => "held",
        State::Veto => "veto",
        State::Ready => "ready",
        State::Approved => "approved",
        State::Rejected => "rejected",
        State::Gone => "gone",
        State::Ignored => "ignored",
    }
}
