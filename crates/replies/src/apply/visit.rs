//! A visit to one thread: list at the origin, compare with home, want what is missing, fetch it.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use job::{JobError, origins};
use mastodon::remote::{Listing, Software};
use model::Uri;
use store::{
    threads::{self, Thread},
    visits,
    wanted::{self, State, Wanted},
};
use tokio::sync::SemaphorePermit;

use super::{Awaited, Batch, HOLD, Pass};
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
    /// Home fetches it itself, and the pass sees to it later.
    pub(crate) awaited: bool,
}

/// Time that ancestors have to come along before they are asked for themselves.
pub(crate) const SETTLE: TimeDelta = TimeDelta::minutes(1);

/// How soon a listing goes on that was stopped by its bounds.
const GO_ON: TimeDelta = TimeDelta::minutes(10);

/// Visits one thread, unless another job is at it.
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
    let uri = candidate.uri.as_str();
    let now = cx.clock.now();
    if !pass.by_hand && !visits::claim(&cx.store, &pass.server, uri, &cx.run, now, now + HOLD).await? {
        pass.count("visited_elsewhere", 1);
        return Ok(Visited::default());
    }
    pass.count("visited", 1);
    let earlier = match earlier {
        // Another job may have been at it since the pass began.
        Some(earlier) if !pass.by_hand => again(pass, earlier).await?,
        earlier => earlier,
    };
    let visited = look(pass, candidate, earlier, at_origin, active).boxed().await;
    // Those that home fetches itself are held until the pass has seen to them.
    if !pass.by_hand && !matches!(&visited, Ok(visited) if visited.awaited) {
        visits::free(&cx.store, &pass.server, uri, &cx.run).await?;
    }
    visited
}

async fn again(pass: &Pass<'_>, earlier: Thread) -> Result<Option<Thread>, JobError> {
    let now = threads::load(&pass.cx.store, &pass.server, std::slice::from_ref(&earlier.uri)).await?;
    Ok(now.into_iter().next().or(Some(earlier)))
}

async fn look(
    pass: &Pass<'_>,
    candidate: &Candidate,
    earlier: Option<Thread>,
    at_origin: Option<u64>,
    active: SemaphorePermit<'_>,
) -> Result<Visited, JobError> {
    let cx = pass.cx;
    let mut visited = Visited::default();
    if pass.refuses(&candidate.host).await? {
        pass.count("blocked", 1);
        return in_trouble(pass, candidate, earlier, "blocked", TimeDelta::days(1), visited).await;
    }
    let answer = match gather::software(cx, &candidate.uri).await {
        Ok(software) => {
            let answer = gather::listing(cx, &pass.server, &software, (&candidate.uri, candidate.page.as_ref()))
                .boxed()
                .await;
            visited.software = Some(software);
            answer
        }
        Err(trouble) => Err(trouble),
    };
    let listing = match answer {
        Ok(listing) => listing,
        Err(trouble) => return unlisted(pass, candidate, earlier, trouble, visited).await,
    };
    for warning in &listing.warnings {
        tracing::warn!(host = %candidate.host, "an origin's listing is odd: {warning}");
    }
    pass.count("listed", listing.replies.len());
    pass.count("listed_in_part", i64::from(listing.partial));

    let thread_id = candidate.status_id.as_str();
    let digest = plan::digest(&listing.replies);
    // Compared with home before, and nothing of it is open: looking at home would tell nothing.
    let settled = !pass.by_hand
        && earlier
            .as_ref()
            .is_some_and(|thread| thread.digest.as_ref() == Some(&digest))
        && wanted::open(&cx.store, &pass.server, thread_id).await? == 0;
    let mut known = Known::nothing_of(&candidate.status_id);
    let mut missing = Vec::new();
    let mut found = 0;
    if !listing.replies.is_empty() && !settled {
        let first = earlier.as_ref().is_none_or(|thread| thread.visited_at.is_none());
        // Home has no reply to it, and reading it would not make home look for any.
        if !(first && candidate.replies == Some(0) && pass.is_plain()) {
            known = match gather::known(pass.client, &candidate.status_id).await {
                // Deleted at home since it stood in the timeline.
                Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => {
                    pass.count("gone", 1);
                    return in_trouble(pass, candidate, earlier, "gone", TimeDelta::days(7), visited).await;
                }
                answer => answer?,
            };
            pass.is_well();
            if first || known.refresh.is_some() {
                pass.learn(known.refresh.is_some());
            }
        }
        missing = lacking(pass, candidate, &listing, &known);
        visited.known_before = listing.replies.len() - missing.len();
        pass.count("missing", missing.len());
        let at_once = known.refresh.is_none() || missing.is_empty();
        found = want(pass, candidate, &missing, at_once).await?;
        let arrived = known.arrived(listing.replies.iter().map(|reply| reply.uri.as_str()));
        pass.mark_done(&arrived).await?;
        visited.missing = missing.iter().map(|m| m.uri.clone()).collect();
    }
    drop(active);
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
        .max(u64::try_from(direct).unwrap_or(0))
        .max(known.direct());
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
        // A list that is not at its end goes on soon.
        next_visit_at: match listing.walk {
            Some(_) => now + GO_ON,
            None => plan::next_visit(candidate.created_at, quiet, at_origin.is_some(), now),
        },
        digest: (!listing.partial).then_some(digest),
        ..blank(pass, candidate, now)
    };
    threads::save(&cx.store, &thread).await?;
    visited.listing = Some(listing);
    if missing.is_empty() {
        return Ok(visited);
    }
    match known.refresh.take() {
        Some(refresh) => {
            let awaited = Awaited::new(candidate, (known, refresh), missing, at_origin, thread.next_visit_at);
            if pass.by_hand {
                awaited.fill(pass).boxed().await?;
            } else {
                visited.awaited = true;
                pass.wait_for(awaited);
            }
        }
        None => {
            Batch::of_thread(pass, &candidate.status_id, known, TimeDelta::zero())
                .among(&missing)
                .drain()
                .boxed()
                .await?;
        }
    }
    Ok(visited)
}

