//! `/api/v1/blocklists/…`: how lists fare, plans, who is blocked and why, what was done and how to take it back.

pub(crate) mod domains;
pub(crate) mod lists;
pub(crate) mod plans;
pub(crate) mod runs;

use model::{Clock as _, SystemClock};
use store::job_states;
use utoipa_axum::router::OpenApiRouter;

use crate::{State, problem::Problem};

/// Plans for one server, and carries plans out.
pub(crate) const JOB: &str = "blocklists.domain_blocks";

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(lists::routes())
        .merge(plans::routes())
        .merge(domains::routes())
        .merge(runs::routes())
}

/// The mode as it holds, whichever process it was switched in.
pub(crate) async fn mode(state: &State) -> Result<job::Mode, Problem> {
    let modes = state.ledger.modes_now().await?;
    let found = modes.into_iter().find(|now| now.feature == "blocklists");
    Ok(found.map_or_else(job::Mode::default, |now| now.mode))
}

/// Has the job look at a server (at all of them where it is empty) as soon as it can.
async fn wake(state: &State, server: &str) -> Result<(), Problem> {
    job_states::wake(&state.store, JOB, server, SystemClock.now()).await?;
    state.board.nudge();
    Ok(())
}
