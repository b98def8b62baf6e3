//! The two effects, and what became of them.

use std::time::Duration;

use chrono::TimeDelta;
use job::{JobError, Sent, Settled, Wish};
use mastodon::{Client, Error, Permit};
use model::{AccountId, AdminAccount};
use serde_json::{Value, json};
use store::{
    applicants::{self, Applicant, Decision, Event, Mail, State},
    effects,
};

use super::pass::{ELSEWHERE, Pass, US};
use crate::{
    FEATURE, Judgement,
    config::Record,
    gather::Known,
    plan::{Act, Step},
};

/// After an approval the address is looked at again, this long after it.
pub(crate) const LOOKS: [Duration; 3] = [
    Duration::from_secs(60 * 60),
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(7 * 24 * 60 * 60),
];

impl Act {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Approve => "account.approve",
            Self::Reject => "account.reject",
        }
    }

    fn state(self) -> State {
        match self {
            Self::Approve => State::Approved,
            Self::Reject => State::Rejected,
        }
    }
}

/// By whom somebody's waiting ended.
#[derive(Debug, Clone)]
pub(super) struct By {
    who: String,
    /// A server answered the call. Without an answer it only shows that it is done: most likely by that call.
    answered: bool,
}

impl By {
    fn elsewhere() -> Self {
        Self {
            who: ELSEWHERE.to_owned(),
            answered: true,
        }
    }
}

