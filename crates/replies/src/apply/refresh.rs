//! Threads that our server fetches itself (Mastodon 4.5+): set off by reading them, judged 20 a request, and completed
//! where its own fetch falls short.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, stream};
use job::JobError;
use mastodon::Refresh;
use model::{StatusId, Uri};
use store::wanted;
use tokio::time::Instant;

use super::{Batch, Pass, due_now};
use crate::{
    gather::{self, Candidate, Known},
    plan,
};

/// Statuses whose counts come in one answer.
const BATCH: usize = 20;
/// Looks at the counts: one pause after it was set off, two after that, and so on.
const LOOKS: u32 = 4;
/// What the next visit did not prove by then, since there was none, `replies.wanted` looks for.
const GRACE: TimeDelta = TimeDelta::minutes(5);

/// A thread that our server is fetching.
#[derive(Debug)]
pub(crate) struct Awaited {
    thread: StatusId,
    missing: Vec<plan::Missing>,
    refresh: Refresh,
    begun: Instant,
    /// The status whose count of replies tells most, and what it will be if everything comes.
    witness: StatusId,
    expected: u64,
    counted: u64,
    next_visit_at: DateTime<Utc>,
}

impl Awaited {
    /// `known` is what home showed when `refresh` was set off.
    pub(crate) fn new(
        candidate: &Candidate,
        (known, refresh): (Known, Refresh),
        missing: Vec<plan::Missing>,
        at_origin: Option<u64>,
        next_visit_at: DateTime<Utc>,
    ) -> Self {
        let root = &candidate.status_id;
        let id_of = |uri: &str| {
            let uri = Uri::parse(uri).ok()?;
            if uri == candidate.uri {
                Some(root.clone())
            } else {
                known.ids.get(&uri).cloned()
            }
        };
        let mut short: HashMap<StatusId, u64> = HashMap::new();
        for parent in missing.iter().filter_map(|m| id_of(m.in_reply_to.as_deref()?)) {
            *short.entry(parent).or_default() += 1;
        }
        let untold = missing.iter().filter(|m| m.in_reply_to.is_none()).count() as u64;
        let has = |id: &StatusId| known.children.get(id).copied().unwrap_or(0);
        let most = short
            .iter()
            .max_by_key(|(id, count)| (**count, *id == root, id.as_str()));
        let (witness, expected) = match most {
            Some((id, count)) if untold == 0 || id != root => (id.clone(), has(id) + count),
            // Some of those whose parent is not told may be direct replies: the origin's count knows, else all are.
            _ => {
                let all = known.direct() + short.get(root).copied().unwrap_or(0) + untold;
                (root.clone(), at_origin.unwrap_or(all).min(all))
            }
        };
        Self {
            thread: root.clone(),
            counted: has(&witness),
            witness,
            expected,
            missing,
            refresh,
            begun: Instant::now(),
            next_visit_at,
        }
    }

    /// The count says that what could come has come. It names no reply, so nothing is done yet: the next visit reads
    /// the thread anyway and proves it.
    async fn postpone(self, pass: &Pass<'_>) -> Result<(), JobError> {
        let until = self.next_visit_at + GRACE;
        let rows: Vec<_> = self.missing.iter().map(|m| (m.uri.clone(), until)).collect();
        wanted::schedule(&pass.cx.store, &pass.server, &rows).await?;
        pass.count("unproven", rows.len());
        Ok(())
    }

    /// Waits until home says that it has finished, looks, and asks for what did not come.
    pub(crate) async fn fill(self, pass: &Pass<'_>) -> Result<(), JobError> {
        let waited = (self.begun, pass.config.patience);
        let known = gather::refreshed(pass.cx, pass.client, &self.thread, &self.refresh, waited).await?;
        self.complete(pass, known).await
    }

    /// The same where home has most likely finished: the thread itself tells, since home names a fetch that still runs.
    async fn check(self, pass: &Pass<'_>) -> Result<(), JobError> {
        let known = gather::known(pass.client, &self.thread).await?;
        if known.refresh.is_some() {
            return self.fill(pass).await;
        }
        self.complete(pass, known).await
    }

    async fn complete(self, pass: &Pass<'_>, known: Known) -> Result<(), JobError> {
        pass.is_well();
        let arrived = known.arrived(self.missing.iter().map(|m| m.uri.as_str()));
        pass.mark_done(&arrived).await?;
        let have = known.uris();
        let lacking = |m: &plan::Missing| Uri::parse(&m.uri).is_ok_and(|uri| !have.contains(&uri));
        let gap: Vec<_> = self.missing.iter().filter(|m| lacking(m)).cloned().collect();
        if gap.is_empty() {
            return Ok(());
        }
        due_now(pass, &gap).await?;
        Batch::of_thread(pass, &self.thread, known, TimeDelta::zero())
            .among(&gap)
            .drain()
            .boxed()
            .await
            .map(drop)
    }
}

/// Sees to what our server fetches: leaves for the next visit to prove what the counts say has come, and completes the
/// rest.
pub(crate) async fn settle(pass: &Pass<'_>, mut waiting: Vec<Awaited>) -> Result<(), JobError> {
    let mut short = Vec::new();
    for look in 1..=LOOKS {
        // Set off first, through first.
        waiting.sort_by_key(|awaited| awaited.begun);
        let mut growing = Vec::new();
        let mut rest = waiting.into_iter().peekable();
        while rest.peek().is_some() {
            let some: Vec<Awaited> = rest.by_ref().take(BATCH).collect();
            let Some(due) = some
                .iter()
                .map(|awaited| awaited.begun + gather::pause(&awaited.refresh) * ((1 << look) - 1))
                .max()
            else {
                break;
            };
            gather::wait(pass.cx, due).await?;
            let ids: Vec<StatusId> = some.iter().map(|awaited| awaited.witness.clone()).collect();
            let Some(statuses) = pass.client.batch(&ids).await? else {
                short.extend(some);
                continue;
            };
            pass.is_well();
            let counts: HashMap<_, _> = statuses
                .iter()
                .filter_map(|status| Some((&status.id, status.replies_count?)))
                .collect();
            for mut awaited in some {
                let count = counts.get(&awaited.witness).copied().unwrap_or(0);
                if count >= awaited.expected {
                    awaited.postpone(pass).await?;
                } else if look > 1 && count <= awaited.counted {
                    let Awaited { thread, expected, .. } = &awaited;
                    tracing::debug!(%thread, expected, count, "home's own fetch stopped short");
                    short.push(awaited);
                } else {
                    awaited.counted = awaited.counted.max(count);
                    growing.push(awaited);
                }
            }
        }
        waiting = growing;
    }
    short.append(&mut waiting);
    let failure = stream::iter(short)
        .map(|awaited| async move {
            if pass.halted() {
                return Ok(());
            }
            match awaited.check(pass).boxed().await {
                Ok(()) => Ok(()),
                Err(error) => pass.ends(error),
            }
        })
        .buffer_unordered(pass.config.concurrency.max(1) * 8)
        .fold(None, |first, done| async move { first.or(done.err()) })
        .await;
    failure.map_or(Ok(()), Err)
}
