//! Makes home fetch wanted statuses and proves that they arrived: the one mechanism for all features.

use std::collections::{BTreeMap, HashSet, VecDeque};

use chrono::TimeDelta;
use futures::{FutureExt, StreamExt, stream};
use job::{JobError, Summary};
use model::{StatusId, Uri};
use store::wanted::{self, State, Wanted};

use super::{HOLD, Pass, View, proof};
use crate::{
    gather::{self, Known},
    plan,
};

/// Rows claimed at once.
const CLAIM: u32 = 50;

/// The due rows of one thread.
pub(crate) struct Batch<'a> {
    pass: &'a Pass<'a>,
    thread: StatusId,
    view: View,
    early: TimeDelta,
}

/// What became of one fetch.
enum Fetched {
    /// Home answered with it: its id there, and its parent's.
    Arrived(StatusId, Option<StatusId>),
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
            view: View::new(known),
            early,
        }
    }

    /// All that is missing in it, due or not.
    pub(crate) fn among(mut self, missing: &[plan::Missing]) -> Self {
        self.view.loose = Some(plan::loose(missing));
        self
    }

    /// Fetches what is due, while the run may, and gives how many rows were looked at. The ancestors that came along
    /// are proven when the pass ends.
    pub(crate) async fn drain(mut self) -> Result<usize, JobError> {
        let mut looked_at = 0;
        let mut end = Ok(());
        while end.is_ok() && !self.pass.halted() {
            let most = self.pass.spend(CLAIM);
            if most == 0 {
                break;
            }
            let rows = self.claim(most).await?;
            self.pass.unspend(usize::try_from(most).unwrap_or(0) - rows.len());
            let all = rows.len() == usize::try_from(most).unwrap_or(0);
            looked_at += rows.len();
            let rows = end_known(self.pass, &self.view.known, rows).await?;
            let count = rows.len();
            let freed = match resolve(self.pass, Some(&mut self.view), rows).boxed().await {
                Ok(asked) => count - asked.min(count),
                Err(error) => {
                    end = Err(error);
                    break;
                }
            };
            if !all || freed == count && count > 0 {
                break;
            }
            if freed > 0 && self.view.has_news() {
                // What was freed is due still, and most of it has come along.
                end = match proof::look(self.pass, &mut self.view).await {
                    Ok(()) => Ok(()),
                    Err(error) => self.pass.ends(error),
                };
            }
        }
        self.pass.prove_later(self.thread, self.view);
        end.map(|()| looked_at)
    }

    async fn claim(&self, most: u32) -> Result<Vec<Wanted>, JobError> {
        let Pass { cx, server, .. } = self.pass;
        let now = cx.clock.now();
        let thread = Some(self.thread.as_str());
        Ok(wanted::claim(&cx.store, server, thread, &cx.run, most, now + self.early, now + HOLD).await?)
    }
}

/// Ends the rows that home has and gives the rest.
async fn end_known(pass: &Pass<'_>, known: &Known, rows: Vec<Wanted>) -> Result<Vec<Wanted>, JobError> {
    let arrived = known.arrived(rows.iter().map(|row| row.uri.as_str()));
    pass.mark_done(&arrived).await?;
    let arrived: HashSet<String> = arrived.into_iter().map(|(uri, _)| uri).collect();
    pass.unspend(arrived.len());
    Ok(rows.into_iter().filter(|row| !arrived.contains(&row.uri)).collect())
}

async fn failed(pass: &Pass<'_>, row: &Wanted, reason: &str) -> Result<(), JobError> {
    let now = pass.cx.clock.now();
    let settings = &pass.config.wanted;
    let first = TimeDelta::from_std(settings.backoff).unwrap_or(TimeDelta::days(1));
    // A row is handed out with the tries before this one.
    let wait = plan::retry(row.tries + 1, first, settings.tries);
    let (next, state) = match wait {
        Some(wait) => (now + wait, None),
        None => (now, Some(State::Failed)),
    };
    pass.count(if state.is_some() { "failed" } else { "retried" }, 1);
    wanted::mark_failed(&pass.cx.store, &pass.server, &row.uri, reason, next, state, now).await?;
    Ok(())
}