impl Pass<'_> {
    /// Who decided.
    fn who(&self, one: &Known, step: &Step) -> String {
        let person = one.row.asked_by.clone().filter(|_| step.by_person);
        person.unwrap_or_else(|| US.to_owned())
    }

    /// What is wished, with the reason that explains it for ever.
    pub(super) fn wish(&self, act: Act, one: &Known, judgement: &Judgement, step: &Step) -> Wish {
        let id = &one.row.account_id;
        Wish {
            kind: act.kind(),
            server: self.server().to_owned(),
            key: id.clone(),
            intent: json!({ "account_id": id }),
            reason: json!({
                "rule": judgement.rule,
                "why": step.why,
                "ruleset": self.rules.hash(),
                "by": self.who(one, step),
            }),
        }
    }

    /// Wishes the effect and writes down what became of it.
    pub(super) async fn act(
        &mut self,
        act: Act,
        one: &Known,
        judgement: &Judgement,
        step: &Step,
    ) -> Result<(), JobError> {
        let id = AccountId::new(one.row.account_id.clone());
        let who = self.who(one, step);
        let wish = self.wish(act, one, judgement, step);
        // Decided first: whatever happens from here on, the next run knows what was going on.
        let ready = Decision {
            answers: None,
            ..self.decision(one, judgement, step)
        };
        applicants::decide(
            &self.cx.store,
            self.server(),
            std::slice::from_ref(&ready),
            self.cx.clock.now(),
        )
        .await?;
        let client = self.login.client.clone();
        let sent = self
            .cx
            .effects
            .carry_out(wish, move |permit| send(client, act, id, permit))
            .await;
        let result = match sent {
            Ok(Sent::Done(result)) => result,
            Ok(Sent::Rehearsed) => {
                self.summary.add("rehearsed", 1);
                return Ok(());
            }
            Ok(Sent::Held(why)) => {
                if self.held.is_none() {
                    self.held = Some(self.cx.effects.released(self.server()).await?);
                }
                return self.wait(ready, &why).await;
            }
            // Sent before, by this process or another, and its answer is found by asking: see `settle` and `due`.
            Ok(Sent::Known) => return Ok(()),
            Err(JobError::Transient(error)) => return self.missed(error),
            Err(error) => return Err(error),
        };
        self.failures = 0;
        let elsewhere = result.get("elsewhere").is_some();
        let state = match act {
            _ if result.get("gone").is_some() => State::Gone,
            _ if result.get("approved").is_some() => State::Approved,
            act => act.state(),
        };
        if state == State::Approved && !elsewhere && !step.by_person {
            self.room = self.room.saturating_sub(1);
        }
        let by = By {
            who: if elsewhere { ELSEWHERE.to_owned() } else { who },
            answered: result.get("seen").is_none(),
        };
        self.end(&one.row, state, &by, Some((one, judgement, step))).await
    }

    /// It waits for a quota or a panic stop, visibly.
    async fn wait(&mut self, ready: Decision, why: &str) -> Result<(), JobError> {
        let waits = Decision {
            why: format!("{}; waits: {why}", ready.why),
            event: None,
            ..ready
        };
        self.summary.add("waits", 1);
        applicants::decide(&self.cx.store, self.server(), &[waits], self.cx.clock.now()).await?;
        Ok(())
    }

    /// Writes the end of somebody down, with the letter that goes with it. `told`: what it was decided by, just now.
    pub(super) async fn end(
        &mut self,
        row: &Applicant,
        state: State,
        by: &By,
        told: Option<(&Known, &Judgement, &Step)>,
    ) -> Result<(), JobError> {
        let now = self.cx.clock.now();
        let ours = by.who != ELSEWHERE;
        let (email, verdict, rule, why) = match told {
            Some((known, judgement, step)) => (
                known.facts.email.clone(),
                judgement.verdict.as_str().to_owned(),
                judgement.rule.clone(),
                step.why.clone(),
            ),
            None => (
                row.email.clone().unwrap_or_default(),
                row.verdict.clone(),
                row.rule.clone(),
                row.why.clone(),
            ),
        };
        let why = match (state, ours) {
            (State::Gone, _) => "not on the server any more".to_owned(),
            (_, false) => "decided elsewhere".to_owned(),
            _ if !by.answered => format!("{why}; our call got no answer, and the server shows it done"),
            _ => why,
        };
        let look = match state {
            State::Approved if ours => TimeDelta::from_std(LOOKS[0]).ok().map(|wait| now + wait),
            _ => None,
        };
        let letter = rule
            .as_deref()
            .and_then(|name| self.rules.rule(name)?.mail.clone())
            .filter(|_| state == State::Rejected && ours && self.config.mail.enabled && !email.is_empty());
        let decision = Decision {
            account_id: row.account_id.clone(),
            state,
            verdict,
            rule: rule.clone(),
            why: why.clone(),
            ruleset: self.rules.hash().to_owned(),
            stopped: None,
            act_at: None,
            ended_by: Some(by.who.clone()),
            look: (look, 0),
            flag: row.flag.clone(),
            answers: row.asked_at,
            seen: None,
            event: Some(Event {
                kind: "ended",
                by: by.who.clone(),
                detail: json!({ "state": state.as_str(), "rule": rule, "why": why, "answered": by.answered }),
                inputs: None,
            }),
            mail: letter.map(|text| Mail {
                id: String::new(),
                server: self.server().to_owned(),
                account_id: row.account_id.clone(),
                recipient: email,
                body: text
                    .replace("{username}", &row.username)
                    .replace("{server}", self.server()),
                tries: 0,
            }),
            forget: self.config.record == Record::Hashed,
        };
        self.summary.add(
            match state {
                State::Approved => "approved",
                State::Rejected => "rejected",
                _ => "gone",
            },
            1,
        );
        applicants::decide(&self.cx.store, self.server(), &[decision], now).await?;
        Ok(())
    }

    /// The server does not know somebody any more: turned away by us, if we were about to, else gone.
    pub(super) async fn gone(&mut self, row: &Applicant) -> Result<(), JobError> {
        match self.sent(Act::Reject, row).await? {
            Some(by) => self.end(row, State::Rejected, &by, None).await,
            None => self.end(row, State::Gone, &By::elsewhere(), None).await,
        }
    }

    /// The server shows somebody as approved: by us, if we were about to.
    pub(super) async fn is_in(&mut self, row: &Applicant) -> Result<(), JobError> {
        let by = self.sent(Act::Approve, row).await?.unwrap_or_else(By::elsewhere);
        self.end(row, State::Approved, &by, None).await
    }

    /// Who had this effect sent, if it may have been; one that was left without an answer has it now.
    async fn sent(&self, act: Act, row: &Applicant) -> Result<Option<By>, JobError> {
        let alive = effects::alive(&self.cx.store, FEATURE, self.server(), act.kind(), &row.account_id).await?;
        let Some(effect) = alive.filter(|effect| effect.state != effects::State::Held) else {
            return Ok(None);
        };
        let told = |key: &str| effect.result.as_ref().is_some_and(|result| result.get(key).is_some());
        if told("elsewhere") {
            return Ok(Some(By::elsewhere()));
        }
        let answered = effect.state != effects::State::Intended && !told("seen");
        if effect.state == effects::State::Intended {
            let seen = Settled::Done(json!({ "seen": true }));
            self.cx.effects.settle(&effect.id, seen).await?;
        }
        let who = effect.reason.get("by").and_then(Value::as_str).unwrap_or(US);
        Ok(Some(By {
            who: who.to_owned(),
            answered,
        }))
    }

    /// Effects that were about to be sent when a process died: the server says whether they were.
    pub(crate) async fn settle(&mut self) -> Result<(), JobError> {
        for effect in self.cx.effects.pending().await? {
            self.cx.check_stop()?;
            if effect.server != self.server() {
                continue;
            }
            let account = self.read(&effect.key).await?;
            let happened = match (effect.kind.as_str(), &account) {
                ("account.approve", Some(account)) => account.approved,
                ("account.reject", None) => true,
                _ => false,
            };
            self.summary.add("settled", 1);
            let rows = applicants::load(&self.cx.store, self.server(), std::slice::from_ref(&effect.key)).await?;
            match rows.first().filter(|row| happened && !row.state.is_end()) {
                Some(row) if account.is_some() => self.is_in(row).await?,
                Some(row) => self.gone(row).await?,
                None => {
                    let settled = if happened {
                        Settled::Done(json!({ "seen": true }))
                    } else {
                        Settled::Failed(format!("{} does not show it", self.server()))
                    };
                    self.cx.effects.settle(&effect.id, settled).await?;
                }
            }
        }
        Ok(())
    }
}

