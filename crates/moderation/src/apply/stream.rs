//! The public timeline as it flows: for statuses of other servers, which no webhook tells of.
//!
//! A stream does not repeat what was missed, so each connection begins where the last one stopped, with the timeline.

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use mastodon::{Cursor, streaming::Heard};
use serde_json::Value;
use store::cursors;

use super::Pass;
use crate::{gather::Shown, jobs::Room};

const JOB: &str = "moderation.stream";

/// Pages of the timeline read to catch up, from the place of before on; what lies between them and now is for the walk
/// through accounts.
const MOST_PAGES: usize = 5;

/// A run ends by itself after this, so that it shows in the record; the next one goes on where it was.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// One run: what was missed, then the stream, for an hour.
pub(crate) async fn stream(cx: &JobContext, room: &Room) -> Result<Summary, JobError> {
    let mut pass = Pass::begin_to_judge(cx, room).await?;
    let remote = room.config.stream.remote;
    // What arrives while we catch up waits in the stream.
    let mut stream = cx.login()?.client.public_stream(remote).await?;
    Box::pin(pass.catch_up(remote)).await?;
    let until = pass.now() + LONGEST;
    loop {
        let heard = tokio::select! {
            () = cx.stop.cancelled() => return Err(JobError::Stopped),
            heard = stream.next() => heard?,
        };
        if let Heard::Status(status) = heard {
            pass.summary.add("heard", 1);
            Box::pin(pass.hear(&status)).await?;
            pass.read_rules_again().await?;
        }
        if pass.now() >= until {
            return Ok(pass.summary);
        }
    }
}

impl Pass<'_> {
    async fn catch_up(&mut self, remote: bool) -> Result<(), JobError> {
        let Some(mut last) = cursors::load(&self.cx.store, JOB, self.server()).await? else {
            // From here on. What stands there already is for the walk.
            let newest = self.login.client.public_timeline(remote, None).await?;
            return match newest.items.first() {
                Some(newest) => self.remember_place(newest).await,
                None => Ok(()),
            };
        };
        for _ in 0..MOST_PAGES {
            self.cx.check_stop()?;
            let page = self
                .login
                .client
                .public_timeline(remote, Some(&Cursor::above(&last)))
                .await?;
            let Some(newest) = page.items.first() else {
                return Ok(());
            };
            for status in page.items.iter().rev() {
                Box::pin(self.hear(status)).await?;
            }
            let id = newest["id"].as_str().unwrap_or_default().to_owned();
            self.remember_place(newest).await?;
            if id == last {
                return Ok(());
            }
            last = id;
        }
        Ok(())
    }

    async fn hear(&mut self, status: &Value) -> Result<(), JobError> {
        if let Some(shown) = Shown::of_status(status) {
            Box::pin(self.judge(shown)).await?;
        }
        self.remember_place(status).await
    }

    async fn remember_place(&self, status: &Value) -> Result<(), JobError> {
        match status["id"].as_str() {
            // An edit of an old status is no place to go on from.
            Some(id) if status["edited_at"].is_null() => {
                Ok(cursors::save(&self.cx.store, JOB, self.server(), id, self.now()).await?)
            }
            _ => Ok(()),
        }
    }
}
