//! Work that is done while a lease of this process is held.

use std::{future::Future, time::Duration};

use store::leases::Lease;

use crate::doors::Doors;

/// [`job::while_held`] with the doors of this process.
pub(crate) async fn while_held<T>(
    doors: &Doors,
    lease: &Lease,
    lasts: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    job::while_held(&doors.store, &*doors.clock, lease, lasts, work).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use job::{Board, Ledger};
    use model::FakeClock;
    use store::leases;

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
