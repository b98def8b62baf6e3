//! What several pages, the API and `/healthz` want to know: what is wrong, how each feature fares, and what
//! recovering a reply costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use job::{Live, Mode, ModeNow};
use serde::Serialize;
use store::{
    effects,
    job_runs::{self, Cost, JobRun},
    servers,
};

use crate::{
    State,
    api::{effects::visible, jobs::Entry},
    rights::{Right, Servers, Visitor},
};

/// What is wrong, for people and for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    /// `ok`, or `degraded` when anything below wants somebody's attention.
    pub(crate) status: &'static str,
    /// Logins that do not work, and why.
    pub(crate) logins: Vec<servers::Login>,
    /// Jobs that rest until the config is mended.
    pub(crate) resting: Vec<Live>,
    /// The mode of each feature that writes, as it holds now.
    pub(crate) modes: BTreeMap<&'static str, Mode>,
    /// Who holds all effects, if anybody; `unreadable` holds them too.
    pub(crate) panic_stop: Option<String>,
    /// Whether the store could be read.
    pub(crate) store: &'static str,
}

impl Health {
    /// Without what is not within a visitor's reach; how all of it fares stays as it is.
    pub(crate) fn for_visitor(mut self, visitor: &Visitor) -> Self {
        self.logins.retain(|login| visitor.may_at(Right::View, &login.login));
        self.resting.retain(|live| visitor.may_at(Right::View, &live.scope));
        self
    }
}

/// A database that takes longer than this does not answer: who asks how we are does not wait for long.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the store says, if it does so in time.
pub(crate) async fn in_time<T, E>(read: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, read).await.ok()?.ok()
}

pub(crate) async fn health(state: &State) -> Health {
    let (logins, panic_stop, modes) = tokio::join!(
        in_time(servers::list_logins(&state.store)),
        in_time(effects::panic_stop(&state.store)),
        in_time(state.ledger.modes_now()),
    );
    let readable = logins.is_some() && panic_stop.is_some() && modes.is_some();
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
        Some(stop) => stop.map(|(who, _)| who),
        None => Some("unreadable".to_owned()),
    };
    let well = readable && logins.is_empty() && resting.is_empty() && panic_stop.is_none();
    Health {
        status: if well { "ok" } else { "degraded" },
        logins,
        resting,
        modes: match modes {
            Some(modes) => modes.into_iter().map(|now| (now.feature, now.mode)).collect(),
            None => state.ledger.modes(),
        },
        panic_stop,
        store: if readable { "ok" } else { "unreadable" },
    }
}

/// How a feature fares.
#[derive(Debug)]
pub(crate) struct Feature {
    /// `replies`
    pub(crate) name: String,
    /// Where it writes on other people's servers: how.
    pub(crate) mode: Option<ModeNow>,
    /// Jobs that run at this moment.
    pub(crate) running: usize,
    /// Jobs that somebody paused.
    pub(crate) paused: usize,
    /// Jobs that rest until the config is mended.
    pub(crate) resting: usize,
    /// The newest run of any of its jobs.
    pub(crate) last_run: Option<JobRun>,
    /// When the next of its jobs is due.
    pub(crate) next_due: Option<DateTime<Utc>>,
    /// What the newest run of each of its jobs counted, added up.
    pub(crate) found: BTreeMap<String, i64>,
    /// Effects that wait for somebody.
    pub(crate) waiting: i64,
}

/// Every feature that has a job or a mode, by name, as far as it is within a visitor's reach.
pub(crate) async fn features(
    state: &State,
    visitor: &Visitor,
    entries: &[Entry],
) -> Result<Vec<Feature>, store::Error> {
    let modes = state.ledger.modes_now().await?;
    let own = visible(visitor);
    let mut waiting = effects::waiting(&state.store).await?;
    waiting.retain(|(feature, server, _)| own.iter().any(|part| part.has(feature, server)));
    let of = |entry: &Entry| entry.live.job.split('.').next().unwrap_or_default().to_owned();
    let mut names: BTreeSet<String> = entries.iter().map(of).collect();
    names.extend(modes.iter().map(|now| now.feature.to_owned()));
    let feature = |name: String| {
        let own: Vec<&Entry> = entries.iter().filter(|entry| of(entry) == name).collect();
        let runs = || own.iter().filter_map(|entry| entry.last_run.as_ref());
        let count = |is: fn(&Live) -> bool| own.iter().filter(|entry| is(&entry.live)).count();
        let mut found = BTreeMap::new();
        for (counter, count) in runs().flat_map(|run| &run.counters) {
            *found.entry(counter.clone()).or_insert(0) += count;
        }
        Feature {
            mode: modes.iter().find(|now| now.feature == name).cloned(),
            running: count(|live| live.running_since.is_some()),
            paused: count(|live| live.paused),
            resting: count(|live| live.rests.is_some()),
            last_run: runs().max_by_key(|run| run.started_at).cloned(),
            next_due: own.iter().filter_map(|entry| entry.live.due_at).min(),
            found,
            waiting: waiting
                .iter()
                .filter(|(feature, ..)| *feature == name)
                .map(|(.., count)| count)
                .sum(),
            name,
        }
    };
    Ok(names.into_iter().map(feature).collect())
}

