//! Work that is done while a lease is held.

use std::{future::Future, time::Duration};

use model::Clock;
use store::{
    Db,
    leases::{self, Lease},
};
use tokio::time::{Instant, MissedTickBehavior};
use tracing::warn;

/// Does the work, and says three times in every `lasts` that the lease is still wanted. Nothing when the lease went to
/// another, or could not be renewed before it ran out: the work is dropped then.
pub async fn while_held<T>(
    db: &Db,
    clock: &dyn Clock,
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
            match leases::take(db, &lease.name, &lease.holder, lasts, clock.now()).await {
                Ok(Some(renewed)) if renewed.fence == lease.fence => kept = Instant::now(),
                Ok(_) => return,
                Err(error) => {
                    warn!(lease = lease.name, %error, "cannot renew a lease");
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
