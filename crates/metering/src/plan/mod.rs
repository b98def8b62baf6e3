//! What a page of accounts comes to: which rows are written, what happened, who is tried again. No clock, no I/O.

mod news;
mod point;
mod thin;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use job::{Schedule, slot};
use mastodon::remote::Measured;
use store::{
    metered_accounts::Metered,
    metered_points::{Batch, Point},
};

use crate::Config;
pub use news::length;
pub(crate) use point::{Write, merge, point};
pub(crate) use thin::{Bucket, thin};

/// The moment that everybody is measured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Seconds since 1970.
    pub(crate) start: i64,
    /// Seconds to the next one.
    pub(crate) step: i32,
}

impl Slot {
    /// The slot that `now` lies in. `None` where the schedule never comes.
    pub(crate) fn of(schedule: &Schedule, now: DateTime<Utc>) -> Option<Self> {
        let (start, next) = slot(schedule, now)?;
        Some(Self {
            start: start.timestamp(),
            step: i32::try_from((next - start).num_seconds()).unwrap_or(i32::MAX),
        })
    }

    /// Whether the next one has begun.
    pub(crate) fn is_over(self, now: DateTime<Utc>) -> bool {
        now.timestamp() >= self.start + i64::from(self.step)
    }

    /// A moment beside the slots, for what somebody wants measured now.
    pub(crate) fn beside(self, now: DateTime<Utc>) -> Self {
        Self {
            start: now.timestamp(),
            ..self
        }
    }
}

/// What a server said of an account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Its counts.
    Counts(Box<Measured>),
    /// It is no more: 404 or 410.
    Gone(&'static str),
    /// Nothing that can be used: why, and when it is worth another try.
    Failed(String, TimeDelta),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) account: i64,
    pub(crate) kind: &'static str,
    pub(crate) was: Option<String>,
    pub(crate) became: Option<String>,
}

/// Something that people want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: &'static str,
    pub(crate) acct: String,
    /// Who is asked for it, and what it is called there.
    pub(crate) host: String,
    pub(crate) remote_id: Option<String>,
    pub(crate) text: String,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Points.
    pub(crate) batch: Batch,
    /// Accounts that are not what they were.
    pub(crate) saves: Vec<Metered>,
    /// Why.
    pub(crate) events: Vec<Happened>,
    /// Who is tried again: by reason and seconds to wait.
    pub(crate) failed: BTreeMap<(String, i64), Vec<i64>>,
    /// Accounts that somebody moved to, and who.
    pub(crate) moves: Vec<(i64, String)>,
    /// For people.
    pub(crate) news: Vec<Told>,
    /// Counters.
    pub(crate) gone: u64,
}

/// An account that its server says is gone is believed the second time, if so much lies between.
const GONE_AFTER: TimeDelta = TimeDelta::hours(24);
/// How often an archived account is looked for.
const ARCHIVED_AGAIN: TimeDelta = TimeDelta::days(7);
/// And one that may be gone.
const GONE_AGAIN: TimeDelta = TimeDelta::hours(6);

/// What a page of answers comes to. `newest` are the newest rows of the accounts.
pub(crate) fn page(
    config: &Config,
    slot: Slot,
    now: DateTime<Utc>,
    answers: &[(Metered, Answer)],
    newest: &[Point],
) -> Plan {
    let mut plan = Plan::default();
    plan.batch.slot = slot.start;
    for (account, answer) in answers {
        let newest = newest.iter().find(|point| point.account == account.id);
        match answer {
            Answer::Counts(measured) => counts(&mut plan, config, slot, now, account, newest, measured),
            Answer::Gone(how) => gone(&mut plan, now, account, how),
            Answer::Failed(reason, wait) => plan.fail(account, reason, *wait),
        }
    }
    plan
}

impl Plan {
    fn fail(&mut self, account: &Metered, reason: &str, wait: TimeDelta) {
        let key = (reason.to_owned(), wait.num_seconds().max(60));
        self.failed.entry(key).or_default().push(account.id);
    }

    fn happened(&mut self, account: &Metered, kind: &'static str, was: Option<&str>, became: Option<&str>) {
        self.events.push(Happened {
            account: account.id,
            kind,
            was: was.map(str::to_owned),
            became: became.map(str::to_owned),
        });
    }
}

