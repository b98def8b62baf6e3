//! Work that is done while a lease is held.

use std::{future::Future, time::Duration};

use store::leases::{self, Lease};
use tokio::time::{Instant, MissedTickBehavior};
use tracing::warn;

use crate::{doors::Doors, logins::chain};

/// Does the work, and says three times in every `lasts` that the lease is still wanted. Nothing when the lease went to
/// another, or could not be renewed before it ran out: the work is dropped then.
pub(crate) async fn while_held<T>(
    doors: &Doors,
    lease: &Lease,
    lasts: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    // Beside the work and never instead of it: work that waits with a connection of the store in hand would keep the
    // renewal waiting for that connection, and itself for the renewal.
    let lost = async {
        let mut kept = Instant::now();
        let mut renew = tokio::time::interval_at(kept + lasts / 3, lasts / 3);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            renew.tick().await;
            match leases::take(&doors.store, &lease.name, &doors.holder, lasts, doors.clock.now()).await {
                Ok(Some(renewed)) if renewed.fence == lease.fence => kept = Instant::now(),
                Ok(_) => return,
                Err(error) => {
                    warn!(lease = lease.name, error = %chain(&error), "cannot renew a lease");
                    if kept.elapsed() >= lasts {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        done = work => Some(done),
        () = lost => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use job::{Board, Ledger};
    use model::FakeClock;

    use super::*;

    const LASTS: Duration = Duration::from_millis(6);

    async fn doors() -> (Doors, tempfile::TempDir) {
        let (store, folder) = store::testing::sqlite().await;
        let clock = Arc::new(FakeClock::at(DateTime::UNIX_EPOCH));
        let doors = Doors {
            ledger: Ledger::new(store.clone(), clock.clone()),
            store,
            board: Board::default(),
            holder: "this".into(),
            clock,
        };
        (doors, folder)
    }

    async fn take(doors: &Doors, name: &str) -> Lease {
        let taken = leases::take(&doors.store, name, &doors.holder, LASTS, doors.clock.now()).await;
        taken.unwrap().unwrap()
    }

    #[tokio::test]
    async fn work_that_writes_and_the_renewal_do_not_wait_for_each_other() {
        let (doors, _folder) = doors().await;
        let lease = take(&doors, "work").await;
        let writes = async {
            for n in 0..300 {
                take(&doors, &format!("row {n}")).await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(30), while_held(&doors, &lease, LASTS, writes)).await;
        assert_eq!(done, Ok(Some(())));
    }

    #[tokio::test]
    async fn work_ends_when_another_has_the_lease() {
        let (doors, _folder) = doors().await;
        let lease = take(&doors, "work").await;
        leases::release(&doors.store, &lease).await.unwrap();
        let taken = leases::take(
            &doors.store,
            "work",
            "another",
            Duration::from_secs(60),
            doors.clock.now(),
        )
        .await;
        assert!(taken.unwrap().is_some());
        let never = std::future::pending::<()>();
        let done = tokio::time::timeout(Duration::from_secs(30), while_held(&doors, &lease, LASTS, never)).await;
        assert_eq!(done, Ok(None));
    }
}
