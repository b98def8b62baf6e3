//! What to do about one applicant now: a pure function of what is known, so that the run after a crash decides the same.
//!
//! ```text
//! in already ─────────────► approved, elsewhere
//! a person asked ─────────► hold · reject at once · approve once confirmed, if the address is the one they saw
//! stopped ────────────────► hold, until a person asks
//! not confirmed ──────────► waiting, whatever the rules say
//! the address changed ────► hold, stopped
//! rules say approve ──────► burst? hold, stopped │ ready: send
//! rules say reject ───────► veto until its time │ ready: send
//! rules say hold, wait, ignore
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use store::applicants::State;

use crate::{Config, Judgement, Verdict};

/// What was known of an applicant before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Before {
    /// How far they were.
    pub(crate) state: State,
    /// What the rules said.
    pub(crate) verdict: String,
    /// Which rule.
    pub(crate) rule: Option<String>,
    /// Hash of the address that was judged; empty when none was.
    pub(crate) email_hash: String,
    /// The address that was judged was a confirmed one.
    pub(crate) confirmed: bool,
    /// See [`store::applicants::Applicant::stopped`].
    pub(crate) stopped: Option<String>,
    /// What a person wants, and the address they saw.
    pub(crate) asked: Option<(String, String)>,
    /// End of the veto window.
    pub(crate) act_at: Option<DateTime<Utc>>,
}

/// What is known now.
#[derive(Debug, Clone)]
pub(crate) struct Now<'a> {
    /// What the rules say.
    pub(crate) judgement: &'a Judgement,
    /// The address is confirmed.
    pub(crate) confirmed: bool,
    /// They are in already.
    pub(crate) approved: bool,
    /// Hash of the address.
    pub(crate) email_hash: &'a str,
    /// The time.
    pub(crate) now: DateTime<Utc>,
    /// How many more the rules may let in within this hour.
    pub(crate) room: u32,
}

/// A write that should be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Let them in.
    Approve,
    /// Turn them away.
    Reject,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// How far they are.
    pub(crate) state: State,
    /// What to send. The state is `ready` until it was.
    pub(crate) act: Option<Act>,
    /// For people.
    pub(crate) why: String,
    /// Why only a person moves them on.
    pub(crate) stopped: Option<&'static str>,
    /// End of the veto window.
    pub(crate) act_at: Option<DateTime<Utc>>,
    /// The person who asked has their answer.
    pub(crate) answered: bool,
    /// Decided by a person.
    pub(crate) by_person: bool,
}

impl Step {
    fn rest(state: State, why: impl Into<String>) -> Self {
        Self {
            state,
            act: None,
            why: why.into(),
            stopped: None,
            act_at: None,
            answered: false,
            by_person: false,
        }
    }

    fn act(act: Act, why: impl Into<String>) -> Self {
        Self {
            act: Some(act),
            ..Self::rest(State::Ready, why)
        }
    }

    fn stop(stopped: &'static str, why: impl Into<String>) -> Self {
        Self {
            stopped: Some(stopped),
            ..Self::rest(State::Hold, why)
        }
    }
}

/// What to do about an applicant.
pub(crate) fn step(config: &Config, before: &Before, now: &Now<'_>) -> Step {
    if now.approved {
        return Step::rest(State::Approved, "is in already");
    }
    let changed = !before.email_hash.is_empty() && before.email_hash != now.email_hash;
    let mut stopped = before.stopped.as_deref();
    if let Some((asked, saw)) = &before.asked {
        let by_person = |step: Step| Step {
            by_person: true,
            answered: step.act.is_none(),
            ..step
        };
        match asked.as_str() {
            "approve" | "reject" if saw != now.email_hash => {
                let step = Step::stop("changed", "the address changed after somebody had decided");
                return Step { answered: true, ..step };
            }
            "approve" if !now.confirmed => {
                return Step {
                    by_person: true,
                    ..Step::rest(State::Waiting, "a person lets them in once the address is confirmed")
                };
            }
            "approve" => return by_person(Step::act(Act::Approve, "a person lets them in")),
            "reject" => return by_person(Step::act(Act::Reject, "a person turns them away")),
            "hold" => return by_person(Step::stop("person", "a person looks after them")),
            // `judge`, and anything that an older Egret wrote: the rules decide anew.
            _ => stopped = None,
        }
    }
    let answered = before.asked.is_some();
    let step = match stopped {
        Some("person") => Step::stop("person", "a person looks after them"),
        Some("burst") => Step::stop("burst", "more were let in within an hour than may be; a person decides"),
        Some("changed") => Step::stop("changed", "the address changed after it had been confirmed"),
        _ if !now.confirmed => Step::rest(
            State::Waiting,
            format!("the address is not confirmed; then: {}", now.judgement.why),
        ),
        _ if changed && before.confirmed && !answered => {
            Step::stop("changed", "the address changed after it had been confirmed")
        }
        _ => by_rules(config, before, now),
    };
    Step { answered, ..step }
}

fn by_rules(config: &Config, before: &Before, now: &Now<'_>) -> Step {
    let why = now.judgement.why.clone();
    match now.judgement.verdict {
        Verdict::Hold => Step::rest(State::Hold, why),
        Verdict::Wait => Step::rest(State::Waiting, why),
        Verdict::Ignore => Step::rest(State::Ignored, why),
        Verdict::Approve if now.room == 0 => {
            Step::stop("burst", "more were let in within an hour than may be; a person decides")
        }
        Verdict::Approve => Step::act(Act::Approve, why),
        Verdict::Reject => {
            let same = before.verdict == Verdict::Reject.as_str() && before.rule == now.judgement.rule;
            let began = matches!(before.state, State::Veto | State::Ready) && same;
            let window = TimeDelta::from_std(config.veto).unwrap_or(TimeDelta::MAX);
            let until = match before.act_at {
                Some(until) if began => until,
                _ => now.now.checked_add_signed(window).unwrap_or(DateTime::<Utc>::MAX_UTC),
            };
            let step = if now.now >= until {
                Step::act(Act::Reject, why)
            } else {
                Step::rest(State::Veto, why)
            };
            Step {
                act_at: Some(until),
                ..step
            }
        }
    }
}

#[cfg(test)]
mod tests;