/// The servers whose statuses a visitor sees.
pub(crate) async fn in_sight(state: &State, visitor: &Visitor) -> Result<Vec<String>, store::Error> {
    let mut hosts = match visitor.servers(Right::View) {
        Servers::These(hosts) => return Ok(hosts),
        // Those that are gone from the config have left something behind.
        Servers::All => state.sign_in.configured().to_vec(),
    };
    hosts.extend(servers::list(&state.store).await?.into_iter().map(|server| server.host));
    hosts.sort_unstable();
    hosts.dedup();
    Ok(hosts)
}

/// Runs that a chart looks back on.
const RUNS: u32 = 400;

/// Points of a chart, at most.
const POINTS: usize = 48;

/// What each run of the replies jobs within reach cost our own servers and brought, newest first.
pub(crate) async fn costs(state: &State, visitor: &Visitor) -> Result<Arc<[Cost]>, store::Error> {
    let whose = visitor.runs();
    if let Some(kept) = state.counts.costs(whose.as_ref()) {
        return Ok(kept);
    }
    let jobs: BTreeSet<String> = state.board.list().into_iter().map(|live| live.job).collect();
    let jobs: Vec<String> = jobs.into_iter().filter(|job| job.starts_with("replies.")).collect();
    let mut costs: Vec<Cost> = Vec::new();
    for server in in_sight(state, visitor).await? {
        let of_server = job_runs::costs(&state.store, whose.as_ref(), &jobs, &server, "arrived", RUNS).await?;
        if costs.is_empty() {
            costs = of_server;
            continue;
        }
        // The same runs, asked about another host: only the requests differ.
        for (cost, more) in costs.iter_mut().zip(of_server) {
            cost.requests = Some(cost.requests.unwrap_or_default() + more.requests.unwrap_or_default());
        }
    }
    let costs: Arc<[Cost]> = costs.into();
    state.counts.keep_costs(whose, costs.clone());
    Ok(costs)
}

/// Requests per reply that arrived, over all of them; `None` before any arrived.
pub(crate) fn requests_per_reply(costs: &[Cost]) -> Option<f64> {
    let asked: i64 = costs.iter().filter_map(|cost| cost.requests).sum();
    let arrived: i64 = costs.iter().filter_map(|cost| cost.counted).sum();
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    (arrived > 0).then(|| asked as f64 / arrived as f64)
}

/// The same over time, oldest first: as many equal spans as a chart has points.
pub(crate) fn over_time(costs: &[Cost]) -> Vec<(DateTime<Utc>, Option<f64>)> {
    let (Some(newest), Some(oldest)) = (costs.first(), costs.last()) else {
        return Vec::new();
    };
    let spans = POINTS.min(costs.len());
    let whole = newest.started_at - oldest.started_at;
    let each = (whole / i32::try_from(spans).unwrap_or(1)).max(TimeDelta::seconds(1));
    let mut points = Vec::new();
    for n in 0..spans {
        let from = oldest.started_at + each * i32::try_from(n).unwrap_or_default();
        let to = if n + 1 == spans {
            newest.started_at + each
        } else {
            from + each
        };
        let within: Vec<Cost> = costs
            .iter()
            .filter(|cost| (from..to).contains(&cost.started_at))
            .cloned()
            .collect();
        points.push((from, requests_per_reply(&within)));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(minute: i64, requests: i64, counted: i64) -> Cost {
        Cost {
            started_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(minute),
            requests: Some(requests),
            counted: Some(counted),
        }
    }

    #[test]
    fn the_cost_of_a_reply_is_what_all_requests_brought() {
        assert_eq!(requests_per_reply(&[cost(0, 5, 10), cost(1, 5, 0)]), Some(1.0));
        assert_eq!(requests_per_reply(&[cost(0, 5, 0)]), None);
    }

    #[test]
    fn every_run_is_in_one_span() {
        let costs: Vec<Cost> = (0..500).rev().map(|n| cost(n, 1, 1)).collect();
        let points = over_time(&costs);
        assert_eq!(points.len(), POINTS);
        assert!(points.iter().all(|(_, value)| *value == Some(1.0)));
        assert!(over_time(&[]).is_empty());
        assert_eq!(over_time(&costs[..1]).len(), 1);
        let gap = [cost(900, 2, 1), cost(0, 1, 1)];
        assert_eq!(
            over_time(&gap).iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            [Some(1.0), Some(2.0)]
        );
    }
}
