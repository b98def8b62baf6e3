//! The replies of posts that were fetched: listed to the end at the origin, once, when home has the post; what is new of
//! them is wanted. Later visits are the business of `replies`.

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use job::{
    JobError, Summary,
    origins::{self, Trouble},
};
use model::Uri;
use store::{
    backfills,
    threads::{self, Thread},
    wanted::{self, State, Wanted},
};

use super::Pass;

/// How long a thread whose first status is not at home yet waits for it.
const NOT_YET: TimeDelta = TimeDelta::minutes(10);
/// Visits of a thread in a row that bring nothing, for a host that rests or a list that does not end, until it is left.
const PATIENCE: i64 = 10;
/// An account that could have been read again and was not for so long is forgotten.
const FORGET: TimeDelta = TimeDelta::days(60);
/// Home's own copy of the thread is looked at before any reply is asked for.
const SETTLE: TimeDelta = TimeDelta::seconds(1);

/// Lists what is due.
pub(crate) async fn contexts(pass: &Pass<'_>, most: usize) -> Result<Summary, JobError> {
    let cx = pass.cx;
    let now = cx.clock.now();
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let due = threads::pending(&cx.store, &pass.server, now, most).await?;
    let uris: Vec<String> = due.iter().map(|thread| thread.uri.clone()).collect();
    let firsts: std::collections::HashMap<String, Wanted> = wanted::load(&cx.store, &pass.server, &uris)
        .await?
        .into_iter()
        .map(|row| (row.uri.clone(), row))
        .collect();
    cx.progress.begin("threads", u64::try_from(due.len()).ok());
    let failure = stream::iter(due)
        .map(|thread| {
            let first = firsts.get(&thread.uri);
            async move {
                if pass.halted() {
                    return Ok(());
                }
                let done = visit(pass, thread, first).await;
                cx.progress.advance(1);
                match done {
                    Ok(()) => Ok(()),
                    Err(error) => pass.ends(error),
                }
            }
        })
        .buffer_unordered(pass.config.concurrency.max(1))
        .fold(None, |first, done| async move { first.or(done.err()) })
        .await;
    if let Some(error) = failure {
        return Err(error);
    }
    // Whom nobody met for so long is read anew when met again, so there is nothing to remember.
    backfills::delete_older(&cx.store, now - FORGET).await?;
    cx.check_stop().map(|()| pass.summary())
}

async fn visit(pass: &Pass<'_>, thread: Thread, first: Option<&Wanted>) -> Result<(), JobError> {
    let cx = pass.cx;
    let now = cx.clock.now();
    let status_id = match first.map(|row| (row.state, row.status_id.clone())) {
        Some((State::Done, Some(id))) => id,
        // Until it is due itself: it may be held.
        Some((State::Wanted, _)) => {
            let next_visit_at = first.map_or(now, |row| row.next_try_at).max(now + NOT_YET);
            let waiting = Thread {
                next_visit_at,
                ..thread
            };
            return Ok(threads::save(&cx.store, &waiting).await?);
        }
        _ => return ended(pass, thread, "not at home", TimeDelta::days(30)).await,
    };
    let thread = Thread { status_id, ..thread };
    let Ok(uri) = Uri::parse(&thread.uri) else {
        return ended(pass, thread, "unreadable", TimeDelta::days(30)).await;
    };
    if pass.refused.has(cx, pass.client, &uri.host()).await? {
        pass.count("blocked", 1);
        return ended(pass, thread, "blocked", TimeDelta::days(1)).await;
    }
    let listing = match origins::software(cx, &uri).await {
        Ok(software) => origins::listing(cx, &pass.server, &software, (&uri, None)).await,
        Err(trouble) => Err(trouble),
    };
    let listing = match listing {
        Ok(listing) => listing,
        Err(trouble) => {
            let (name, rest) = match trouble {
                Trouble::Run(error) => return Err(error),
                // The thread stays pending until its host comes back, if it does.
                Trouble::Host(_, rest) if thread.quiet_visits + 1 < PATIENCE => {
                    pass.count("resting", 1);
                    let quiet_visits = thread.quiet_visits + 1;
                    return again(pass, Thread { quiet_visits, ..thread }, rest.unwrap_or(NOT_YET)).await;
                }
                Trouble::Host(..) => ("resting", TimeDelta::days(7)),
                Trouble::Gone => ("gone", TimeDelta::days(7)),
                Trouble::Closed => (origins::closed(cx), TimeDelta::days(30)),
                Trouble::Robots => ("robots", TimeDelta::days(1)),
                Trouble::Blocked => ("blocked", TimeDelta::days(1)),
                Trouble::Odd(_) => ("unreadable", TimeDelta::days(1)),
            };
            pass.count(name, 1);
            return ended(pass, thread, name, rest).await;
        }
    };
    pass.count("visited", 1);
    pass.count("listed", listing.replies.len());
    let home = pass.client.host();
    let mut rows = Vec::new();
    for (reply, place) in listing.replies.iter().zip(0_i64..) {
        let host = reply.uri.host();
        // What was written at home is home's own business.
        if host == home {
            continue;
        }
        let blocked = pass.refused.has(cx, pass.client, &host).await?;
        let found_at = now + TimeDelta::microseconds(place);
        rows.push(Wanted {
            server: pass.server.clone(),
            uri: reply.uri.to_string(),
            host: host.to_string(),
            feature: "backfill".to_owned(),
            thread: Some(thread.status_id.clone()),
            in_reply_to: reply.in_reply_to.as_ref().map(Uri::to_string),
            state: if blocked { State::Blocked } else { State::Wanted },
            status_id: None,
            tries: 0,
            reason: blocked.then(|| "its server is blocked".to_owned()),
            next_try_at: found_at + SETTLE,
            found_at,
            ended_at: blocked.then_some(now),
        });
    }
    let new = wanted::insert(&cx.store, &rows).await?;
    pass.count("wanted", new);
    let listed = Thread {
        listed: i64::try_from(listing.replies.len()).unwrap_or(i64::MAX),
        missing: i64::try_from(new).unwrap_or(i64::MAX),
        quiet_visits: if new > 0 { 0 } else { thread.quiet_visits + 1 },
        ..thread
    };
    // A list that is not at its end goes on where it stopped.
    if (listing.walk.is_some() || listing.cut.is_some()) && listed.quiet_visits < PATIENCE {
        return again(pass, listed, NOT_YET).await;
    }
    let visited = Thread {
        visited_at: Some(now),
        next_visit_at: now + TimeDelta::days(1),
        ..listed
    };
    Ok(threads::save(&cx.store, &visited).await?)
}

/// It stays pending.
async fn again(pass: &Pass<'_>, thread: Thread, rest: TimeDelta) -> Result<(), JobError> {
    let waiting = Thread {
        status_id: String::new(),
        next_visit_at: pass.cx.clock.now() + rest,
        ..thread
    };
    Ok(threads::save(&pass.cx.store, &waiting).await?)
}

/// It is not asked about again by this job.
async fn ended(pass: &Pass<'_>, thread: Thread, trouble: &str, rest: TimeDelta) -> Result<(), JobError> {
    let now = pass.cx.clock.now();
    let thread = Thread {
        visited_at: Some(now),
        next_visit_at: now + rest,
        trouble: Some(trouble.to_owned()),
        ..thread
    };
    Ok(threads::save(&pass.cx.store, &thread).await?)
}
