//! How many statuses are wanted, arrived, given up, and what each run cost. Counting a million rows takes longer than a
//! page may, so pages show the last count while the next one is made; what runs cost is read once for all who look.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use store::{
    Db,
    job_runs::{Cost, Whose},
    wanted::{self, State},
};

use crate::rights::Servers;

/// A count younger than this is as good as new.
const FRESH: Duration = Duration::from_secs(5);

/// One older than this is not shown: somebody comes back after a while and wants to know what is.
const STALE: Duration = Duration::from_secs(300);

/// Counts by server and state.
type Rows = Arc<[(String, State, i64)]>;

/// The last count. Clone it freely.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Inner>);

/// Costs of runs, and when they were read; `None` for everybody's runs.
type Costs = (Option<Whose>, Instant, Arc<[Cost]>);

/// Readers with different reach whose costs are kept.
const REACHES: usize = 32;

#[derive(Debug, Default)]
struct Inner {
    last: Mutex<Option<(Instant, Rows)>>,
    counting: AtomicBool,
    costs: Mutex<Vec<Costs>>,
}

impl Counts {
    /// The sum over these servers and over the given states.
    pub(crate) async fn of(&self, db: &Db, servers: &Servers, states: &[State]) -> Result<i64, store::Error> {
        let rows = self.rows(db).await?;
        let fits = |row: &&(String, State, i64)| servers.has(&row.0) && states.contains(&row.1);
        let fitting = rows.iter().filter(fits);
        Ok(fitting.map(|(.., count)| count).sum())
    }

    /// What runs cost, if it was read a moment ago.
    pub(crate) fn costs(&self, whose: Option<&Whose>) -> Option<Arc<[Cost]>> {
        let kept = self.0.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept
            .iter()
            .find(|(of, at, _)| of.as_ref() == whose && at.elapsed() < FRESH);
        found.map(|(.., costs)| costs.clone())
    }

    /// Keeps it for those who look in the next moment.
    pub(crate) fn keep_costs(&self, whose: Option<Whose>, costs: Arc<[Cost]>) {
        let mut kept = self.0.costs.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, at, _)| *of != whose && at.elapsed() < FRESH);
        if kept.len() < REACHES {
            kept.push((whose, Instant::now(), costs));
        }
    }

    async fn rows(&self, db: &Db) -> Result<Rows, store::Error> {
        let last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match last {
            Some((at, rows)) if at.elapsed() < FRESH => Ok(rows),
            Some((at, rows)) if at.elapsed() < STALE => {
                if !self.0.counting.swap(true, Ordering::SeqCst) {
                    let (this, db) = (self.clone(), db.clone());
                    tokio::spawn(async move {
                        // What fails here fails again where somebody waits for it.
                        let _ = this.count(&db).await;
                        this.0.counting.store(false, Ordering::SeqCst);
                    });
                }
                Ok(rows)
            }
            _ => self.count(db).await,
        }
    }

    async fn count(&self, db: &Db) -> Result<Rows, store::Error> {
        let rows: Rows = wanted::counts(db).await?.into();
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), rows.clone()));
        Ok(rows)
    }
}