fn counts(
    plan: &mut Plan,
    config: &Config,
    slot: Slot,
    now: DateTime<Utc>,
    account: &Metered,
    newest: Option<&Point>,
    measured: &Measured,
) {
    let user = account.acct.split('@').next().unwrap_or_default();
    let same_name = measured.username.is_empty() || measured.username.eq_ignore_ascii_case(user);
    let same_actor = measured.uri.as_ref().is_none_or(|uri| uri.as_str() == account.uri);
    // An id that was given away, or a host that answers for somebody else.
    if !same_actor && !same_name {
        return plan.fail(
            account,
            "its server shows another account in its place",
            TimeDelta::hours(6),
        );
    }
    let new = point(account.id, slot, now, measured);
    match merge(newest, &new, config.anchor) {
        Write::New => plan.batch.new.push(new.clone()),
        Write::Longer(longer) => plan.batch.longer.push(longer),
        Write::Nothing => {}
    }
    plan.batch.measured.push(account.id);

    let mut saved = Metered {
        condition: if measured.suspended {
            "suspended".to_owned()
        } else {
            String::new()
        },
        state: "tracked".to_owned(),
        trouble: None,
        gone_at: None,
        next_try_at: None,
        ..account.clone()
    };
    if measured.suspended && account.condition != "suspended" {
        plan.happened(account, "suspended", None, None);
    }
    let was_away = account.state == "archived" || account.condition == "suspended";
    if was_away && !measured.suspended {
        plan.happened(account, "returned", None, None);
    }
    // A suspended account has no name; that is not a new one.
    if !measured.suspended {
        if !measured.name.is_empty() && measured.name != account.name {
            if !account.name.is_empty() {
                plan.happened(account, "renamed", Some(&account.name), Some(&measured.name));
            }
            saved.name.clone_from(&measured.name);
        }
        if !same_name && let Some((_, domain)) = account.acct.split_once('@') {
            saved.acct = format!("{}@{domain}", measured.username.to_lowercase());
            plan.happened(account, "renamed", Some(&account.acct), Some(&saved.acct));
        }
        if let Some(url) = &measured.url {
            saved.url = url.to_string();
        }
        if saved.remote_id.is_none() {
            saved.remote_id.clone_from(&measured.id);
        }
    }
    if let Some(to) = measured.moved_to.as_ref().map(ToString::to_string)
        && account.moved_to.as_ref() != Some(&to)
    {
        plan.happened(account, "moved", Some(&account.uri), Some(&to));
        if config.follow_moves {
            plan.moves.push((account.id, to.clone()));
        }
        saved.moved_to = Some(to);
    }
    if is_changed(account, &saved) {
        plan.saves.push(saved);
    }
    news::look(plan, config, account, newest, &new);
}

/// Whether an account is not what it was; what the batch writes for all of them does not count.
fn is_changed(before: &Metered, after: &Metered) -> bool {
    fn told(account: &Metered) -> (&str, &str, &str, Option<&str>, Option<&str>) {
        (
            &account.url,
            &account.acct,
            &account.name,
            account.remote_id.as_deref(),
            account.moved_to.as_deref(),
        )
    }
    told(after) != told(before) || after.state != before.state || !after.condition.is_empty()
}

fn gone(plan: &mut Plan, now: DateTime<Utc>, account: &Metered, how: &str) {
    plan.gone += 1;
    let mut saved = account.clone();
    saved.trouble = Some(how.to_owned());
    match account.gone_at {
        _ if account.state == "archived" => saved.next_try_at = Some(now + ARCHIVED_AGAIN),
        Some(first) if now - first >= GONE_AFTER => {
            saved.state = "archived".to_owned();
            saved.next_try_at = Some(now + ARCHIVED_AGAIN);
            plan.happened(account, "deleted", Some(&account.acct), None);
        }
        first => {
            saved.gone_at = Some(first.unwrap_or(now));
            saved.next_try_at = Some(now + GONE_AGAIN);
            plan.fail(account, how, GONE_AGAIN);
        }
    }
    saved.condition = "gone".to_owned();
    plan.saves.push(saved);
}

#[cfg(test)]
mod tests;
