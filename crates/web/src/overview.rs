//! What several pages and `/healthz` want to know: what is wrong, and what recovering a reply costs.

use job::{Live, Mode};
use serde::Serialize;
use store::{job_runs::JobRun, servers};

use crate::State;

/// What is wrong, for people and for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    /// `ok`, or `degraded` when anything below wants somebody's attention.
    pub(crate) status: &'static str,
    /// Logins that do not work, and why.
    pub(crate) logins: Vec<servers::Login>,
    /// Jobs that rest until the config is mended.
    pub(crate) resting: Vec<Live>,
    /// The mode of each feature that writes.
    pub(crate) modes: std::collections::BTreeMap<&'static str, Mode>,
    /// Who holds all effects, if anybody; `unreadable` holds them too.
    pub(crate) panic_stop: Option<String>,
    /// Whether the store could be read.
    pub(crate) store: &'static str,
}

pub(crate) async fn health(state: &State) -> Health {
    let logins = servers::list_logins(&state.store).await;
    let panic_stop = store::effects::panic_stop(&state.store).await;
    let readable = logins.is_ok() && panic_stop.is_ok();
    let logins: Vec<_> = logins
        .unwrap_or_default()
        .into_iter()
        .filter(|login| login.trouble.is_some())
        .collect();
    let resting: Vec<_> = state
        .board
        .list()
        .into_iter()
        .filter(|live| live.rests.is_some())
        .collect();
    let panic_stop = match panic_stop {
        Ok(stop) => stop.map(|(who, _)| who),
        Err(_) => Some("unreadable".to_owned()),
    };
    let well = readable && logins.is_empty() && resting.is_empty() && panic_stop.is_none();
    Health {
        status: if well { "ok" } else { "degraded" },
        logins,
        resting,
        modes: state.ledger.modes(),
        panic_stop,
        store: if readable { "ok" } else { "unreadable" },
    }
}

/// Requests to our own servers per reply that arrived, over `runs`; `None` before any arrived.
pub(crate) fn requests_per_reply(runs: &[JobRun]) -> Option<f64> {
    let (mut asked, mut arrived) = (0_u64, 0_i64);
    for run in runs.iter().filter(|run| run.job.starts_with("replies.")) {
        let home = run.scope.split('/').next().unwrap_or_default();
        asked += run.requests.get(home).copied().unwrap_or_default();
        arrived += run.counters.get("arrived").copied().unwrap_or_default();
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    (arrived > 0).then(|| asked as f64 / arrived as f64)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use store::job_runs::Outcome;

    use super::*;

    #[test]
    fn only_requests_to_the_home_server_count() {
        let mut run = JobRun {
            id: String::new(),
            job: "replies.home".to_owned(),
            scope: "home.example/me".to_owned(),
            holder: String::new(),
            started_at: DateTime::UNIX_EPOCH,
            finished_at: None,
            outcome: Outcome::Finished,
            counters: [("arrived".to_owned(), 10)].into(),
            requests: [("home.example".to_owned(), 5), ("far.example".to_owned(), 40)].into(),
            error: None,
        };
        assert_eq!(requests_per_reply(std::slice::from_ref(&run)), Some(0.5));
        run.counters.clear();
        assert_eq!(requests_per_reply(&[run]), None);
    }
}
