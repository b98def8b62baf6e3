//! What is told to people, and what is forgotten.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use store::{
    applicants::{self, Filter, State},
    notices::{self, Notice, Severity},
    webhook_events,
};
use uuid::Uuid;

use super::pass::Pass;
use crate::Config;

/// What nobody claimed by then is forgotten: the list has told it long ago.
const EVENTS: TimeDelta = TimeDelta::days(7);

/// Rows in one statement.
const BATCH: u32 = 500;

impl Pass<'_> {
    /// Tells of a burst, once a day.
    pub(crate) async fn tidy(&mut self) -> Result<(), JobError> {
        let stopped = self.summary.get("stopped");
        if stopped > 0 {
            let text = format!(
                "{}: {} people were let in within an hour; {stopped} more wait for a person, on the page or with \
                 `egret registrations approve`",
                self.server(),
                self.config.approvals_per_hour
            );
            self.notice("burst", self.server(), Severity::Warning, text).await?;
        }
        Ok(())
    }

    pub(super) async fn notice(
        &self,
        kind: &str,
        about: &str,
        severity: Severity,
        text: String,
    ) -> Result<(), JobError> {
        tell(self.cx, kind, about, severity, text).await
    }
}

pub(super) async fn tell(
    cx: &JobContext,
    kind: &str,
    about: &str,
    severity: Severity,
    text: String,
) -> Result<(), JobError> {
    let notice = Notice {
        id: Uuid::now_v7().to_string(),
        feature: "registrations".to_owned(),
        kind: kind.to_owned(),
        about: about.to_owned(),
        severity,
        text,
        created_at: cx.clock.now(),
        seen_at: None,
        delivered_at: None,
    };
    notices::insert(&cx.store, &notice).await?;
    Ok(())
}

/// Once a day: what was decided and who waits; and what is old enough is forgotten.
pub(crate) async fn digest(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let now = cx.clock.now();
    let mut summary = Summary::default();
    let mut servers: BTreeMap<String, BTreeMap<&'static str, i64>> = BTreeMap::new();
    for (server, state, count) in applicants::counts_since(&cx.store, now - TimeDelta::days(1)).await? {
        servers.entry(server).or_default().insert(state.as_str(), count);
    }
    let remind = TimeDelta::from_std(config.remind)
        .ok()
        .and_then(|wait| now.checked_sub_signed(wait));
    for (server, counts) in servers {
        let count = |state: State| counts.get(state.as_str()).copied().unwrap_or(0);
        let waiting = Filter {
            server: Some(server.clone()),
            states: vec![State::Hold],
            before: remind.map(|at| (at, String::new())),
            ..Filter::default()
        };
        let late = applicants::list(&cx.store, &waiting, BATCH).await?.len();
        let mut text = format!(
            "{server}: in the last day {} let in, {} turned away, {} gone; now {} wait for a person, {} for the confirmation \
             of their address, {} in the veto window, {} decided and not carried out",
            count(State::Approved),
            count(State::Rejected),
            count(State::Gone),
            count(State::Hold),
            count(State::Waiting),
            count(State::Veto),
            count(State::Ready),
        );
        if late > 0 {
            text += &format!(
                "; {late} wait for a person since before {}",
                humantime_text(config.remind)
            );
        }
        let severity = if late > 0 { Severity::Warning } else { Severity::Info };
        tell(cx, "digest", &server, severity, text).await?;
        summary.add("servers", 1);
    }
    if let Some(before) = TimeDelta::from_std(config.keep)
        .ok()
        .and_then(|keep| now.checked_sub_signed(keep))
    {
        loop {
            cx.check_stop()?;
            let forgotten = applicants::forget(&cx.store, before, now, BATCH).await?;
            summary.add("forgotten", forgotten);
            if forgotten < u64::from(BATCH) {
                break;
            }
        }
    }
    webhook_events::delete_older(&cx.store, now - EVENTS).await?;
    Ok(summary)
}

fn humantime_text(duration: std::time::Duration) -> String {
    format!("{} ago", humantime::format_duration(duration))
}
