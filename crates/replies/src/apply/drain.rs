//! Makes home fetch wanted statuses and proves that they arrived: the one mechanism for all features.

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use job::{JobError, Summary};
use model::{StatusId, Uri};
use store::wanted::{self, State, Wanted};

use super::Pass;
use crate::{
    gather::{self, Known},
    plan,
};

/// Rows claimed at once, and for how long: each fetch may take two minutes.
const CLAIM: u32 = 50;
const HOLD: TimeDelta = TimeDelta::minutes(60);

/// The due rows of one thread, or of none.
pub(crate) struct Batch<'a> {
    pass: &'a Pass<'a>,
    thread: StatusId,
    known: Known,
    early: TimeDelta,
}

/// What became of one fetch.
enum Fetched {
    Arrived(StatusId),
    Failed(String),
    /// Nothing was sent, or it does not count: our server is busy.
    Held(JobError),
}

impl<'a> Batch<'a> {
    /// The rows of `thread` that are due within `early`; `known` is what home was just seen to have of it.
    pub(crate) fn of_thread(pass: &'a Pass<'a>, thread: &StatusId, known: Known, early: TimeDelta) -> Self {
        Self {
            pass,
            thread: thread.clone(),
            known,
            early,
        }
    }

    /// Fetches what is due, while the run may, and gives how many rows were looked at.
    pub(crate) async fn drain(mut self) -> Result<usize, JobError> {
        let mut looked_at = 0;
        let mut sent = Vec::new();
        let mut end = Ok(());
        while end.is_ok() && !self.pass.halted() {
            let most = self.pass.spend(CLAIM);
            if most == 0 {
                break;
            }
            let rows = self.claim(most).await?;
            self.pass.unspend(usize::try_from(most).unwrap_or(0) - rows.len());
            if rows.is_empty() {
                break;
            }
            looked_at += rows.len();
            let all = rows.len() == usize::try_from(most).unwrap_or(0);
            end = resolve(self.pass, self.missing(rows).await?, &mut sent).await;
            if !all {
                break;
            }
        }
        if !sent.is_empty() {
            self.known = match gather::known(self.pass.client, &self.thread).await {
                Ok(known) => known,
                // What was seen to arrive is done already; the rest keeps its try and is verified at the next.
                Err(error) => return end.and(Err(error.into())),
            };
            self.settle(&sent).await?;
        }
        end.map(|()| looked_at)
    }

    async fn claim(&self, most: u32) -> Result<Vec<Wanted>, JobError> {
        let Pass { cx, server, .. } = self.pass;
        let now = cx.clock.now();
        let thread = Some(self.thread.as_str());
        Ok(wanted::claim(&cx.store, server, thread, &cx.run, most, now + self.early, now + HOLD).await?)
    }

    /// Ends the rows that home has and gives the rest.
    async fn missing(&self, rows: Vec<Wanted>) -> Result<Vec<Wanted>, JobError> {
        end_known(self.pass, &self.known, rows).await
    }

    /// One look at home ends what arrived: what was asked for and the ancestors that came along.
    async fn settle(&self, sent: &[Sent]) -> Result<(), JobError> {
        let pass = self.pass;
        let now = pass.cx.clock.now();
        let uris = self
            .known
            .ids
            .iter()
            .map(|(uri, id)| (uri.to_string(), Some(id.to_string())));
        let done = wanted::mark_done(&pass.cx.store, &pass.server, &uris.collect::<Vec<_>>(), now).await?;
        pass.count("arrived", done);
        let arrived: HashSet<String> = self.known.ids.keys().map(Uri::to_string).collect();
        for sent in sent.iter().filter(|sent| !arrived.contains(&sent.row.uri)) {
            failed(pass, sent).await?;
        }
        Ok(())
    }
}

/// A fetch that did not show the status.
struct Sent {
    row: Wanted,
    reason: Option<String>,
}