/// Makes the call. A refusal may mean that somebody else was faster, or that a right is missing: the server is asked
/// which. No answer may mean that it happened all the same: the server is asked that too.
async fn send(client: Client, act: Act, id: AccountId, permit: Permit) -> Result<Value, Error> {
    let sent = match act {
        Act::Approve => client.approve_account(&id, permit).await,
        Act::Reject => client.reject_account(&id, permit).await,
    };
    let error = match sent {
        Ok(()) => return Ok(json!({})),
        Err(error) => error,
    };
    let refused = matches!(
        error,
        Error::Forbidden { .. } | Error::NotFound { .. } | Error::Gone { .. } | Error::Invalid { .. }
    );
    let unclear = matches!(
        error,
        Error::ServerDown { .. } | Error::NotJson { .. } | Error::Net(net::Error::Timeout { .. })
    );
    if !refused && !unclear {
        return Err(error);
    }
    match (act, client.admin_account(&id).await) {
        (Act::Reject, Ok(None)) if unclear => Ok(json!({ "seen": true })),
        (_, Ok(None)) => Ok(json!({ "elsewhere": true, "gone": true })),
        (act, Ok(Some(AdminAccount { approved: true, .. }))) => match act {
            Act::Approve if unclear => Ok(json!({ "seen": true })),
            Act::Approve => Ok(json!({ "elsewhere": true })),
            Act::Reject => Ok(json!({ "elsewhere": true, "approved": true })),
        },
        _ => Err(error),
    }
}
