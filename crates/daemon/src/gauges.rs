//! What is not counted where it happens but looked at now and then: queues, budgets, the size of the database.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::{doors::Doors, logins::chain};

/// As often as Prometheus usually asks.
const EVERY: Duration = Duration::from_secs(15);

/// Looks until the daemon ends.
pub(crate) async fn watch(doors: Doors, quit: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while quit.run_until_cancelled(tick.tick()).await.is_some() {
        budgets(&doors);
        // A database that does not answer is told by those who need it.
        if let Err(error) = stored(&doors).await {
            debug!(error = %chain(&error), "cannot count what waits");
        }
    }
}

/// What is left of the budgets of each login that this process uses.
fn budgets(doors: &Doors) {
    for budget in doors.board.budgets() {
        let kind = if budget.paging { "paging" } else { "token" };
        let labels = [("login", budget.login), ("budget", kind.to_owned())];
        metrics::gauge!("egret_budget_limit", &labels).set(budget.limit);
        metrics::gauge!("egret_budget_left", &labels).set(budget.left);
    }
}

async fn stored(doors: &Doors) -> Result<(), store::Error> {
    let now = doors.clock.now();
    for queue in store::queues::all(&doors.store).await? {
        let age = queue
            .oldest
            .map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0));
        metrics::gauge!("egret_queue_waiting", "queue" => queue.name).set(queue.waiting as f64);
        metrics::gauge!("egret_queue_oldest_seconds", "queue" => queue.name).set(age);
    }
    let (known, resting) = store::hosts::counts(&doors.store, now).await?;
    metrics::gauge!("egret_origins", "state" => "known").set(known as f64);
    metrics::gauge!("egret_origins", "state" => "resting").set(resting as f64);
    metrics::gauge!("egret_database_bytes").set(store::size(&doors.store).await? as f64);
    metrics::gauge!("egret_clock_added_seconds").set(model::SystemClock.added().as_seconds_f64());
    if matches!(doors.store, store::Db::Sqlite { .. }) {
        metrics::gauge!("egret_processes").set(1.0);
    }
    Ok(())
}