async fn failed(pass: &Pass<'_>, sent: &Sent) -> Result<(), JobError> {
    let Some(reason) = &sent.reason else { return Ok(()) };
    let now = pass.cx.clock.now();
    let settings = &pass.config.wanted;
    let first = TimeDelta::seconds(i64::from(settings.backoff));
    // A row is handed out with the tries before this one.
    let wait = plan::retry(sent.row.tries + 1, first, settings.tries);
    let (next, state) = match wait {
        Some(wait) => (now + wait, None),
        None => (now, Some(State::Failed)),
    };
    pass.count(if state.is_some() { "failed" } else { "retried" }, 1);
    wanted::mark_failed(&pass.cx.store, &pass.server, &sent.row.uri, reason, next, state, now).await?;
    Ok(())
}

async fn end_known(pass: &Pass<'_>, known: &Known, rows: Vec<Wanted>) -> Result<Vec<Wanted>, JobError> {
    let arrived = known.arrived(rows.iter().map(|row| row.uri.as_str()));
    let done = wanted::mark_done(&pass.cx.store, &pass.server, &arrived, pass.cx.clock.now()).await?;
    pass.count("arrived", done);
    let arrived: HashSet<String> = arrived.into_iter().map(|(uri, _)| uri).collect();
    pass.unspend(arrived.len());
    Ok(rows.into_iter().filter(|row| !arrived.contains(&row.uri)).collect())
}

/// Asks home for the leaves of `rows`, two at a time, and frees the others.
async fn resolve(pass: &Pass<'_>, mut rows: Vec<Wanted>, sent: &mut Vec<Sent>) -> Result<(), JobError> {
    let Pass { cx, server, .. } = pass;
    let mut free = Vec::new();
    // The server's blocks may be younger than the wish.
    let mut open = Vec::new();
    for row in rows.drain(..) {
        match Uri::parse(&row.uri) {
            Ok(uri) if !pass.refuses(&uri.host()).await? => open.push((uri, row)),
            _ => {
                let now = cx.clock.now();
                let (reason, state) = ("its server is blocked", Some(State::Blocked));
                wanted::mark_failed(&cx.store, server, &row.uri, reason, now, state, now).await?;
                pass.count("blocked", 1);
            }
        }
    }
    open.sort_by_key(|(_, row)| row.found_at);
    let missing: Vec<_> = open
        .iter()
        .map(|(_, row)| plan::Missing {
            uri: row.uri.clone(),
            in_reply_to: row.in_reply_to.clone(),
        })
        .collect();
    // Rows due at once are leaves already, chosen in sight of the whole thread; halving them again is for those
    // that come back later.
    let fresh = open.iter().all(|(_, row)| row.next_try_at <= row.found_at);
    let leaves: HashSet<String> = if fresh {
        missing.iter().map(|m| m.uri.clone()).collect()
    } else {
        plan::leaves(&missing).into_iter().collect()
    };
    let (picked, others): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, row)| leaves.contains(&row.uri));
    free.extend(others.into_iter().map(|(_, row)| row.uri));

    let mut answers = stream::iter(picked.into_iter().rev())
        .map(|(uri, row)| async move { (fetch(pass, &uri).await, row) })
        .buffer_unordered(2);
    let mut end = Ok(());
    while let Some((fetched, row)) = answers.next().await {
        match fetched {
            Fetched::Arrived(id) => {
                let now = cx.clock.now();
                let done = [(row.uri.clone(), Some(id.to_string()))];
                let done = wanted::mark_done(&cx.store, server, &done, now).await?;
                pass.count("arrived", done);
                sent.push(Sent { row, reason: None });
            }
            Fetched::Failed(reason) => sent.push(Sent {
                row,
                reason: Some(reason),
            }),
            Fetched::Held(error) => {
                free.push(row.uri);
                end = end.and(pass.ends(error));
            }
        }
    }
    drop(answers);
    pass.unspend(free.len());
    wanted::release(&cx.store, server, &free).await?;
    end
}

