//! The list of those who wait: its first page every time, all of it as often as the server's paging budget allows.

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobError, Walk};
use mastodon::Cursor;
use store::applicants;

use super::{hints::Told, pass::Pass};

const JOB: &str = "registrations.pending";

/// A run that comes a moment early is still this minute's.
const EARLY: TimeDelta = TimeDelta::seconds(5);

/// Longer than any pause between two passes.
const LONG: TimeDelta = TimeDelta::minutes(15);

/// Those who are missing from the list are asked for one by one, so many in one run.
const MISSING: u32 = 50;

impl Pass<'_> {
    /// Reads the list. After hints only when it is due anyhow, so that a hint costs one request.
    pub(crate) async fn walk(&mut self, told: Told) -> Result<(), JobError> {
        let mut walk = self.load_walk().await?;
        let now = self.cx.clock.now();
        let every = TimeDelta::from_std(self.config.pending.every).unwrap_or(LONG) - EARLY;
        let is_due = |at: Option<DateTime<Utc>>| at.is_none_or(|at| now >= at);
        let polled = walk.polled_at.and_then(|at| at.checked_add_signed(every));
        if told == Told::Some && !is_due(polled) {
            return Ok(());
        }
        let unfinished = walk.is_unfinished(now);
        if !unfinished {
            walk.after = None;
        }
        let whole = unfinished || is_due(walk.next(every, self.config.pending.paging_budget));
        if whole && !unfinished {
            walk.begin(now);
        }
        if !whole || unfinished {
            // The newest, whatever the walk is at.
            self.page(&mut walk, None).await?;
        }
        if whole {
            self.walk_on(&mut walk).await?;
        }
        self.save_walk(&walk).await?;
        self.missing(&walk).await
    }

    /// Follows the list to its end, keeping the place after each page.
    async fn walk_on(&mut self, walk: &mut Walk) -> Result<(), JobError> {
        loop {
            let after = walk.after.clone().map(Cursor::stored);
            let next = self.page(walk, after.as_ref()).await?;
            walk.advance(next.map(|cursor| cursor.as_str().to_owned()));
            self.save_walk(walk).await?;
            if walk.after.is_none() {
                return Ok(());
            }
            self.hints().await?;
            self.cx.check_stop()?;
        }
    }

    /// Reads one page and judges who is on it.
    async fn page(&mut self, walk: &mut Walk, after: Option<&Cursor>) -> Result<Option<Cursor>, JobError> {
        self.cx.check_stop()?;
        let page = self.login.client.pending_accounts(after).await?;
        walk.polled_at = Some(self.cx.clock.now());
        self.summary.add("seen", page.items.len());
        self.cx.progress.advance(page.items.len() as u64);
        self.judge(&page.items, false).await?;
        Ok(page.next)
    }

    /// Whoever was not in the last whole list is in by other hands, turned away, or gone.
    async fn missing(&mut self, walk: &Walk) -> Result<(), JobError> {
        let Some(since) = walk.whole_at.filter(|_| walk.after.is_none()) else {
            return Ok(());
        };
        for row in applicants::missing(&self.cx.store, self.server(), since, MISSING).await? {
            self.cx.check_stop()?;
            self.look_at(&row).await?;
        }
        Ok(())
    }

    async fn load_walk(&self) -> Result<Walk, JobError> {
        Ok(Walk::load(&self.cx.store, JOB, self.server(), self.cx.clock.now()).await?)
    }

    async fn save_walk(&self, walk: &Walk) -> Result<(), JobError> {
        Ok(walk
            .save(&self.cx.store, JOB, self.server(), self.cx.clock.now())
            .await?)
    }
}
