//! Work that is done while a lease is held.

use std::time::Duration;

use chrono::DateTime;
use job::while_held;
use model::{Clock as _, FakeClock};
use store::{
    Db,
    leases::{self, Lease},
};

const LASTS: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(60);

async fn take(db: &Db, clock: &FakeClock, name: &str, holder: &str) -> Lease {
    let taken = leases::take(db, name, holder, LASTS, clock.now()).await;
    taken.unwrap().unwrap()
}

#[tokio::test]
async fn work_that_writes_and_the_renewal_do_not_wait_for_each_other() {
    let (db, _folder) = store::testing::sqlite().await;
    let clock = FakeClock::at(DateTime::UNIX_EPOCH);
    let both = async {
        // On a machine that does nothing else for a moment the lease runs out, as it must.
        loop {
            let lease = take(&db, &clock, "work", "this").await;
            let writes = async {
                for n in 0..300 {
                    take(&db, &clock, &format!("row {n}"), "this").await;
                }
            };
            if while_held(&db, &clock, &lease, LASTS, writes).await.is_some() {
                return;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, both).await, Ok(()));
}

#[tokio::test]
async fn work_ends_when_another_has_the_lease() {
    let (db, _folder) = store::testing::sqlite().await;
    let clock = FakeClock::at(DateTime::UNIX_EPOCH);
    let lease = take(&db, &clock, "work", "this").await;
    leases::release(&db, &lease).await.unwrap();
    take(&db, &clock, "work", "another").await;
    let never = std::future::pending::<()>();
    let done = tokio::time::timeout(PATIENCE, while_held(&db, &clock, &lease, LASTS, never)).await;
    assert_eq!(done, Ok(None));
}

/// A database that does not answer says nothing of who has the lease: once it has run out, somebody else may.
#[tokio::test]
async fn work_ends_with_its_lease_where_the_renewal_hangs() {
    let (db, folder) = store::testing::sqlite().await;
    let clock = FakeClock::at(DateTime::UNIX_EPOCH);
    let lease = take(&db, &clock, "work", "this").await;
    let url = format!("sqlite://{}", folder.path().join("egret.db").display());
    let kept_by_others = store::testing::trouble(&url, Duration::from_secs(4));
    let done = while_held(&db, &clock, &lease, LASTS, kept_by_others).await;
    assert_eq!(done, None);
}