/// Asks home for the leaves of `rows`, newest first and two at a time, and frees the others; gives how many were asked
/// for. An answer that carries the status is the proof that home has it.
async fn resolve(pass: &Pass<'_>, mut view: Option<&mut View>, rows: Vec<Wanted>) -> Result<usize, JobError> {
    let Pass { cx, server, .. } = pass;
    let (mut queue, mut free) = queue(pass, rows).await?;
    // Without a thread nothing comes along that one could look for.
    let loose = view.as_deref().map(|view| match &view.loose {
        Some(loose) => loose.clone(),
        None => plan::loose(&missing(queue.iter().map(|(_, row)| row))),
    });
    let loose = loose.unwrap_or_default();
    let mut end = Ok(());
    let mut asked = 0;
    while !queue.is_empty() && end.is_ok() && !pass.halted() {
        let told: Vec<bool> = queue.iter().map(|(_, row)| !loose.contains(&row.uri)).collect();
        let group: Vec<_> = queue.drain(..plan::together(&told)).collect();
        let mut answers = stream::iter(group)
            .map(|(uri, row)| async move { (fetch(pass, &uri).await, uri, row) })
            .buffer_unordered(2);
        while let Some((fetched, uri, row)) = answers.next().await {
            match fetched {
                Fetched::Arrived(id, parent) => {
                    pass.mark_done(&[(row.uri.clone(), Some(id.to_string()))]).await?;
                    if let Some(view) = &mut view {
                        view.arrived(uri, row.in_reply_to.as_deref(), id, parent);
                    }
                    asked += 1;
                }
                Fetched::Failed(reason) => {
                    failed(pass, &row, &reason).await?;
                    asked += 1;
                }
                Fetched::Held(error) => {
                    free.push(row.uri);
                    end = end.and(pass.ends(error));
                }
            }
        }
        if let Some(view) = view.as_deref_mut().filter(|view| view.has_news() && !queue.is_empty()) {
            match proof::look(pass, view).await {
                Ok(()) => {}
                Err(error) => end = end.and(pass.ends(error)),
            }
            let before = queue.len();
            queue.retain(|(uri, _)| !view.known.ids.contains_key(uri));
            pass.unspend(before - queue.len());
        }
    }
    free.extend(queue.into_iter().map(|(_, row)| row.uri));
    pass.unspend(free.len());
    wanted::release(&cx.store, server, &cx.run, &free).await?;
    end.map(|()| asked)
}

/// What to ask for, newest first, and what to free: it comes along with that.
async fn queue(pass: &Pass<'_>, rows: Vec<Wanted>) -> Result<(VecDeque<(Uri, Wanted)>, Vec<String>), JobError> {
    // The server's blocks may be younger than the wish.
    let mut open = Vec::new();
    for row in rows {
        match Uri::parse(&row.uri) {
            Ok(uri) if !pass.refuses(&uri.host()).await? => open.push((uri, row)),
            _ => {
                let now = pass.cx.clock.now();
                let (reason, state) = ("its server is blocked", Some(State::Blocked));
                wanted::mark_failed(&pass.cx.store, &pass.server, &row.uri, reason, now, state, now).await?;
                pass.count("blocked", 1);
            }
        }
    }
    open.sort_by_key(|(_, row)| row.found_at);
    let missing = missing(open.iter().map(|(_, row)| row));
    let leaves: HashSet<String> = plan::leaves(&missing).into_iter().collect();
    let (picked, others): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, row)| leaves.contains(&row.uri));
    let free = others.into_iter().map(|(_, row)| row.uri).collect();
    Ok((picked.into_iter().rev().collect(), free))
}

fn missing<'a>(rows: impl Iterator<Item = &'a Wanted>) -> Vec<plan::Missing> {
    rows.map(|row| plan::Missing {
        uri: row.uri.clone(),
        in_reply_to: row.in_reply_to.clone(),
    })
    .collect()
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
    let answer = pass.client.resolve(uri).await;
    if answer.is_ok() {
        pass.is_well();
    }
    match answer {
        Ok(Some(status)) if status.identity() == Some(uri) || status.url.as_ref() == Some(uri) => {
            Fetched::Arrived(status.id, status.in_reply_to_id)
        }
        Ok(Some(_)) => Fetched::Failed("home found another status at this address".to_owned()),
        Ok(None) => Fetched::Failed("home could not fetch it".to_owned()),
        // It may have worked all the same; a look at home comes before the next try.
        Err(mastodon::Error::Net(error @ (net::Error::Timeout { .. } | net::Error::Unreachable { .. }))) => {
            Fetched::Failed(error.to_string())
        }
        Err(
            error @ (mastodon::Error::NotFound { .. }
            | mastodon::Error::Gone { .. }
            | mastodon::Error::Forbidden { .. }
            | mastodon::Error::ServerDown { .. }
            | mastodon::Error::Invalid { .. }
            | mastodon::Error::NotJson { .. }),
        ) => Fetched::Failed(error.to_string()),
        Err(error) => Fetched::Held(error.into()),
    }
}

/// Drains what is due on the server of this run, whichever feature wants it.
pub(crate) async fn wanted(pass: &Pass<'_>) -> Result<Summary, JobError> {
    let steps = async {
        due(pass).await?;
        proof::prove(pass).await
    };
    pass.hold(steps.boxed()).await?;
    pass.cx.check_stop()?;
    Ok(pass.summary())
}

async fn due(pass: &Pass<'_>) -> Result<(), JobError> {
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
                wanted::release(&cx.store, server, &cx.run, &uris).await?;
                continue;
            }
            match claimed(pass, thread.map(StatusId::new), rows).await {
                Ok(left) => freed += left,
                Err(error) => {
                    wanted::release(&cx.store, server, &cx.run, &uris).await?;
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
    Ok(())
}

/// Verifies and fetches the leaves of the rest; gives how many rows were freed unasked.
async fn claimed(pass: &Pass<'_>, thread: Option<StatusId>, rows: Vec<Wanted>) -> Result<usize, JobError> {
    let Some(thread) = thread else {
        // Without a thread there is no context to look into: only an answer with the status itself counts.
        let count = rows.len();
        return Ok(count - resolve(pass, None, rows).boxed().await?.min(count));
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
    pass.is_well();
    let rows = end_known(pass, &known, rows).await?;
    let count = rows.len();
    let mut view = View::new(known);
    let asked = resolve(pass, Some(&mut view), rows).boxed().await;
    pass.prove_later(thread, view);
    Ok(count - asked?.min(count))
}
