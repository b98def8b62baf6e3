//! Those who are due although no list named them: a person asked, a veto window ended, an effect waited, or an approval
//! is to be looked at again.

use chrono::TimeDelta;
use job::{JobError, Mode};
use serde_json::json;
use store::{
    applicants::{self, Applicant, Decision, Event, State},
    notices::Severity,
};

use super::{
    news::tell,
    pass::{Pass, US},
    send::LOOKS,
};
use crate::{Facts, Verdict};

/// At most so many in one run; each costs a request, and an effect another two.
const PER_RUN: u32 = 100;

impl Pass<'_> {
    /// Looks after everybody who is due.
    pub(crate) async fn due(&mut self) -> Result<(), JobError> {
        let acts = self.cx.effects.mode() == Mode::Act;
        let due = applicants::due(&self.cx.store, self.server(), self.cx.clock.now(), acts, PER_RUN).await?;
        for row in due {
            self.cx.check_stop()?;
            if row.state.is_end() {
                self.look_again(&row).await?;
                continue;
            }
            if self.is_held(&row.account_id) && row.asked.is_none() && row.state == State::Ready {
                continue;
            }
            self.look_at(&row).await?;
        }
        Ok(())
    }

    /// No server tells that an address was changed, so those we let in are asked for once more, and again.
    async fn look_again(&mut self, row: &Applicant) -> Result<(), JobError> {
        let now = self.cx.clock.now();
        let account = self.read(&row.account_id).await?;
        let facts = account.as_ref().map(Facts::of);
        let flag = match &facts {
            None => None,
            Some(facts) if facts.email_hash() == row.email_hash => None,
            Some(facts) => {
                let judged = self.rules.judge(facts);
                (judged.verdict != Verdict::Approve).then(|| {
                    format!(
                        "the address changed after the approval; the rules now say {}: {}",
                        judged.verdict, judged.why
                    )
                })
            }
        };
        let looks = row.looks + 1;
        let next = usize::try_from(looks).ok().and_then(|looks| LOOKS.get(looks));
        let since = row.ended_at.unwrap_or(now);
        let next = next
            .and_then(|wait| TimeDelta::from_std(*wait).ok())
            .map(|wait| (since + wait).max(now));
        if let Some(flag) = &flag {
            self.summary.add("flagged", 1);
            let text = format!(
                "{}: the address of account {} changed after it was let in, and no longer fits the rules; look at it on the page",
                row.server, row.account_id
            );
            let about = format!("{}/{}", row.server, row.account_id);
            tell(self.cx, "changed", &about, Severity::Warning, &text).await;
            tracing::warn!(server = row.server, account = row.account_id, "{flag}");
        }
        self.summary.add("looked", 1);
        let decision = Decision {
            account_id: row.account_id.clone(),
            state: row.state,
            verdict: row.verdict.clone(),
            rule: row.rule.clone(),
            why: row.why.clone(),
            ruleset: row.ruleset.clone(),
            stopped: None,
            act_at: None,
            ended_by: row.ended_by.clone().or_else(|| Some(US.to_owned())),
            look: (next.filter(|_| account.is_some() && flag.is_none()), looks),
            flag: flag.clone().or_else(|| row.flag.clone()),
            answers: None,
            seen: None,
            event: Some(Event {
                kind: "looked",
                by: US.to_owned(),
                detail: json!({ "there": account.is_some(), "flag": flag }),
                inputs: None,
            }),
            mail: None,
            forget: false,
        };
        applicants::decide(&self.cx.store, self.server(), &[decision], now).await?;
        Ok(())
    }
}
