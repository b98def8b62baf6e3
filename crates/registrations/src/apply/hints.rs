//! What a server told by webhook. It is a hint: who it is about is asked for anew, and decided on that.

use chrono::TimeDelta;
use job::JobError;
use store::{applicants, webhook_events};

use super::pass::{Found, Pass};

const JOB: &str = "registrations.pending";

/// Told at once. More than that many sign-ups in the time of one request are read from the list for less.
const BATCH: u32 = 20;

/// Claims of a run that died are free again after this.
const CLAIM: TimeDelta = TimeDelta::minutes(2);

/// What the hints ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing was told: this run is for the list.
    Nothing,
    /// Those who were named have been looked at.
    Some,
    /// So many that the list is cheaper.
    Many,
}

impl Pass<'_> {
    /// Looks at everybody the server told of.
    pub(crate) async fn hints(&mut self) -> Result<Told, JobError> {
        let mut told = Told::Nothing;
        loop {
            let now = self.cx.clock.now();
            let events = webhook_events::claim(
                &self.cx.store,
                self.server(),
                JOB,
                &self.cx.run,
                BATCH,
                now,
                now + CLAIM,
            )
            .await?;
            if events.is_empty() {
                return Ok(told);
            }
            self.summary.add("hints", events.len());
            let many = events.len() as u32 == BATCH && told != Told::Nothing;
            told = if many || told == Told::Many {
                Told::Many
            } else {
                Told::Some
            };
            let ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
            if told == Told::Some {
                let mut subjects: Vec<(&str, &str)> = events
                    .iter()
                    .map(|event| (event.object_id.as_str(), event.event.as_str()))
                    .collect();
                subjects.sort_unstable();
                subjects.dedup_by_key(|(id, _)| *id);
                for (id, event) in subjects {
                    self.cx.check_stop()?;
                    self.hint(id, event).await?;
                }
            }
            webhook_events::mark_done(&self.cx.store, &ids, self.cx.clock.now()).await?;
        }
    }

    async fn hint(&mut self, id: &str, event: &str) -> Result<(), JobError> {
        if id.is_empty() {
            return Ok(());
        }
        let row = applicants::load(&self.cx.store, self.server(), &[id.to_owned()])
            .await?
            .pop();
        if row.as_ref().is_some_and(|row| row.state.is_end()) {
            return Ok(());
        }
        match (self.find(id).await?, row) {
            // Somebody we never knew, who is in: nobody had to decide anything.
            (Found::There(account), None) if account.approved => Ok(()),
            (Found::There(account), _) if account.is_local() => self.judge(&[*account], true).await,
            (Found::Gone, Some(row)) => self.gone(&row).await,
            // The list tells of them as well.
            (Found::Unknown, _) => Ok(()),
            _ => {
                tracing::debug!(event, "a server told of somebody whom it does not show");
                Ok(())
            }
        }
    }
}
