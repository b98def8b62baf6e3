//! The list of those who wait: its first page every time, all of it as often as the server's paging budget allows.

use chrono::{DateTime, TimeDelta, Utc};
use job::JobError;
use mastodon::Cursor;
use serde::{Deserialize, Serialize};
use store::{applicants, cursors};

use super::{hints::Told, pass::Pass};

const JOB: &str = "registrations.pending";

/// A walk that was left unfinished this long ago begins anew.
const STALE: TimeDelta = TimeDelta::hours(1);

/// Servers count requests with a cursor in windows of this length.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Those who are missing from the list are asked for one by one, so many in one run.
const MISSING: u32 = 50;

/// How far the walk of a server has come; kept with each page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Walk {
    /// When the walk began.
    started_at: Option<DateTime<Utc>>,
    /// Where it goes on; `None` between two walks.
    after: Option<String>,
    /// Pages that it read with a cursor.
    pages: u32,
    /// When the last whole walk began, and what it cost.
    whole_at: Option<DateTime<Utc>>,
    cost: u32,
    /// When a page was last read.
    polled_at: Option<DateTime<Utc>>,
}

impl Walk {
    /// When the next whole walk may begin, so that its pages fit into the budget.
    fn next(&self, every: TimeDelta, budget: u32) -> Option<DateTime<Utc>> {
        let pause =
            WINDOW * i32::try_from(self.cost).unwrap_or(i32::MAX) / i32::try_from(budget.max(1)).unwrap_or(i32::MAX);
        self.whole_at?.checked_add_signed(pause.max(every))
    }
}

impl Pass<'_> {
    /// Reads the list. After hints only when it is due anyhow, so that a hint costs one request.
    pub(crate) async fn walk(&mut self, told: Told) -> Result<(), JobError> {
        let mut walk = self.load_walk().await?;
        let now = self.cx.clock.now();
        // A run that comes a moment early is still this minute's.
        let every = TimeDelta::from_std(self.config.pending.every).unwrap_or(WINDOW) - TimeDelta::seconds(5);
        let is_due = |at: Option<DateTime<Utc>>| at.is_none_or(|at| now >= at);
        let polled = walk.polled_at.and_then(|at| at.checked_add_signed(every));
        if told == Told::Some && !is_due(polled) {
            return Ok(());
        }
        let unfinished = walk.after.is_some() && walk.started_at.is_some_and(|at| now - at < STALE);
        if !unfinished {
            walk.after = None;
        }
        let whole = unfinished || is_due(walk.next(every, self.config.pending.paging_budget));
        if whole && !unfinished {
            (walk.started_at, walk.pages) = (Some(now), 0);
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
            let after = walk.after.take().map(Cursor::stored);
            walk.pages += u32::from(after.is_some());
            let next = self.page(walk, after.as_ref()).await?;
            walk.after = next.map(|cursor| cursor.as_str().to_owned());
            if walk.after.is_none() {
                (walk.whole_at, walk.cost) = (walk.started_at, walk.pages);
            }
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
            match self.read(&row.account_id).await? {
                Some(account) => self.judge(&[account], true).await?,
                None => self.gone(&row).await?,
            }
        }
        Ok(())
    }

    async fn load_walk(&self) -> Result<Walk, JobError> {
        let text = cursors::load(&self.cx.store, JOB, self.server()).await?;
        // Whatever cannot be read begins a new walk.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    async fn save_walk(&self, walk: &Walk) -> Result<(), JobError> {
        let text = serde_json::to_string(walk).unwrap_or_default();
        cursors::save(&self.cx.store, JOB, self.server(), &text, self.cx.clock.now()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_keep_to_the_budget() {
        let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let after = |cost: u32, budget: u32| {
            let walk = Walk {
                whole_at: Some(begin),
                cost,
                ..Walk::default()
            };
            walk.next(TimeDelta::seconds(55), budget).unwrap() - begin
        };
        assert_eq!(after(0, 150), TimeDelta::seconds(55));
        assert_eq!(after(9, 150), TimeDelta::seconds(55));
        assert_eq!(
            after(49, 150),
            TimeDelta::seconds(294),
            "10,000 applicants: 49 pages with a cursor every 5 minutes"
        );
        assert_eq!(after(150, 150), WINDOW);
        assert_eq!(Walk::default().next(WINDOW, 150), None);
    }
}
