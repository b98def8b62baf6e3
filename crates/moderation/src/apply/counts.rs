//! What was posted lately, for rules that count: kept in memory and fed from the store, where all processes write down what
//! they saw. So a count outlives a restart, and replicas agree on it within moments, without a query for each status.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use job::JobError;
use rules::{Counter, Memory, StatusFacts};
use store::seen;

use super::Pass;

/// Statuses that rules look back on, at most.
pub(crate) const MOST: usize = 100_000;

/// What others saw is read no oftener.
const EVERY: TimeDelta = TimeDelta::seconds(1);

/// And read again so far back: their clocks may differ, and what they wrote may have taken a while to be there.
const OVERLAP: TimeDelta = TimeDelta::seconds(15);

/// Rows read at a time.
const PAGE: u32 = 1000;

/// What counts of one server.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) memory: Memory,
    /// What it was made for: other rules may count other things, or further back.
    counters: BTreeSet<Counter>,
    /// When it was last read what others saw.
    read_at: DateTime<Utc>,
    /// Whether all of it was read once.
    is_whole: bool,
}

/// Whoever begins to read it all is done after this, or gave up.
const LOADING: TimeDelta = TimeDelta::minutes(2);

impl Pass<'_> {
    /// Brings what counts up to date. Read from the store is everything once, and from then on what others saw.
    pub(crate) async fn remember(&self) -> Result<(), JobError> {
        let counters = self.rules.ruleset.counters();
        let now = self.now();
        let known = {
            let mut servers = self.house.servers();
            let known = servers.entry(self.server().to_owned()).or_default();
            if counters.is_empty() {
                known.counts = None;
                return Ok(());
            }
            let counts = known.counts.as_ref().filter(|counts| counts.counters == *counters);
            counts.map(|counts| (counts.read_at, counts.is_whole))
        };
        match known {
            Some((read_at, true)) if now - read_at < EVERY && now >= read_at => Ok(()),
            Some((read_at, true)) => {
                self.read_counts(read_at - OVERLAP, Some(&self.house.id), now).await?;
                self.read_counts_at(now);
                Ok(())
            }
            // Another job is at it; until it is done there are fewer.
            Some((begun, false)) if now - begun < LOADING && now >= begun => Ok(()),
            _ => {
                let longest = counters.iter().map(|counter| counter.window).max().unwrap_or_default();
                let since = TimeDelta::from_std(longest)
                    .ok()
                    .and_then(|longest| now.checked_sub_signed(longest))
                    .unwrap_or(DateTime::<Utc>::MIN_UTC);
                let newest = seen::counted_since(&self.cx.store, self.server(), MOST).await?;
                // In place before it is read: what other jobs of this process see meanwhile is not missed.
                self.house.servers().entry(self.server().to_owned()).or_default().counts = Some(Counts {
                    memory: Memory::of(counters, MOST),
                    counters: counters.clone(),
                    read_at: now,
                    is_whole: false,
                });
                let since = newest.map_or(since, |newest| newest.max(since));
                let read = self.read_counts(since, None, now).await;
                match read {
                    Ok(()) => self.read_counts_at(now),
                    // The next one begins anew.
                    Err(_) => {
                        self.house.servers().entry(self.server().to_owned()).or_default().counts = None;
                    }
                }
                read
            }
        }
    }

    fn read_counts_at(&self, now: DateTime<Utc>) {
        let mut servers = self.house.servers();
        if let Some(counts) = servers.get_mut(self.server()).and_then(|known| known.counts.as_mut()) {
            (counts.read_at, counts.is_whole) = (now, true);
        }
    }

    async fn read_counts(
        &self,
        since: DateTime<Utc>,
        except: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), JobError> {
        let mut after: Option<(DateTime<Utc>, String)> = None;
        loop {
            let from = after.as_ref().map(|(at, id)| (*at, id.as_str()));
            let page = seen::counted(&self.cx.store, self.server(), except, since, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some((last.seen_at, last.status_id.clone()));
            let is_last = page.len() < PAGE as usize;
            {
                let mut servers = self.house.servers();
                let counts = servers.get_mut(self.server()).and_then(|known| known.counts.as_mut());
                let Some(counts) = counts else { return Ok(()) };
                for row in page {
                    if let Ok(status) = serde_json::from_value::<StatusFacts>(row.facts) {
                        counts.memory.note(&row.acct, &status, row.seen_at.min(now));
                    }
                }
            }
            if is_last {
                return Ok(());
            }
            self.cx.check_stop()?;
            tokio::task::yield_now().await;
        }
    }
}
