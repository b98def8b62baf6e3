//! A visit to one thread: list at the origin, compare with home, want what is missing, fetch it.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use job::JobError;
use mastodon::remote::{Listing, Software};
use model::Uri;
use store::{
    threads::{self, Thread},
    wanted::{self, State, Wanted},
};

use super::{Batch, Pass};
use crate::{
    gather::{self, Candidate, Known, Trouble},
    plan,
};

/// What a visit found.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    pub(crate) software: Option<Software>,
    pub(crate) listing: Option<Listing>,
    pub(crate) known_before: usize,
    pub(crate) missing: Vec<String>,
    pub(crate) trouble: Option<String>,
}

/// Time that ancestors have to come along before they are asked for themselves.
pub(crate) const SETTLE: TimeDelta = TimeDelta::minutes(1);

/// Visits one thread.
pub(crate) async fn visit(
    pass: &Pass<'_>,
    candidate: &Candidate,
    earlier: Option<Thread>,
    at_origin: Option<u64>,
) -> Result<Visited, JobError> {
    let cx = pass.cx;
    let active = pass.active.acquire().await.map_err(|_| JobError::Stopped)?;
    if pass.halted() {
        return Ok(Visited::default());
    }
    pass.count("visited", 1);
    let mut visited = Visited::default();
    if pass.refuses(&candidate.host).await? {
        pass.count("blocked", 1);
        return in_trouble(pass, candidate, earlier, "blocked", TimeDelta::days(1), visited).await;
    }
    let answer = match gather::software(cx, &candidate.uri).await {
        Ok(software) => {
            let answer = gather::listing(cx, &software, &candidate.uri).await;
            visited.software = Some(software);
            answer
        }
        Err(trouble) => Err(trouble),
    };
    let listing = match answer {
        Ok(listing) => listing,
        Err(trouble) => {
            let (name, rest) = match trouble {
                Trouble::Run(error) => return Err(error),
                Trouble::Gone => ("gone", TimeDelta::days(7)),
                Trouble::Closed => ("closed", TimeDelta::days(1)),
                Trouble::Robots => ("robots", TimeDelta::days(1)),
                Trouble::Blocked => ("blocked", TimeDelta::days(1)),
                Trouble::Host(_, rest) => ("resting", rest.unwrap_or(TimeDelta::minutes(10))),
                Trouble::Odd(reason) => {
                    tracing::debug!(host = %candidate.host, reason, "a listing could not be read");
                    ("unreadable", TimeDelta::hours(6))
                }
            };
            pass.count(name, 1);
            return in_trouble(pass, candidate, earlier, name, rest, visited).await;
        }
    };
    for warning in &listing.warnings {
        tracing::warn!(host = %candidate.host, "an origin's listing is odd: {warning}");
    }
    pass.count("listed", listing.replies.len());

    let mut known = Known::default();
    let mut missing = Vec::new();
    let mut found = 0;
    if !listing.replies.is_empty() {
        known = match gather::known(pass.client, &candidate.status_id).await {
            // Deleted at home since it stood in the timeline.
            Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => {
                pass.count("gone", 1);
                return in_trouble(pass, candidate, earlier, "gone", TimeDelta::days(7), visited).await;
            }
            answer => answer?,
        };
        let before: HashSet<Uri> = known.uris();
        missing = lacking(pass, candidate, &listing, &known);
        visited.known_before = listing.replies.len() - missing.len();
        pass.count("missing", missing.len());
        found = want(pass, candidate, &missing).await?;
        drop(active);
        if let Some(refresh) = known.refresh.clone().filter(|_| !missing.is_empty()) {
            let complete = |known: &Known| lacking(pass, candidate, &listing, known).is_empty();
            known = gather::refreshed(cx, pass.client, &candidate.status_id, &refresh, complete).await?;
        }
        let arrived = known.arrived(listing.replies.iter().map(|reply| reply.uri.as_str()));
        let came: usize = missing
            .iter()
            .filter(|m| Uri::parse(&m.uri).is_ok_and(|uri| known.ids.contains_key(&uri) && !before.contains(&uri)))
            .count();
        wanted::mark_done(&cx.store, &pass.server, &arrived, cx.clock.now()).await?;
        pass.count("arrived", came);
        visited.missing = missing.iter().map(|m| m.uri.clone()).collect();
    }
    // Saved before anything is fetched: a run that dies now leaves the rest to `replies.wanted`.
    let now = cx.clock.now();
    let tree_known = listing.replies.iter().all(|reply| reply.in_reply_to.is_some());
    let direct = listing
        .replies
        .iter()
        .filter(|reply| !tree_known || reply.in_reply_to.as_ref() == Some(&candidate.uri))
        .count();
    let seen = candidate
        .replies
        .unwrap_or(0)
        .max(u64::try_from(direct.max(known.direct)).unwrap_or(0));
    let quiet = match &earlier {
        Some(thread) if found == 0 => thread.quiet_visits.saturating_add(1),
        _ => i64::from(found == 0),
    };
    let thread = Thread {
        replies_seen: i64::try_from(seen).ok(),
        origin_replies: at_origin.and_then(|count| i64::try_from(count).ok()),
        listed: i64::try_from(listing.replies.len()).unwrap_or(i64::MAX),
        missing: i64::try_from(missing.len()).unwrap_or(i64::MAX),
        quiet_visits: quiet,
        visited_at: Some(now),
        next_visit_at: plan::next_visit(candidate.created_at, quiet, now),
        ..blank(pass, candidate, now)
    };
    threads::save(&cx.store, &thread).await?;
    visited.listing = Some(listing);
    if !missing.is_empty() {
        Batch::of_thread(pass, &candidate.status_id, known, TimeDelta::zero())
            .drain()
            .await?;
    }
    Ok(visited)
}

