//! What a server pushed: judged within a second, each note once.

use std::time::Duration;

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use mastodon::AdminReport;
use serde_json::Value;
use store::webhook_events::{self, Letter, WebhookEvent};

use super::Pass;
use crate::{INBOX, gather::Shown, jobs::Room};

/// Notes claimed at a time.
const BATCH: u32 = 50;

/// Claims of a run that died are free again after this.
const CLAIM: TimeDelta = TimeDelta::minutes(2);

/// How often it looks for another note while it lingers.
const LOOK: Duration = Duration::from_millis(20);

/// One run: everything that was pushed, and what comes within a moment after.
pub(crate) async fn inbox(cx: &JobContext, room: &Room) -> Result<Summary, JobError> {
    let mut pass = Pass::begin_to_judge(cx, room).await?;
    let mut last = tokio::time::Instant::now();
    loop {
        cx.check_stop()?;
        if Box::pin(pass.take_notes()).await? {
            last = tokio::time::Instant::now();
            pass.read_rules_again().await?;
            continue;
        }
        if last.elapsed() >= room.config.inbox.linger {
            return Ok(pass.summary);
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Pass<'_> {
    /// A batch of notes; `false` when there are none.
    async fn take_notes(&mut self) -> Result<bool, JobError> {
        let now = self.now();
        let notes = webhook_events::claim(
            &self.cx.store,
            self.server(),
            INBOX,
            &self.cx.run,
            BATCH,
            now,
            now + CLAIM,
        )
        .await?;
        if notes.is_empty() {
            return Ok(false);
        }
        let (mut done, mut ended) = (Vec::with_capacity(notes.len()), Ok(()));
        for note in notes {
            ended = match self.cx.check_stop() {
                Ok(()) => Box::pin(self.take_note(&note)).await,
                Err(stopped) => Err(stopped),
            };
            if ended.is_err() {
                break;
            }
            self.summary.add("notes", 1);
            done.push(note.id);
        }
        // Together, since each of them is as good as done: whoever dies before finds them judged, and nothing to do.
        webhook_events::mark_done(&self.cx.store, &done, self.now()).await?;
        if ended.is_err() {
            // Whatever it was, the rest is free for the next run at once, and this one with it.
            webhook_events::let_go(&self.cx.store, &self.cx.run, self.now()).await?;
        }
        ended.map(|()| true)
    }

    async fn take_note(&mut self, note: &WebhookEvent) -> Result<(), JobError> {
        let object = serde_json::from_str::<Value>(&note.body)
            .ok()
            .and_then(|mut body| body.get_mut("object").map(Value::take));
        let read = match &object {
            None => None,
            Some(object) => self.read(&note.event, object).await?,
        };
        match read {
            Some(shown) => {
                for one in shown {
                    Box::pin(self.judge(one)).await?;
                }
                Ok(())
            }
            None => self.cannot_read(note).await,
        }
    }

    /// Whom a note is about; `None` where that cannot be told.
    async fn read(&mut self, event: &str, object: &Value) -> Result<Option<Vec<Shown>>, JobError> {
        Ok(match event {
            "status.created" | "status.updated" => Shown::of_status(object).map(|one| vec![one]),
            "account.created" | "account.approved" | "account.updated" => {
                self.look_for_taken_back(object).await?;
                Shown::of_account(object).map(|one| vec![one])
            }
            "report.created" | "report.updated" => match AdminReport::read(object) {
                None => None,
                Some(report) if event == "report.updated" => {
                    self.learn(&report).await?;
                    Some(Vec::new())
                }
                // What we report ourselves is no news to us.
                Some(report) if self.people.own.contains(&report.by) => Some(Vec::new()),
                Some(report) => Shown::of_account(&report.target).map(|one| vec![one.with(&report.statuses)]),
            },
            _ => Some(Vec::new()),
        })
    }

    async fn cannot_read(&mut self, note: &WebhookEvent) -> Result<(), JobError> {
        self.summary.add("unreadable", 1);
        let letter = Letter {
            id: uuid::Uuid::now_v7().to_string(),
            server: note.server.clone(),
            event: note.event.clone(),
            why: "its object is not what Mastodon sends with this event: remove the template from the webhook"
                .to_owned(),
            size: i64::try_from(note.body.len()).unwrap_or(i64::MAX),
            received_at: self.now(),
        };
        Ok(webhook_events::keep_letter(&self.cx.store, &letter).await?)
    }
}
