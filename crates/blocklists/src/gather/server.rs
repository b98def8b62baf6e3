//! One server: what it blocks, whom it has met, who would lose follows. And the plan made from it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError, Login};
use mastodon::{AdminDomainBlock, Error, Ties};
use serde_json::Value;
use store::block_entries::{self, Entry};

use super::Library;
use crate::{
    config::{Config, Policy},
    guard::Guard,
    merge::{Covering, merge},
    plan::{self, Counting, Facts, Own, Plan, by_domain, candidates},
};

/// Domains whose follows are counted in one run; the others wait for the next.
const MOST_COUNTS: usize = 2000;

/// Whether to count follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// One request for each candidate that the server may have met.
    Ask,
    /// None.
    Skip,
}

/// A plan and what it was made from, as far as carrying it out needs it.
#[derive(Debug)]
pub struct Gathered {
    /// The plan.
    pub plan: Plan,
    /// Follows counted for it.
    pub ties: BTreeMap<String, Ties>,
    /// Our records, by domain.
    pub entries: BTreeMap<String, Entry>,
    /// What is never blocked there.
    pub guard: Guard,
    /// Whether the server knows suspension alone.
    pub only_suspends: bool,
}

/// What must never be blocked on a server.
///
/// # Errors
/// When neither store nor server tell who it is.
pub async fn guard(cx: &JobContext, login: &Login, policy: &Policy) -> Result<Guard, JobError> {
    let host = login.client.host().domain().map(String::from);
    let known = store::servers::load(&cx.store, &login.server)
        .await?
        .map(|server| server.domain);
    let told = match known.filter(|domain| !domain.is_empty()) {
        Some(domain) => domain,
        None => login.client.instance().await?.domain,
    };
    let own: Vec<String> = host.into_iter().chain(crate::config::domain(&told)).collect();
    let force: Vec<String> = policy
        .force
        .iter()
        .filter_map(|text| crate::config::domain(text))
        .collect();
    Ok(Guard::new(
        own.iter().map(String::as_str),
        force.iter().map(String::as_str),
        policy.reserved,
    ))
}

/// The server's blocks by normalised domain.
///
/// # Errors
/// When they cannot be read.
pub async fn blocks(login: &Login) -> Result<BTreeMap<String, AdminDomainBlock>, JobError> {
    Ok(by_domain(login.client.domain_blocks().await?))
}

/// Whether a server knows suspension alone: it shows no severity, or is of a version that Mastodon left behind before
/// there was such an API.
///
/// # Errors
/// When neither blocks nor store nor server tell.
pub async fn is_of_suspensions(
    cx: &JobContext,
    login: &Login,
    live: &BTreeMap<String, AdminDomainBlock>,
) -> Result<bool, JobError> {
    if let Some(block) = live.values().next() {
        return Ok(block.severity.is_none());
    }
    let version = match store::servers::load(&cx.store, &login.server).await? {
        Some(server) => server.version,
        None => login.client.instance().await?.version,
    };
    Ok(version.trim_start_matches('v').starts_with("0.") || version.to_ascii_lowercase().contains("gotosocial"))
}

/// Makes the plan for one server. What was `counted` lately is not counted again.
///
/// # Errors
/// When the server or the store cannot be read.
pub async fn plan(
    cx: &JobContext,
    config: &Config,
    policy: &Policy,
    login: &Login,
    counts: Counts,
    counted: BTreeMap<String, Ties>,
) -> Result<Gathered, JobError> {
    let library = Library::load(&cx.store, config, policy).await?;
    let live = blocks(login).await?;
    let peers = login.client.peers().await?;
    let only_suspends = is_of_suspensions(cx, login, &live).await?;
    let guard = guard(cx, login, policy).await?;
    let entries: BTreeMap<String, Entry> = block_entries::list(&cx.store, &login.server)
        .await?
        .into_iter()
        .map(|entry| (entry.domain.clone(), entry))
        .collect();
    let now = cx.clock.now();
    let peers: Option<std::collections::BTreeSet<String>> =
        peers.map(|peers| peers.iter().filter_map(|peer| crate::config::domain(peer)).collect());

    let shelf = library.open(None);
    let voters = shelf.voters();
    let known: Vec<&str> = live.keys().chain(peers.iter().flatten()).map(String::as_str).collect();
    let mut merging = policy.merging();
    if only_suspends {
        // It has no exceptions: what would cover an allowed domain cannot be made there.
        merging.covering = Covering::Hold;
    }
    let merged = merge(&voters, &merging, &guard, &known);
    let mut facts = Facts {
        server: &login.server,
        policy,
        merged: &merged,
        doubts: library.doubts(now),
        own: entries
            .iter()
            .map(|(domain, entry)| (domain.clone(), own(entry)))
            .collect(),
        live: live.clone(),
        met: peers.as_ref().map(plan::met),
        ties: counted,
        counting: Counting::NotAsked,
        only_suspends,
        now,
    };
    if counts == Counts::Ask {
        let (ties, counting) = count(cx, login, candidates(&facts), now).await?;
        facts.ties.extend(ties);
        facts.counting = counting;
    }
    Ok(Gathered {
        plan: plan::plan(&facts),
        ties: std::mem::take(&mut facts.ties),
        entries,
        guard,
        only_suspends,
    })
}

/// Our record of a domain, as plans take it.
fn own(entry: &Entry) -> Own {
    let block = |value: &Option<Value>| value.clone().and_then(|value| serde_json::from_value(value).ok());
    Own {
        state: entry.state,
        written: block(&entry.written),
        before: block(&entry.before),
        told_at: entry.told_at,
        lists: entry.reason["says"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|say| say["list"].as_str().map(str::to_owned))
            .collect(),
    }
}

async fn count(
    cx: &JobContext,
    login: &Login,
    domains: Vec<String>,
    now: DateTime<Utc>,
) -> Result<(BTreeMap<String, Ties>, Counting), JobError> {
    let mut ties = BTreeMap::new();
    let most = domains.len().min(MOST_COUNTS);
    cx.progress.begin("follows", Some(most as u64));
    for domain in domains.into_iter().take(most) {
        cx.check_stop()?;
        match login.client.ties(&domain, now).await {
            Ok(found) => {
                ties.insert(domain, found);
            }
            // Whoever may not ask for one may not ask for any.
            Err(Error::Scope { .. } | Error::Forbidden { .. } | Error::NotFound { .. } | Error::Gone { .. }) => {
                return Ok((ties, Counting::Refused));
            }
            Err(error @ (Error::Revoked { .. } | Error::NoToken { .. })) => return Err(error.into()),
            Err(Error::Net(net::Error::Stopped)) => return Err(JobError::Stopped),
            // One that cannot be counted waits.
            Err(error) => tracing::debug!(domain, %error, "cannot count follows"),
        }
        cx.progress.advance(1);
    }
    Ok((ties, Counting::Done))
}