/// The origin gives no list. Where that is its rule rather than its trouble, home may still be let in, since it signs
/// what it asks: reading the thread makes a home fetch what it can that fetches replies itself.
async fn unlisted(
    pass: &Pass<'_>,
    candidate: &Candidate,
    earlier: Option<Thread>,
    trouble: Trouble,
    visited: Visited,
) -> Result<Visited, JobError> {
    let (name, rest, home_may) = match trouble {
        Trouble::Run(error) => return Err(error),
        Trouble::Gone => ("gone", TimeDelta::days(7), false),
        Trouble::Closed => (origins::closed(pass.cx), TimeDelta::days(1), true),
        Trouble::Robots => ("robots", TimeDelta::days(1), true),
        Trouble::Blocked => ("blocked", TimeDelta::days(1), false),
        Trouble::Host(_, rest) => ("resting", rest.unwrap_or(TimeDelta::minutes(10)), false),
        Trouble::Odd(reason) => {
            tracing::debug!(host = %candidate.host, reason, "a listing could not be read");
            ("unreadable", TimeDelta::hours(6), true)
        }
    };
    pass.count(name, 1);
    let mut rest = rest;
    if home_may && !pass.is_plain() {
        let known = match gather::known(pass.client, &candidate.status_id).await {
            Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => {
                pass.count("gone", 1);
                return in_trouble(pass, candidate, earlier, "gone", TimeDelta::days(7), visited).await;
            }
            answer => answer?,
        };
        pass.is_well();
        pass.learn(known.refresh.is_some());
        if known.refresh.is_some() {
            pass.count("left_to_home", 1);
            // Replies go on coming, and only home can fetch them.
            let quiet = earlier.as_ref().map_or(0, |thread| thread.quiet_visits);
            let now = pass.cx.clock.now();
            rest = rest.min(plan::next_visit(candidate.created_at, quiet, false, now) - now);
            let earlier = Thread {
                quiet_visits: quiet.saturating_add(1),
                ..earlier.unwrap_or_else(|| blank(pass, candidate, now))
            };
            return in_trouble(pass, candidate, Some(earlier), name, rest, visited).await;
        }
    }
    in_trouble(pass, candidate, earlier, name, rest, visited).await
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

/// Writes down what is missing, leaves due at once (or once home had its chance) and the rest a little later, and gives
/// how much of it is new.
async fn want(
    pass: &Pass<'_>,
    candidate: &Candidate,
    missing: &[plan::Missing],
    at_once: bool,
) -> Result<u64, JobError> {
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
    let new = wanted::insert(&cx.store, &rows).await?;
    if at_once {
        due_now(pass, &open).await?;
    } else {
        let patience = TimeDelta::from_std(pass.config.patience).unwrap_or(TimeDelta::hours(1));
        let later = now + patience + SETTLE;
        let rows: Vec<_> = open.iter().map(|item| (item.uri.clone(), later)).collect();
        wanted::schedule(&cx.store, &pass.server, &rows).await?;
    }
    Ok(new)
}

/// Makes what was never tried due: leaves at once, the newest first, and what comes along with them when it had time to.
pub(crate) async fn due_now(pass: &Pass<'_>, missing: &[plan::Missing]) -> Result<(), JobError> {
    let now = pass.cx.clock.now();
    let leaves = plan::leaves(missing);
    let mut rows: Vec<_> = leaves
        .iter()
        .rev()
        .enumerate()
        .map(|(place, uri)| {
            let earlier = TimeDelta::microseconds(i64::try_from(place).unwrap_or(0));
            (uri.clone(), now - earlier)
        })
        .collect();
    let leaves: HashSet<String> = leaves.into_iter().collect();
    let others = missing.iter().filter(|item| !leaves.contains(&item.uri));
    rows.extend(others.map(|item| (item.uri.clone(), now + SETTLE)));
    wanted::schedule(&pass.cx.store, &pass.server, &rows).await?;
    Ok(())
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
        digest: None,
    }
}
