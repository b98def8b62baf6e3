//! One pass over a source's statuses: concurrent across hosts, polite within one (which is `net`'s business).

use std::{
    collections::HashMap,
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use chrono::TimeDelta;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use job::{
    JobContext, JobError, Round, Summary,
    origins::{self, Refused},
};
use mastodon::Client;
use model::{Host, StatusId};
use store::{
    threads::{self, Thread},
    visits, wanted,
};
use tokio::sync::Semaphore;

use crate::{
    Config,
    apply::{Awaited, View, prove, settle, visit},
    gather::{self, Candidate, Found},
    plan::{self, Facts, Visit},
};

/// How long a run holds what it works on. It renews that while it lives, so this is what a crash costs.
pub(crate) const HOLD: TimeDelta = TimeDelta::minutes(2);
/// Threads whose reading set off nothing before our server is taken for one that fetches no replies itself.
const PLAIN: u32 = 3;

/// What all threads of a pass share.
pub(crate) struct Pass<'a> {
    pub(crate) cx: &'a JobContext,
    pub(crate) config: &'a Config,
    pub(crate) client: &'a Client,
    pub(crate) server: String,
    /// Fetches in flight on our own server: each holds one of its web threads for seconds.
    pub(crate) resolving: Semaphore,
    /// Threads worked on; those that wait for the server's refresh do not count.
    pub(crate) active: Semaphore,
    /// Fetches this run may still ask for.
    budget: AtomicI64,
    round: Round,
    refused: Refused,
    /// One thread for somebody who waits for it, whoever else may be at it.
    pub(crate) by_hand: bool,
    /// Looks at threads that set off no refresh, until one does.
    plain: AtomicU32,
    unproven: Mutex<Vec<(StatusId, View)>>,
    awaited: Mutex<Vec<Awaited>>,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(cx: &'a JobContext, config: &'a Config) -> Result<Self, JobError> {
        let login = cx.login()?;
        Ok(Self {
            cx,
            config,
            client: &login.client,
            server: login.server.clone(),
            resolving: Semaphore::new(2),
            active: Semaphore::new(config.concurrency.max(1)),
            budget: AtomicI64::new(i64::from(config.per_run)),
            round: Round::new(cx.stop.clone()),
            refused: Refused::default(),
            by_hand: false,
            plain: AtomicU32::new(0),
            unproven: Mutex::default(),
            awaited: Mutex::default(),
        })
    }

    /// A pass for one thread that somebody waits for.
    pub(crate) fn by_hand(cx: &'a JobContext, config: &'a Config) -> Result<Self, JobError> {
        Ok(Self {
            by_hand: true,
            ..Self::new(cx, config)?
        })
    }

    /// Does `work` and keeps what it holds from everybody else meanwhile. What it leaves behind is free at once; what
    /// a crash leaves is, after [`HOLD`].
    pub(crate) async fn hold<T>(&self, work: BoxFuture<'_, Result<T, JobError>>) -> Result<T, JobError> {
        let Self { cx, .. } = self;
        let keep = async {
            loop {
                tokio::time::sleep(HOLD.to_std().unwrap_or_default() / 4).await;
                let until = cx.clock.now() + HOLD;
                let renewed = async {
                    visits::renew(&cx.store, &cx.run, until).await?;
                    wanted::renew(&cx.store, &cx.run, until).await
                };
                if let Err(error) = renewed.await {
                    tracing::debug!(error = %error, "a hold was not renewed");
                }
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = keep => Err(JobError::Stopped),
        };
        let freed = async {
            visits::free_all(&cx.store, &cx.run).await?;
            wanted::free_all(&cx.store, &cx.run).await
        };
        let freed = freed.await;
        let done = done?;
        freed?;
        Ok(done)
    }

    /// Home has these: `(uri, id there)`.
    pub(crate) async fn mark_done(&self, arrived: &[(String, Option<String>)]) -> Result<(), JobError> {
        let done = wanted::mark_done(&self.cx.store, &self.server, arrived, self.cx.clock.now()).await?;
        self.count("arrived", done);
        Ok(())
    }

    /// What came along with what was fetched is looked for when all threads are through, 20 a request.
    pub(crate) fn prove_later(&self, thread: StatusId, view: View) {
        if view.has_news() {
            let mut unproven = self.unproven.lock().unwrap_or_else(PoisonError::into_inner);
            unproven.push((thread, view));
        }
    }

    pub(crate) fn unproven(&self) -> Vec<(StatusId, View)> {
        mem::take(&mut *self.unproven.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Our server has begun to fetch this thread itself.
    pub(crate) fn wait_for(&self, awaited: Awaited) {
        let mut all = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(awaited);
    }

    fn awaited(&self) -> Vec<Awaited> {
        mem::take(&mut *self.awaited.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What reading a thread told about our server.
    pub(crate) fn learn(&self, set_off: bool) {
        if set_off {
            self.plain.store(0, Ordering::Release);
        } else {
            self.plain.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Whether our server seems to fetch no replies itself.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain.load(Ordering::Acquire) >= PLAIN
    }

    /// Our server has answered: whatever was wrong is over.
    pub(crate) fn is_well(&self) {
        self.round.is_well();
    }

    pub(crate) fn count(&self, counter: &'static str, by: impl TryInto<i64>) {
        self.round.count(counter, by);
    }

    pub(crate) fn summary(&self) -> Summary {
        self.round.summary()
    }

    /// Up to `most` fetches, taken from what the run may still ask for.
    pub(crate) fn spend(&self, most: u32) -> u32 {
        let wanted = i64::from(most);
        let had = self
            .budget
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                Some(left - wanted.min(left.max(0)))
            })
            .unwrap_or(0);
        u32::try_from(wanted.min(had.max(0))).unwrap_or(0)
    }

    /// Gives fetches back that were not made.
    pub(crate) fn unspend(&self, unused: usize) {
        self.budget
            .fetch_add(i64::try_from(unused).unwrap_or(0), Ordering::AcqRel);
    }

    pub(crate) fn halted(&self) -> bool {
        self.round.halted()
    }

    /// Takes an error of our own server; see [`Round::ends`].
    pub(crate) fn ends(&self, error: JobError) -> Result<(), JobError> {
        self.round.ends(error)
    }

    /// Whether our server, or the operator, will have nothing of a host.
    pub(crate) async fn refuses(&self, host: &Host) -> Result<bool, JobError> {
        self.refused.has(self.cx, self.client, host).await
    }
}

/// Looks after what a source held.
///
/// Boxed, as the other large steps are: a future of one type per step is checked by the compiler once, not once for
/// every job.
pub(crate) fn run<'a>(pass: &'a Pass<'_>, found: Found) -> BoxFuture<'a, Result<Summary, JobError>> {
    let steps = async move {
        look_after(pass, found).await?;
        settle(pass, pass.awaited()).await?;
        prove(pass).await
    };
    async move {
        pass.hold(steps.boxed()).await?;
        pass.cx.check_stop().map(|()| pass.summary())
    }
    .boxed()
}

async fn look_after(pass: &Pass<'_>, found: Found) -> Result<(), JobError> {
    let cx = pass.cx;
    pass.count("looked_at", found.looked_at());
    pass.count("skipped_private", found.skipped_private);
    let attention = TimeDelta::from_std(pass.config.attention).unwrap_or(TimeDelta::days(7));
    let now = cx.clock.now();
    let mut young = found.candidates;
    young.retain(|candidate| now - candidate.created_at <= attention);

    let uris: Vec<String> = young.iter().map(|candidate| candidate.uri.to_string()).collect();
    let earlier: HashMap<String, Thread> = threads::load(&cx.store, &pass.server, &uris)
        .await?
        .into_iter()
        .map(|mut thread| {
            if origins::may_have_opened(cx, thread.trouble.as_deref()) {
                (thread.trouble, thread.next_visit_at) = (None, now);
            }
            (thread.uri.clone(), thread)
        })
        .collect();
    let resting = |candidate: &Candidate| {
        earlier
            .get(candidate.uri.as_str())
            .is_some_and(|thread| thread.trouble.is_some() && now < thread.next_visit_at)
    };
    let (rest, asked): (Vec<_>, Vec<_>) = young.into_iter().partition(resting);
    pass.count("resting", rest.len());
    let counts = gather::counts(cx, &pass.server, pass.config.concurrency, &asked, &earlier).await?;
    cx.check_stop()?;

    let mut due = Vec::new();
    for candidate in asked {
        let thread = earlier.get(candidate.uri.as_str());
        let at_origin = counts.get(&candidate.uri).copied();
        let facts = Facts {
            earlier: thread,
            created_at: candidate.created_at,
            at_home: candidate.replies,
            at_origin,
            now,
            attention,
        };
        if plan::visit(&facts) == Visit::Now {
            due.push((candidate, thread.cloned(), at_origin));
        }
    }
    cx.progress.begin("threads", u64::try_from(due.len()).ok());
    let failure = stream::iter(due)
        .map(|(candidate, thread, at_origin)| async move {
            if pass.halted() {
                return Ok(());
            }
            let done = visit(pass, &candidate, thread, at_origin).boxed().await;
            cx.progress.advance(1);
            match done {
                Ok(_) => Ok(()),
                Err(error) => pass.ends(error),
            }
        })
        // Those that wait for our server to fetch something hold no place among the active ones.
        .buffer_unordered(pass.config.concurrency.max(1) * 8)
        .fold(None, |first, done| async move { first.or(done.err()) })
        .await;
    match failure {
        Some(error) => Err(error),
        None => cx.check_stop(),
    }
}
