//! A long list that is read in pieces: where the walk is, and when the next one may begin.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use store::{Db, cursors};

/// A walk that was left unfinished this long ago begins anew, as a rule.
const STALE: TimeDelta = TimeDelta::hours(1);

/// A time that is further ahead than this was written by a clock that was.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

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
    /// The walk of `job` in `scope`, as it stands at `now`. Whatever cannot be read begins a new one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(db: &Db, job: &str, scope: &str, now: DateTime<Utc>) -> Result<Self, store::Error> {
        let text = cursors::load(db, job, scope).await?;
        let walk: Self = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Ok(walk.put_right(now))
    }

    /// Without times that are still to come: the clock was put back since, and nobody waits until it has caught up.
    fn put_right(self, now: DateTime<Utc>) -> Self {
        let past = |at: Option<DateTime<Utc>>| at.filter(|at| *at - now <= AHEAD);
        Self {
            started_at: past(self.started_at),
            whole_at: past(self.whole_at),
            polled_at: past(self.polled_at),
            ..self
        }
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

    /// Whether it is in the middle of its list, and nobody left it there for too long.
    pub fn is_unfinished(&self, now: DateTime<Utc>) -> bool {
        let left = self.polled_at.max(self.started_at);
        self.after.is_some() && left.is_some_and(|at| now - at < STALE)
    }

    /// Pages that it may read with a cursor now, so that no quarter of an hour sees more than `budget` of them: half of
    /// them at once, and from the middle of the first quarter on as time goes.
    pub fn pages_left(&self, now: DateTime<Utc>, budget: u32) -> u32 {
        let gone = self.started_at.map_or(TimeDelta::zero(), |at| now - at);
        let earned = i64::from(budget) * gone.num_seconds().max(0) / WINDOW.num_seconds();
        let allowed = u32::try_from(earned).unwrap_or(u32::MAX).max(budget.div_ceil(2));
        // Whoever was away has not saved anything up.
        allowed.saturating_sub(self.pages).min(budget)
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
    fn no_quarter_of_an_hour_sees_more_pages_than_its_budget() {
        let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for budget in [1, 4, 60, 299] {
            let mut walk = Walk::default();
            walk.begin(begin);
            let mut read: Vec<u32> = Vec::new();
            for minute in 0..120 {
                let pages = walk.pages_left(begin + TimeDelta::minutes(minute), budget);
                walk.pages += pages;
                read.push(pages);
            }
            assert_eq!(read[0], budget.div_ceil(2));
            assert!(
                read.windows(15).all(|quarter| quarter.iter().sum::<u32>() <= budget),
                "{read:?}"
            );
            assert!(walk.pages >= budget * 7, "and it comes on: {}", walk.pages);
        }
        let away = Walk {
            started_at: Some(begin),
            ..Walk::default()
        };
        assert_eq!(away.pages_left(begin + TimeDelta::days(1), 60), 60);
    }

    #[test]
    fn a_clock_that_was_ahead_holds_up_no_walk() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ahead = now + TimeDelta::hours(3);
        let mut walk = Walk::default();
        walk.begin(ahead);
        walk.advance(None);
        walk.polled_at = Some(ahead);
        assert!(walk.next(WINDOW, 150) > Some(now + TimeDelta::hours(3)));
        let walk = walk.put_right(now);
        assert_eq!((walk.next(WINDOW, 150), walk.polled_at), (None, None));
        assert!(!walk.is_unfinished(now));
        let mut walk = Walk::default();
        walk.begin(now);
        walk.advance(Some("max_id=7".into()));
        assert_eq!(walk.clone().put_right(now), walk);
    }

    #[test]
    fn a_walk_knows_where_it_is() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut walk = Walk::default();
        walk.begin(now);
        walk.advance(Some("max_id=7".into()));
        assert!(walk.is_unfinished(now) && !walk.is_unfinished(now + STALE));
        walk.polled_at = Some(now + STALE);
        assert!(walk.is_unfinished(now + STALE), "a long one goes on for hours");
        walk.advance(Some("max_id=3".into()));
        walk.advance(None);
        assert_eq!((walk.pages, walk.cost, walk.whole_at), (2, 2, Some(now)));
        assert!(!walk.is_unfinished(now));
    }
}
