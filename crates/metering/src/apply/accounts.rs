//! Measuring: hosts side by side, each a page of accounts at a time.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use job::{JobContext, JobError, News, Summary, tell};
use mastodon::remote::ACCOUNTS_BATCH;
use model::Host;
use store::{
    findings::{self, AccountFinding},
    metered_accounts::{self, Metered},
    metered_events::{self, Event},
    metered_points::{self, Point},
    metered_wishes::{self, Wish},
    notices::Severity,
};
use uuid::Uuid;

use crate::{
    Config, gather,
    plan::{self, Answer, Plan, Slot, Told},
};

/// The most of a page: what one request can ask about.
const PAGE: u32 = 40;
const _: () = assert!(PAGE as usize == ACCOUNTS_BATCH, "a page is a batch");

/// What hosts add to at the same time.
#[derive(Debug, Default)]
struct Counters {
    measured: AtomicU64,
    failed: AtomicU64,
    gone: AtomicU64,
    events: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (name, counter) in [
            ("measured", &self.measured),
            ("failed", &self.failed),
            ("gone", &self.gone),
            ("events", &self.events),
        ] {
            summary.add(name, counter.load(Ordering::Relaxed));
        }
        summary
    }
}

/// Measures every account that this slot has no point of and that was not tried in it.
pub(crate) async fn slot(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let Some(slot) = Slot::of(&config.accounts.slots(), cx.clock.now()) else {
        return Ok(Summary::default());
    };
    let hosts = metered_accounts::due_hosts(&cx.store, slot.start).await?;
    let total: i64 = hosts.iter().map(|(_, count)| count).sum();
    let counters = Counters::default();
    cx.progress.begin("accounts measured", u64::try_from(total).ok());
    let measuring = stream::iter(hosts)
        .map(|(host, _)| {
            let counters = &counters;
            async move { one_host(cx, config, slot, &host, counters).await }
        })
        .buffer_unordered(config.concurrency);
    finish(measuring, &counters).await
}

