//! Once a day: what was decided is said, and what is old enough is forgotten.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use store::{
    applicants::{self, Filter, State},
    notices::Severity,
    webhook_events,
};

use super::news::tell;
use crate::Config;

/// What nobody claimed by then is forgotten: the list has told it long ago.
const EVENTS: TimeDelta = TimeDelta::days(7);

/// Rows in one statement.
const BATCH: u32 = 500;

/// What was decided and who waits, of each server; then what is old enough is forgotten.
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
            let more = if late == BATCH as usize { " or more" } else { "" };
            text += &format!(
                "; {late}{more} wait for a person since before {}",
                humantime_text(config.remind)
            );
        }
        let severity = if late > 0 { Severity::Warning } else { Severity::Info };
        tell(cx, "digest", &server, severity, &text).await;
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
