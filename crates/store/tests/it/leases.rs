//! One owner at a time.

use std::time::Duration;

use store::{
    Db,
    leases::{self, Lease},
    testing::on_each_engine,
};

use crate::{minute, start};

const MINUTE: Duration = Duration::from_secs(60);

async fn take(db: &Db, holder: &str, at: i64) -> Option<Lease> {
    leases::take(db, "replies.home/s", holder, MINUTE, minute(at))
        .await
        .unwrap()
}

/// Lets the lease run out on the clock that decides: Postgres' own stands still for nobody.
async fn expire(db: &Db) {
    if let Db::Postgres(pool) = db {
        let sql = "UPDATE leases SET expires_at = clock_timestamp() - make_interval(secs => 1)";
        sqlx::query(sql).execute(pool).await.unwrap();
    }
}

#[tokio::test]
async fn a_lease_has_one_holder_who_may_renew() {
    on_each_engine(async |db| {
        let first = take(&db, "a", 0).await.unwrap();
        assert_eq!(
            (first.name.as_str(), first.holder.as_str(), first.fence),
            ("replies.home/s", "a", 1)
        );
        assert_eq!(take(&db, "b", 0).await, None);
        let again = take(&db, "a", 0).await.unwrap();
        assert_eq!(again.fence, 1);
        assert!(again.expires_at >= first.expires_at);
        assert!(leases::holds(&db, &again, start()).await.unwrap());
        let load = async |name: &str| leases::load(&db, name, start()).await.unwrap();
        assert_eq!(load("replies.home/s").await.as_ref(), Some(&again));
        assert_eq!(load("replies.home/t").await, None);
        assert_eq!(leases::list(&db, start()).await.unwrap(), [again]);
    })
    .await;
}

#[tokio::test]
async fn a_dead_owners_lease_is_taken_over_with_a_higher_fence() {
    on_each_engine(async |db| {
        let old = take(&db, "a", 0).await.unwrap();
        expire(&db).await;
        assert!(!leases::holds(&db, &old, minute(1)).await.unwrap());
        assert_eq!(leases::list(&db, minute(1)).await.unwrap(), []);
        let new = take(&db, "b", 1).await.unwrap();
        assert_eq!(new.fence, 2);
        // The old owner wakes up: it cannot renew, and giving back what it no longer has changes nothing.
        assert_eq!(take(&db, "a", 1).await, None);
        leases::release(&db, &old).await.unwrap();
        assert!(leases::holds(&db, &new, minute(1)).await.unwrap());
        assert!(!leases::holds(&db, &old, minute(1)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_late_renewal_keeps_its_fence_when_nobody_came_between() {
    on_each_engine(async |db| {
        take(&db, "a", 0).await.unwrap();
        expire(&db).await;
        assert_eq!(take(&db, "a", 5).await.unwrap().fence, 1);
    })
    .await;
}

#[tokio::test]
async fn a_lease_given_back_is_free_at_once_and_its_fence_never_falls() {
    on_each_engine(async |db| {
        for fence in 1..4 {
            let lease = take(&db, "a", 0).await.unwrap();
            assert_eq!(lease.fence, fence);
            leases::release(&db, &lease).await.unwrap();
            assert_eq!(leases::list(&db, start()).await.unwrap(), []);
            assert!(!leases::holds(&db, &lease, start()).await.unwrap());
        }
        assert_eq!(take(&db, "b", 0).await.unwrap().fence, 4);
    })
    .await;
}

#[tokio::test]
async fn fifty_contenders_have_one_winner() {
    on_each_engine(async |db| {
        for round in 1..4 {
            let tasks: Vec<_> = (0..50)
                .map(|n| {
                    let db = db.clone();
                    tokio::spawn(async move { take(&db, &format!("{round}/{n}"), round * 2).await })
                })
                .collect();
            let mut winners = Vec::new();
            for task in tasks {
                winners.extend(task.await.unwrap());
            }
            assert_eq!(winners.len(), 1);
            assert_eq!(winners[0].fence, round);
            expire(&db).await;
        }
    })
    .await;
}
