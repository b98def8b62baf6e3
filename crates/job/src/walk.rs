//! A long list that is read in pieces: where the walk is, and when the next one may begin.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use store::{Db, cursors};

/// A walk that was left unfinished this long ago begins anew, as a rule.
const STALE: TimeDelta = TimeDelta::hours(1);

/// Servers count requests with a cursor in windows of this length.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How far the walk through a list has come; kept with each page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Walk {
    /// When the walk began.
    pub started_at: Option<DateTime<Utc>>,
    /// Where it goes on; `None` between two walks.
    pub after: Option<String>,
    /// Pages that it read with a cursor.
    pub pages: u32,
    /// When the last whole walk began.
    pub whole_at: Option<DateTime<Utc>>,
    /// Pages that the last whole walk read with a cursor.
    pub cost: u32,
    /// When a page was last read.
    pub polled_at: Option<DateTime<Utc>>,
}

impl Walk {
    /// The walk of `job` in `scope`. Whatever cannot be read begins a new one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(db: &Db, job: &str, scope: &str) -> Result<Self, store::Error> {
        let text = cursors::load(db, job, scope).await?;
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn save(&self, db: &Db, job: &str, scope: &str, now: DateTime<Utc>) -> Result<(), store::Error> {
        let text = serde_json::to_string(self).unwrap_or_default();
        cursors::save(db, job, scope, &text, now).await
    }

    /// When the next whole walk may begin, so that its pages fit into `budget` of them in a quarter of an hour.
    pub fn next(&self, every: TimeDelta, budget: u32) -> Option<DateTime<Utc>> {
        let pause =
            WINDOW * i32::try_from(self.cost).unwrap_or(i32::MAX) / i32::try_from(budget.max(1)).unwrap_or(i32::MAX);
        self.whole_at?.checked_add_signed(pause.max(every))
    }

    /// Whether it is in the middle of its list, and not for too long.
    pub fn is_unfinished(&self, now: DateTime<Utc>) -> bool {
        self.after.is_some() && self.started_at.is_some_and(|at| now - at < STALE)
    }

    /// Begins anew.
    pub fn begin(&mut self, now: DateTime<Utc>) {
        (self.started_at, self.pages, self.after) = (Some(now), 0, None);
    }

    /// A page was read, and the next one begins at `next`.
    pub fn advance(&mut self, next: Option<String>) {
        self.pages += u32::from(self.after.is_some());
        self.after = next;
        if self.after.is_none() {
            (self.whole_at, self.cost) = (self.started_at, self.pages);
        }
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

    #[test]
    fn a_walk_knows_where_it_is() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut walk = Walk::default();
        walk.begin(now);
        walk.advance(Some("max_id=7".into()));
        assert!(walk.is_unfinished(now) && !walk.is_unfinished(now + STALE));
        walk.advance(Some("max_id=3".into()));
        walk.advance(None);
        assert_eq!((walk.pages, walk.cost, walk.whole_at), (2, 2, Some(now)));
        assert!(!walk.is_unfinished(now));
    }
}
