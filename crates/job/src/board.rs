//! What runs and what is due, for pages and commands: a handle that the runner fills.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use net::{Budget, Net};
use serde::Serialize;
use tokio::sync::Notify;

/// A job and scope as they stand now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Live {
    /// `feature.noun`.
    pub job: String,
    /// As in `job_runs`.
    pub scope: String,
    /// In words: `every 10m`, `*/5 * * * * Europe/Berlin`.
    pub schedule: String,
    /// When it is due; `None` while running, paused, resting or off.
    pub due_at: Option<DateTime<Utc>>,
    /// Since when it runs.
    pub running_since: Option<DateTime<Utc>>,
    /// Progress of the run: done, of, what. [`Board::list`] takes it from the handle given to [`Board::follow`].
    pub progress: Option<(u64, Option<u64>, String)>,
    /// Paused by somebody.
    pub paused: bool,
    /// Why it rests until the config is reloaded or mended.
    pub rests: Option<String>,
}

/// What runs and what is due. Clone it freely.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<BoardState>);

#[derive(Debug, Default)]
struct BoardState {
    rows: Mutex<BTreeMap<Key, Row>>,
    nudge: Notify,
    net: Mutex<Option<Net>>,
}

/// Job and scope.
type Key = (String, String);

#[derive(Debug)]
struct Row {
    live: Live,
    run: Option<Progress>,
}

impl Board {
    /// All jobs and scopes, by name, with the progress of this moment.
    pub fn list(&self) -> Vec<Live> {
        self.rows()
            .values()
            .map(|row| {
                let mut live = row.live.clone();
                if live.running_since.is_some()
                    && let Some(run) = &row.run
                {
                    live.progress = Some(run.get());
                }
                live
            })
            .collect()
    }

    /// Puts or replaces one entry; one that no longer runs loses its progress. For the runner.
    pub fn put(&self, live: Live) {
        let key = (live.job.clone(), live.scope.clone());
        let mut rows = self.rows();
        let run = rows
            .remove(&key)
            .and_then(|row| row.run)
            .filter(|_| live.running_since.is_some());
        rows.insert(key, Row { live, run });
    }

    /// Shows the progress of the run that [`Board::put`] announced, from now on, as it moves. For the runner.
    pub fn follow(&self, job: &str, scope: &str, progress: Progress) {
        if let Some(row) = self.rows().get_mut(&(job.to_owned(), scope.to_owned())) {
            row.run = Some(progress);
        }
    }

    /// Replaces all entries; the progress of what still runs is kept. For the runner, at a reload.
    pub fn reset(&self, lives: Vec<Live>) {
        let mut rows = self.rows();
        let mut before = std::mem::take(&mut *rows);
        for live in lives {
            let key = (live.job.clone(), live.scope.clone());
            let run = before
                .remove(&key)
                .and_then(|row| row.run)
                .filter(|_| live.running_since.is_some());
            rows.insert(key, Row { live, run });
        }
    }

    /// Asks the runner to look now at what is due, after a `wake` was written to the store. Kept until it looks.
    pub fn nudge(&self) {
        self.0.nudge.notify_one();
    }

    /// Waits for the next nudge. For the runner.
    pub async fn nudged(&self) {
        self.0.nudge.notified().await;
    }

    /// Shows the budgets of this door from now on. For the runner.
    pub fn watch(&self, net: Net) {
        *self.0.net.lock().unwrap_or_else(PoisonError::into_inner) = Some(net);
    }

    /// What is left of each login's budget of requests; empty before a login asked anything.
    pub fn budgets(&self) -> Vec<Budget> {
        let net = self.0.net.lock().unwrap_or_else(PoisonError::into_inner).clone();
        net.map(|net| net.budgets()).unwrap_or_default()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<Key, Row>> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a run is. Clone it freely: all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    done: u64,
    of: Option<u64>,
    what: String,
}

impl Progress {
    /// What is being done, and out of how many. Starts counting anew.
    pub fn begin(&self, what: &str, of: Option<u64>) {
        *self.steps() = Steps {
            done: 0,
            of,
            what: what.to_owned(),
        };
    }

    /// One more (or several) done.
    pub fn advance(&self, by: u64) {
        let mut steps = self.steps();
        steps.done = steps.done.saturating_add(by);
    }

    /// Done, of, what.
    pub fn get(&self) -> (u64, Option<u64>, String) {
        let steps = self.steps();
        (steps.done, steps.of, steps.what.clone())
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(job: &str, running: bool) -> Live {
        Live {
            job: job.to_owned(),
            scope: "a.example/me".to_owned(),
            schedule: "every 10m".to_owned(),
            due_at: None,
            running_since: running.then_some(DateTime::UNIX_EPOCH),
            progress: None,
            paused: false,
            rests: None,
        }
    }

    #[test]
    fn progress_is_seen_live_and_goes_with_the_run() {
        let (board, progress) = (Board::default(), Progress::default());
        board.put(live("replies.home", true));
        board.follow("replies.home", "a.example/me", progress.clone());
        progress.begin("threads", Some(40));
        progress.advance(3);
        assert_eq!(board.list()[0].progress, Some((3, Some(40), "threads".to_owned())));
        board.reset(vec![live("replies.lists", false), live("replies.home", true)]);
        progress.advance(1);
        assert_eq!(board.list()[0].progress, Some((4, Some(40), "threads".to_owned())));
        board.put(live("replies.home", false));
        assert_eq!(board.list()[0].progress, None);
        assert_eq!(board.list().len(), 2);
    }

    #[tokio::test]
    async fn a_nudge_waits_for_the_runner() {
        let board = Board::default();
        board.nudge();
        board.nudge();
        board.nudged().await;
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(5), board.nudged());
        assert!(waiting.await.is_err(), "two nudges in a row are one look");
    }
}
