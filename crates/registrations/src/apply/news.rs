//! What the people who look after sign-ups should hear of: kept as notices, which the Overview shows and the log tells, and
//! sent by letter to whom `[registrations.mail] notify` names.

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, JobError, News, Summary};
use net::mail::{Letter, Mailer, Trouble};
use store::{
    cursors,
    notices::{self, Severity},
};

use super::pass::Pass;
use crate::{FEATURE, config::Mail};

const JOB: &str = "registrations.mail";

/// Where the time stands before which no news is sent, because the mail server did not take the last.
const PAUSED: &str = "news";

/// How long then.
const PAUSE: TimeDelta = TimeDelta::minutes(15);

/// What is older is no news: whoever switches letters on wants no archive.
const FRESH: TimeDelta = TimeDelta::days(2);

/// Notices in one run.
const PER_RUN: u32 = 20;

impl Pass<'_> {
    /// Tells of a burst, once a day.
    pub(crate) async fn tell_burst(&self) {
        let stopped = self.summary.get("stopped");
        if stopped > 0 {
            let text = format!(
                "{}: {} people were let in within an hour; {stopped} more wait for a person, on the page or with \
                 `egret registrations approve`",
                self.server(),
                self.config.approvals_per_hour
            );
            tell(self.cx, "burst", self.server(), Severity::Warning, &text).await;
        }
    }
}

/// Keeps a notice and logs it, once a day of each kind and subject.
pub(super) async fn tell(cx: &JobContext, kind: &'static str, about: &str, severity: Severity, text: &str) {
    let news = News {
        feature: FEATURE,
        kind,
        about,
        severity,
        text,
    };
    job::tell(&cx.store, &*cx.clock, news).await;
}

/// Sends what nobody got yet. A notice is the same letter to everybody, with its id, so one that goes twice after a
/// crash is shown once.
pub(super) async fn deliver(
    cx: &JobContext,
    mail: &Mail,
    mailer: &Mailer,
    summary: &mut Summary,
) -> Result<(), JobError> {
    let now = cx.clock.now();
    let paused = cursors::load(&cx.store, JOB, PAUSED).await?;
    let paused = paused.and_then(|text| text.parse::<DateTime<Utc>>().ok());
    if mail.notify.is_empty() || paused.is_some_and(|until| now < until) {
        return Ok(());
    }
    for notice in notices::undelivered_of(&cx.store, FEATURE, now - FRESH, PER_RUN).await? {
        cx.check_stop()?;
        for to in &mail.notify {
            let letter = Letter {
                id: notice.id.clone(),
                to: to.clone(),
                subject: format!("Egret: {} of sign-ups at {}", notice.kind, notice.about),
                text: format!("{}.\n", notice.text),
            };
            match mailer.send(&letter, notice.created_at).await {
                Ok(()) => {}
                // Whoever is named wrongly keeps nobody else from hearing.
                Err(Trouble::Never(why)) => {
                    tracing::warn!("a notice cannot be sent to one of [registrations.mail] notify: {why}")
                }
                Err(Trouble::Later(why)) => {
                    tracing::warn!("a notice could not be sent and is tried again in 15 minutes: {why}");
                    summary.add("later", 1);
                    let until = (now + PAUSE).to_rfc3339();
                    cursors::save(&cx.store, JOB, PAUSED, &until, now).await?;
                    return Ok(());
                }
            }
        }
        notices::mark_delivered(&cx.store, &notice.id, cx.clock.now()).await?;
        summary.add("notified", 1);
    }
    Ok(())
}