/// One fetch. An empty 200 is the server's way of saying that it failed.
async fn fetch(pass: &Pass<'_>, uri: &Uri) -> Fetched {
    let Ok(_turn) = pass.resolving.acquire().await else {
        return Fetched::Held(JobError::Stopped);
    };
    if pass.halted() {
        return Fetched::Held(JobError::Stopped);
    }
    pass.count("resolves", 1);
    match pass.client.resolve(uri).await {
        Ok(Some(status)) if status.identity() == Some(uri) || status.url.as_ref() == Some(uri) => {
            Fetched::Arrived(status.id)
        }
        Ok(Some(_)) => Fetched::Failed("home found another status at this address".to_owned()),
        Ok(None) => Fetched::Failed("home could not fetch it".to_owned()),
        // It may have worked all the same; the look at home tells.
        Err(mastodon::Error::Net(error @ (net::Error::Timeout { .. } | net::Error::Unreachable { .. }))) => {
            Fetched::Failed(error.to_string())
        }
        Err(
            error @ (mastodon::Error::NotFound { .. }
            | mastodon::Error::Gone { .. }
            | mastodon::Error::Forbidden { .. }
            | mastodon::Error::ServerDown { .. }
            | mastodon::Error::NotJson { .. }),
        ) => Fetched::Failed(error.to_string()),
        Err(error) => Fetched::Held(error.into()),
    }
}

/// Drains what is due on the server of this run, whichever feature wants it.
pub(crate) async fn wanted(pass: &Pass<'_>) -> Result<Summary, JobError> {
    let Pass { cx, server, .. } = pass;
    cx.progress.begin("wanted statuses", None);
    while !pass.halted() {
        let most = pass.spend(CLAIM * 4);
        if most == 0 {
            break;
        }
        let now = cx.clock.now();
        let rows = wanted::claim(&cx.store, server, None, &cx.run, most, now, now + HOLD).await?;
        pass.unspend(usize::try_from(most).unwrap_or(0) - rows.len());
        if rows.is_empty() {
            break;
        }
        let mut threads: BTreeMap<Option<String>, Vec<Wanted>> = BTreeMap::new();
        for row in rows {
            threads.entry(row.thread.clone()).or_default().push(row);
        }
        let mut freed = 0;
        for (thread, rows) in threads {
            let count = rows.len();
            let uris: Vec<String> = rows.iter().map(|row| row.uri.clone()).collect();
            if pass.halted() {
                wanted::release(&cx.store, server, &uris).await?;
                continue;
            }
            match claimed(pass, thread.map(StatusId::new), rows).await {
                Ok(left) => freed += left,
                Err(error) => {
                    wanted::release(&cx.store, server, &uris).await?;
                    pass.ends(error)?;
                    freed += count;
                }
            }
            cx.progress.advance(u64::try_from(count).unwrap_or(0));
        }
        // What was freed is due still: it waits for its replies to bring it, until the next run.
        if freed > 0 {
            break;
        }
    }
    cx.check_stop()?;
    Ok(pass.summary())
}

/// Verifies, fetches the leaves of the rest and verifies again; gives how many rows were freed unasked.
async fn claimed(pass: &Pass<'_>, thread: Option<StatusId>, rows: Vec<Wanted>) -> Result<usize, JobError> {
    let mut sent = Vec::new();
    let Some(thread) = thread else {
        // Without a thread there is no context to look into: only an answer with the status itself counts.
        resolve(pass, rows, &mut sent).await?;
        for sent in &sent {
            failed(pass, sent).await?;
        }
        return Ok(0);
    };
    // They may have come along, or been fetched by a run that died before it could say so.
    let known = match gather::known(pass.client, &thread).await {
        Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => {
            let now = pass.cx.clock.now();
            for row in &rows {
                let (reason, state) = ("the thread is gone from home", Some(State::Gone));
                wanted::mark_failed(&pass.cx.store, &pass.server, &row.uri, reason, now, state, now).await?;
            }
            pass.count("gone", rows.len());
            return Ok(0);
        }
        answer => answer?,
    };
    let rows = end_known(pass, &known, rows).await?;
    let count = rows.len();
    let end = resolve(pass, rows, &mut sent).await;
    let freed = count - sent.len().min(count);
    if !sent.is_empty() {
        let known = gather::known(pass.client, &thread).await?;
        Batch::of_thread(pass, &thread, known, TimeDelta::zero())
            .settle(&sent)
            .await?;
    }
    end.map(|()| freed)
}
