//! What an archive lacked, by place: found where a list is read anew because its server counts more than is kept.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError, Login};
use serde::{Deserialize, Serialize};
use store::{
    archive::{self, Item},
    cursors,
};

/// Whose state in the store it is.
pub(super) const STATE: &str = "archive.gaps";

/// More gaps are counted, but not named: something else is wrong then.
const MOST: usize = 100;

/// Neighbours in a list that were not kept, though what is around them was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// How many.
    pub count: u64,
    /// When the oldest of them was written or boosted.
    pub from: DateTime<Utc>,
    /// When the newest was.
    pub until: DateTime<Utc>,
    /// The oldest's id at its server.
    pub first_id: String,
    /// The newest's.
    pub last_id: String,
}

/// The gaps that a reading finds, newest first.
pub(super) struct Gaps {
    found: Vec<Gap>,
    /// Whether something that is kept was met: what is above it came since the last reading, and is no gap.
    met: bool,
    /// Whether the last item that was seen lies in the last gap.
    open: bool,
    /// Whether this page may have been looked at before, and not been saved.
    repeats: bool,
}

impl Gaps {
    /// Of a walk that begins, or goes on.
    pub(super) async fn of_walk(cx: &JobContext, login: &Login, goes_on: bool) -> Result<Self, JobError> {
        let found = if goes_on {
            load(&cx.store, &login.name).await?
        } else {
            Vec::new()
        };
        if !goes_on {
            cursors::delete(&cx.store, STATE, &login.name).await?;
        }
        Ok(Self {
            found,
            met: goes_on,
            open: false,
            repeats: goes_on,
        })
    }

    /// Looks at a page before it is saved.
    pub(super) async fn look(&mut self, cx: &JobContext, login: &Login, items: &[Item]) -> Result<(), JobError> {
        let uris: Vec<String> = items.iter().map(|item| item.uri.clone()).collect();
        let own = archive::own(&cx.store, &login.name, &uris).await?;
        let before = self.found.clone();
        self.add(items, &own);
        self.repeats = false;
        if self.found != before {
            // Before the page: once that is saved, nothing is missing any more.
            let text = serde_json::to_string(&self.found).unwrap_or_default();
            cursors::save(&cx.store, STATE, &login.name, &text, cx.clock.now()).await?;
        }
        Ok(())
    }

    fn add(&mut self, items: &[Item], own: &HashSet<(String, String)>) {
        for item in items {
            let Some(activity) = item
                .activities
                .iter()
                .find(|one| one.kind == "post" || one.kind == "boost")
            else {
                continue;
            };
            if own.contains(&(item.uri.clone(), activity.kind.clone())) {
                (self.met, self.open) = (true, false);
                continue;
            }
            if !self.met {
                continue;
            }
            let at = activity.at.unwrap_or(item.created_at);
            let id = activity.activity_id.clone().unwrap_or_else(|| item.server_id.clone());
            let full = self.found.len() >= MOST;
            let last = self.found.last_mut();
            if last.as_ref().is_some_and(|gap| self.repeats && gap.from <= at) {
                self.open = true;
                continue;
            }
            match last.filter(|_| self.open) {
                Some(gap) => {
                    gap.count += 1;
                    (gap.from, gap.first_id) = (at, id);
                }
                None if full => continue,
                None => self.found.push(Gap {
                    count: 1,
                    from: at,
                    until: at,
                    first_id: id.clone(),
                    last_id: id,
                }),
            }
            self.open = true;
        }
    }

    /// Says in the log where gaps were, and gives how many.
    pub(super) fn tell(&self, login: &Login) -> usize {
        for gap in &self.found {
            tracing::warn!(
                login = login.name,
                count = gap.count,
                from = %gap.from,
                until = %gap.until,
                first_id = gap.first_id,
                last_id = gap.last_id,
                "{} statuses of {} to {} were missing and are kept now",
                gap.count,
                gap.from.format("%Y-%m-%d %H:%M"),
                gap.until.format("%Y-%m-%d %H:%M")
            );
        }
        self.found.len()
    }
}

/// The gaps that the last reading found.
pub(super) async fn load(db: &store::Db, login: &str) -> Result<Vec<Gap>, store::Error> {
    let text = cursors::load(db, STATE, login).await?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use store::archive::NewActivity;

    use super::*;

    fn item(n: i64) -> Item {
        Item {
            uri: n.to_string(),
            server_id: n.to_string(),
            created_at: DateTime::from_timestamp(n, 0).unwrap(),
            activities: vec![NewActivity {
                kind: "post".into(),
                ..NewActivity::default()
            }],
            ..Item::default()
        }
    }

    #[test]
    fn neighbours_that_are_missing_are_one_gap_and_what_is_new_is_none() {
        let kept = [20, 17, 14, 13, 10].map(|n: i64| (n.to_string(), "post".to_owned()));
        let own = HashSet::from(kept);
        let mut gaps = Gaps {
            found: Vec::new(),
            met: false,
            open: false,
            repeats: false,
        };
        // Pages of three, newest first.
        for page in [
            [22, 21, 20],
            [19, 18, 17],
            [16, 15, 14],
            [13, 12, 11],
            [10, 9, 8],
            [7, 6, 5],
        ] {
            gaps.add(&page.map(item), &own);
        }
        let found: Vec<_> = gaps
            .found
            .iter()
            .map(|gap| (gap.count, gap.first_id.as_str(), gap.last_id.as_str()))
            .collect();
        assert_eq!(
            found,
            [(2, "18", "19"), (2, "15", "16"), (2, "11", "12"), (5, "5", "9")]
        );
        // Killed before the last page but one was saved.
        gaps.repeats = true;
        gaps.add(&[10, 9, 8].map(item), &own);
        assert_eq!(gaps.found.len(), 4);
        assert_eq!(gaps.found[3].count, 5);
    }
}