/// Waits for all hosts: one that fails does not cost the others their page, and a stop stops all.
async fn finish(
    measuring: impl stream::Stream<Item = Result<(), JobError>>,
    counters: &Counters,
) -> Result<Summary, JobError> {
    let mut failed = None;
    let mut measuring = std::pin::pin!(measuring);
    while let Some(ended) = measuring.next().await {
        match ended {
            Ok(()) => {}
            Err(JobError::Stopped) => return Err(JobError::Stopped),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(counters.summary()),
    }
}

async fn one_host(
    cx: &JobContext,
    config: &Config,
    slot: Slot,
    host: &str,
    counters: &Counters,
) -> Result<(), JobError> {
    let mut after = 0;
    let mut trouble: Option<(String, TimeDelta)> = None;
    loop {
        cx.check_stop()?;
        // What is left belongs to the next slot: its run finds it.
        if slot.is_over(cx.clock.now()) {
            return Ok(());
        }
        let limit = if trouble.is_some() { 1000 } else { PAGE };
        let accounts = metered_accounts::due(&cx.store, host, slot.start, after, limit).await?;
        let Some(last) = accounts.last() else {
            return Ok(());
        };
        after = last.id;
        close_gaps(cx, slot, &accounts).await?;
        let answers = match &trouble {
            // The rest of a host that does not answer is not asked for.
            Some((reason, wait)) => {
                let failed = |account| (account, Answer::Failed(reason.clone(), *wait));
                accounts.into_iter().map(failed).collect()
            }
            None => {
                let page = gather::page(cx, &Host::stored(host), accounts, false).await?;
                trouble = page.trouble;
                page.answers
            }
        };
        cx.progress.advance(answers.len() as u64);
        carry_out(cx, config, slot, answers, counters).await?;
    }
}

/// Tries again what failed in this slot, and looks for archived accounts that may be back.
pub(crate) async fn retries(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let now = cx.clock.now();
    let Some(slot) = Slot::of(&config.accounts.slots(), now) else {
        return Ok(Summary::default());
    };
    let due = metered_accounts::again(&cx.store, slot.start, now, config.retries.per_run).await?;
    let counters = Counters::default();
    let measuring = stream::iter(by_host(due))
        .map(|(host, accounts)| {
            let counters = &counters;
            async move {
                let mut trouble: Option<(String, TimeDelta)> = None;
                for page in accounts.chunks(PAGE as usize) {
                    cx.check_stop()?;
                    let singly = page.iter().any(|account| account.tries >= 2);
                    let answers = match &trouble {
                        Some((reason, wait)) => page
                            .iter()
                            .map(|account| (account.clone(), Answer::Failed(reason.clone(), *wait)))
                            .collect(),
                        None => {
                            let page = gather::page(cx, &Host::stored(&host), page.to_vec(), singly).await?;
                            trouble = page.trouble;
                            page.answers
                        }
                    };
                    carry_out(cx, config, slot, answers, counters).await?;
                }
                Ok(())
            }
        })
        .buffer_unordered(config.concurrency);
    finish(measuring, &counters).await
}

/// Measures these accounts now: for their slot where it has no point yet, else beside it.
pub(crate) async fn now(cx: &JobContext, config: &Config, accounts: Vec<Metered>) -> Result<Summary, JobError> {
    let now = cx.clock.now();
    let slot = Slot::of(&config.accounts.slots(), now).unwrap_or(Slot {
        start: now.timestamp(),
        step: 86_400,
    });
    let counters = Counters::default();
    for (host, accounts) in by_host(accounts) {
        for page in accounts.chunks(PAGE as usize) {
            let page = gather::page(cx, &Host::stored(&host), page.to_vec(), false).await?;
            let (done, open): (Vec<_>, Vec<_>) = page
                .answers
                .into_iter()
                .partition(|(account, _)| account.measured_slot >= slot.start);
            carry_out(cx, config, slot, open, &counters).await?;
            carry_out(cx, config, slot.beside(now), done, &counters).await?;
        }
    }
    Ok(counters.summary())
}

fn by_host(accounts: Vec<Metered>) -> BTreeMap<String, Vec<Metered>> {
    let mut hosts: BTreeMap<String, Vec<Metered>> = BTreeMap::new();
    for account in accounts {
        hosts.entry(account.host.clone()).or_default().push(account);
    }
    hosts
}

/// A slot that was tried and is over without a point is a gap, with its reason. Written once, when the next slot looks
/// at the account: until then it may still be measured.
async fn close_gaps(cx: &JobContext, slot: Slot, accounts: &[Metered]) -> Result<(), JobError> {
    for account in accounts {
        if account.tried_slot > account.measured_slot
            && account.tried_slot < slot.start
            && let Some(trouble) = &account.trouble
        {
            metered_points::save_gap(&cx.store, account.id, account.tried_slot, slot.step, trouble).await?;
        }
    }
    Ok(())
}

/// Writes what a page came to.
async fn carry_out(
    cx: &JobContext,
    config: &Config,
    slot: Slot,
    answers: Vec<(Metered, Answer)>,
    counters: &Counters,
) -> Result<(), JobError> {
    if answers.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = answers.iter().map(|(account, _)| account.id).collect();
    let newest: Vec<Point> = metered_points::newest(&cx.store, &ids).await?;
    let now = cx.clock.now();
    let plan = plan::page(config, slot, now, &answers, &newest);
    Counters::add(&counters.measured, plan.batch.measured.len());
    Counters::add(&counters.failed, plan.failed.values().map(Vec::len).sum());
    counters.gone.fetch_add(plan.gone, Ordering::Relaxed);
    Counters::add(&counters.events, plan.events.len());
    write(cx, slot, now, plan).await
}

async fn write(cx: &JobContext, slot: Slot, now: DateTime<Utc>, plan: Plan) -> Result<(), JobError> {
    let db = &cx.store;
    // Events first: should the rest be lost, the next look finds the same once more, and a doubled line in a history
    // is better than a missing one.
    let events: Vec<Event> = plan
        .events
        .iter()
        .map(|event| Event {
            id: Uuid::now_v7().to_string(),
            account: event.account,
            at: now,
            kind: event.kind.to_owned(),
            was: event.was.clone(),
            became: event.became.clone(),
        })
        .collect();
    metered_events::insert(db, &events).await?;
    metered_points::save(db, &plan.batch).await?;
    for ((reason, wait), accounts) in &plan.failed {
        let next = now + TimeDelta::seconds(*wait);
        metered_accounts::mark_failed(db, accounts, slot.start, reason, next).await?;
    }
    for account in &plan.saves {
        metered_accounts::save(db, account).await?;
    }
    follow(cx, now, &plan.moves).await?;
    for told in &plan.news {
        let news = News {
            feature: "metering",
            kind: told.kind,
            about: &told.acct,
            severity: Severity::Info,
            text: &told.text,
        };
        tell(db, &*cx.clock, news).await;
        if matches!(told.kind, "spike" | "drop") {
            tell_moderators(cx, now, told).await?;
        }
    }
    Ok(())
}

/// Somebody whose counts jump may be worth a moderator's look, at each server of ours.
async fn tell_moderators(cx: &JobContext, now: DateTime<Utc>, told: &Told) -> Result<(), JobError> {
    let servers: BTreeSet<&str> = cx.logins.iter().map(|login| login.server.as_str()).collect();
    for server in servers {
        let is_local = told.host == server;
        let name = told.acct.split('@').next().unwrap_or_default();
        let finding = AccountFinding {
            id: Uuid::now_v7().to_string(),
            feature: "metering".to_owned(),
            server: server.to_owned(),
            account_id: told.remote_id.clone().filter(|_| is_local).unwrap_or_default(),
            acct: if is_local { name } else { &told.acct }.to_owned(),
            kind: told.kind.to_owned(),
            text: told.text.clone(),
            at: now,
        };
        findings::tell_account(&cx.store, &finding).await?;
    }
    Ok(())
}

/// Asks for the accounts that others moved to, in the same groups.
async fn follow(cx: &JobContext, now: DateTime<Utc>, moves: &[(i64, String)]) -> Result<(), JobError> {
    if moves.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = moves.iter().map(|(account, _)| *account).collect();
    let mut groups: HashMap<i64, Vec<String>> = HashMap::new();
    for (account, group) in metered_accounts::groups_of(&cx.store, &ids).await? {
        groups.entry(account).or_default().push(group);
    }
    let wishes: Vec<Wish> = moves
        .iter()
        .map(|(account, to)| crate::wish(to, groups.remove(account).unwrap_or_default(), "moved", now))
        .collect();
    metered_wishes::insert(&cx.store, &wishes).await?;
    Ok(())
}
