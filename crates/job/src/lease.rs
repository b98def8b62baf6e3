//! Work that is done while a lease is held.

use std::{future::Future, time::Duration};

use model::Clock;
use store::{
    Db,
    leases::{self, Lease},
};
use tokio::time::{Instant, MissedTickBehavior, timeout_at};
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
            // From before the question: the answer may be long on its way, or never come from a database that is cut off,
            // while another takes the lease.
            let asked = Instant::now();
            let taken = leases::take(db, &lease.name, &lease.holder, lasts, clock.now());
            match timeout_at(kept + lasts, taken).await {
                Ok(Ok(Some(renewed))) if renewed.fence == lease.fence => kept = asked,
                Ok(Ok(_)) => return,
                Ok(Err(error)) => warn!(lease = lease.name, %error, "cannot renew a lease"),
                Err(_) => {
                    warn!(lease = lease.name, "a lease ran out while it was being renewed");
                    return;
                }
            }
        }
    };
    tokio::select! {
        done = work => Some(done),
        () = lost => None,
    }
}