/// What the origin lists and home lacks. Replies written at home are home's own business.
fn lacking(pass: &Pass<'_>, candidate: &Candidate, listing: &Listing, known: &Known) -> Vec<plan::Missing> {
    let home = pass.client.host();
    let mut uris = known.uris();
    uris.insert(candidate.uri.clone());
    uris.extend(
        listing
            .replies
            .iter()
            .filter(|r| r.uri.host() == home)
            .map(|r| r.uri.clone()),
    );
    plan::missing(&listing.replies, &uris)
}

/// Writes down what is missing, leaves due at once and the rest a little later, and gives how much of it is new.
async fn want(pass: &Pass<'_>, candidate: &Candidate, missing: &[plan::Missing]) -> Result<u64, JobError> {
    let cx = pass.cx;
    let now = cx.clock.now();
    let mut open = Vec::new();
    let mut rows = Vec::new();
    for (place, item) in missing.iter().enumerate() {
        let Ok(uri) = Uri::parse(&item.uri) else { continue };
        let host = uri.host();
        let blocked = pass.refuses(&host).await?;
        if !blocked {
            open.push(item.clone());
        }
        rows.push(Wanted {
            server: pass.server.clone(),
            uri: item.uri.clone(),
            host: host.to_string(),
            feature: "replies".into(),
            thread: Some(candidate.status_id.to_string()),
            in_reply_to: item.in_reply_to.clone(),
            state: if blocked { State::Blocked } else { State::Wanted },
            status_id: None,
            tries: 0,
            reason: blocked.then(|| "its server is blocked".to_owned()),
            next_try_at: now + SETTLE,
            // Keeps the origin's order, which tells older from newer.
            found_at: now + TimeDelta::microseconds(i64::try_from(place).unwrap_or(0)),
            ended_at: blocked.then_some(now),
        });
    }
    pass.count("blocked", missing.len() - open.len());
    let leaves: HashSet<String> = plan::leaves(&open).into_iter().collect();
    for row in rows.iter_mut().filter(|row| leaves.contains(&row.uri)) {
        row.next_try_at = now;
    }
    Ok(wanted::insert(&cx.store, &rows).await?)
}

/// Remembers why a thread was not listed.
async fn in_trouble(
    pass: &Pass<'_>,
    candidate: &Candidate,
    earlier: Option<Thread>,
    trouble: &str,
    rest: TimeDelta,
    mut visited: Visited,
) -> Result<Visited, JobError> {
    let now = pass.cx.clock.now();
    let thread = Thread {
        trouble: Some(trouble.to_owned()),
        next_visit_at: now + rest,
        ..earlier.unwrap_or_else(|| blank(pass, candidate, now))
    };
    threads::save(&pass.cx.store, &thread).await?;
    visited.trouble = Some(trouble.to_owned());
    Ok(visited)
}

fn blank(pass: &Pass<'_>, candidate: &Candidate, now: DateTime<Utc>) -> Thread {
    Thread {
        server: pass.server.clone(),
        uri: candidate.uri.to_string(),
        status_id: candidate.status_id.to_string(),
        host: candidate.host.to_string(),
        created_at: candidate.created_at,
        replies_seen: None,
        origin_replies: None,
        listed: 0,
        missing: 0,
        quiet_visits: 0,
        visited_at: None,
        next_visit_at: now,
        trouble: None,
    }
}
