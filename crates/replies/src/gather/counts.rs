//! How many replies origins say their statuses have: what tells cheaply whether a thread grew.
//!
//! One request asks for 20 of an origin's statuses. An origin is asked when one of its threads is due to be asked about,
//! and then about as many as go into its requests. Young threads and those that grew lately are asked about at every
//! pass; the longer nothing happens, the later.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use job::{JobContext, JobError};
use model::{Host, Uri};
use store::{
    reply_counts::{self, ReplyCount},
    threads::Thread,
};

use super::{Candidate, Trouble, origin, software};
use crate::plan;

/// Statuses that one request may ask about.
const BATCH: usize = 20;

/// The counts of these statuses as their origins gave them, now or when they were last asked; nothing of those that no
/// origin counts.
pub(crate) async fn counts(
    cx: &JobContext,
    server: &str,
    concurrency: usize,
    candidates: &[Candidate],
    earlier: &HashMap<String, Thread>,
) -> Result<HashMap<Uri, u64>, JobError> {
    let now = cx.clock.now();
    let uris: Vec<String> = candidates.iter().map(|candidate| candidate.uri.to_string()).collect();
    let known: HashMap<String, ReplyCount> = reply_counts::load(&cx.store, server, &uris)
        .await?
        .into_iter()
        .map(|row| (row.uri.clone(), row))
        .collect();
    let mut by_host: HashMap<&Host, Vec<(Candidate, DateTime<Utc>)>> = HashMap::new();
    for candidate in candidates {
        let uri = candidate.uri.as_str();
        let due = match known.get(uri) {
            Some(count) if !grew_at_home(candidate, earlier.get(uri), count) => count.next_at,
            _ => DateTime::UNIX_EPOCH,
        };
        by_host
            .entry(&candidate.host)
            .or_default()
            .push((candidate.clone(), due));
    }
    let asked: Vec<Result<Vec<ReplyCount>, JobError>> = stream::iter(by_host.into_values())
        .map(|mut of_host| {
            let known = &known;
            async move {
                of_host.sort_by_key(|(_, due)| *due);
                let due = of_host.iter().filter(|(_, due)| *due <= now).count();
                // Those that are not due ride along where there is room.
                let room = due.div_ceil(BATCH) * BATCH;
                let some: Vec<Candidate> = of_host.into_iter().take(room).map(|(candidate, _)| candidate).collect();
                ask(cx, server, &some, known).await
            }
        })
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;
    let mut rows = Vec::new();
    for answer in asked {
        rows.extend(answer?);
    }
    reply_counts::save(&cx.store, &rows).await?;
    let mut all = known;
    all.extend(rows.into_iter().map(|row| (row.uri.clone(), row)));
    Ok(candidates
        .iter()
        .filter_map(|candidate| {
            let count = all.get(candidate.uri.as_str())?.replies?;
            Some((candidate.uri.clone(), count.try_into().ok()?))
        })
        .collect())
}

/// A reply that was delivered to home is one that its origin counts too.
fn grew_at_home(candidate: &Candidate, earlier: Option<&Thread>, count: &ReplyCount) -> bool {
    let seen = earlier
        .and_then(|thread| thread.replies_seen)
        .max(count.replies)
        .unwrap_or(0);
    candidate
        .replies
        .is_some_and(|at_home| i64::try_from(at_home).unwrap_or(i64::MAX) > seen)
}

async fn ask(
    cx: &JobContext,
    server: &str,
    candidates: &[Candidate],
    known: &HashMap<String, ReplyCount>,
) -> Result<Vec<ReplyCount>, JobError> {
    let mut rows = Vec::new();
    let Some(first) = candidates.first() else {
        return Ok(rows);
    };
    let software = match software(cx, &first.uri).await {
        Ok(software) => software,
        Err(Trouble::Run(error)) => return Err(error),
        // The visit meets it again, from the store, and says what becomes of the thread.
        Err(_) => return Ok(rows),
    };
    for some in candidates.chunks(BATCH) {
        cx.check_stop()?;
        let uris: Vec<Uri> = some.iter().map(|candidate| candidate.uri.clone()).collect();
        let told: HashMap<Uri, u64> = match origin::ask(cx, &software, &uris).await {
            Ok(Some(told)) => told.into_iter().collect(),
            // It has no such call.
            Ok(None) => return Ok(rows),
            Err(Trouble::Run(error)) => return Err(error),
            Err(_) => break,
        };
        let now = cx.clock.now();
        for candidate in some {
            // Home may know of one that its origin does not count: that is looked at once, and then known as well.
            let told = told.get(&candidate.uri);
            let replies = told.map(|told| candidate.replies.unwrap_or(0).max(*told));
            let replies = replies.and_then(|count| i64::try_from(count).ok());
            let before = known.get(candidate.uri.as_str());
            let changed_at = match before {
                Some(before) if before.replies == replies => before.changed_at,
                Some(_) => now,
                None => candidate.created_at.min(now),
            };
            rows.push(ReplyCount {
                server: server.to_owned(),
                uri: candidate.uri.to_string(),
                replies,
                changed_at,
                next_at: plan::next_count(changed_at, now),
            });
        }
    }
    Ok(rows)
}
