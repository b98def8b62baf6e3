//! One struct per job, tying gather, plan and apply together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;
use job::{Job, JobContext, JobError, Login, Mode, News, Summary, job};
use store::{
    block_entries,
    block_plans::{self, State},
    notices::Severity,
};

use crate::{
    Config,
    apply::{self, Author, Carrier, Done},
    config::Policy,
    gather::{self, Counts, Gathered},
    outputs,
    plan::{Kind, Plan, Topic},
    stage, undo,
};

/// Plans that nobody waits for are kept this long.
const KEEP_PLANS: TimeDelta = TimeDelta::days(30);

job!(
    /// Reads the lists, once for all servers.
    Lists, "blocklists.lists", Daemon, &[],
    |cx, config: Config| {
        let summary = gather::refresh(cx, config.sources.clone(), false).await?;
        remember(cx, config).await?;
        gather::keep_away(&cx.store, &config.sources).await?;
        outputs::publish(cx, config).await?;
        block_plans::delete_older(&cx.store, cx.clock.now() - KEEP_PLANS).await?;
        Ok(summary)
    }
);
job!(
    /// Brings one server's blocks in line with its policy.
    DomainBlocks, "blocklists.domain_blocks", Server, &["admin:read:domain_blocks", "admin:write:domain_blocks"],
    |cx, config: Config| bring_in_line(cx, config).await
);

/// One run for one server.
async fn bring_in_line(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let Some(policy) = config.policy(&login.server) else {
        return Ok(Summary::default());
    };
    // The mode that holds, which may be another than the config's.
    let mode = cx.effects.mode();
    // What is only rehearsed is not taken back: the wish stays until it can be.
    let undone = match mode {
        Mode::Act => take_back(cx, policy, login).await?,
        Mode::Observe => Done::default(),
    };
    let unread = config.sources_of(policy).cloned().collect();
    gather::refresh(cx, unread, true).await?;
    let counts = if mode == Mode::Act || policy.count_follows {
        Counts::Ask
    } else {
        Counts::Skip
    };
    let mut gathered = plan(cx, config, policy, login, counts).await?;
    let mut summary = Summary::default();
    undone.count(&mut summary);
    count(&gathered.plan, &mut summary);
    // An approval holds for what is left of the plan it was given to: a run that was cut off goes on.
    let who = approval(cx, &gathered.plan).await?;
    let is_new = save(cx, &gathered.plan, who.as_deref()).await?;
    // The same rehearsal every hour says nothing new.
    if mode == Mode::Observe && !is_new && who.is_none() {
        return Ok(summary);
    }
    let author = Author {
        run: cx.run.clone(),
        who: who.clone().unwrap_or_else(|| "blocklists.domain_blocks".to_owned()),
        at: cx.clock.now(),
    };
    let mut done = carry_out(cx, login, &mut gathered, author, who.is_some()).await?;
    if done.writes() > 0 {
        after(cx, config, policy, login, counts, &mut gathered, &mut done).await?;
    }
    done.count(&mut summary);
    let told = tell(cx, policy, &mut gathered).await?;
    if told > 0 {
        summary.add("told", told);
    }
    Ok(summary)
}

/// Keeps lists and policies where pages find them, to explain by.
async fn remember(cx: &JobContext, config: &Config) -> Result<(), JobError> {
    let used = Config {
        outputs: Vec::new(),
        ..config.clone()
    };
    let value = serde_json::to_value(used).map_err(|error| JobError::Permanent(error.into()))?;
    if block_plans::config(&cx.store).await?.as_ref() != Some(&value) {
        block_plans::save_config(&cx.store, &value, cx.clock.now()).await?;
    }
    Ok(())
}

/// Tells of suspensions to come. Gives of how many.
///
/// # Errors
/// When the store fails.
pub async fn tell(cx: &JobContext, policy: &Policy, gathered: &mut Gathered) -> Result<usize, JobError> {
    let Gathered {
        plan, ties, entries, ..
    } = gathered;
    stage::tell(cx, &plan.server, policy.stage, ties, entries).await
}

/// Who approved a plan, or one that this is a part of.
async fn approval(cx: &JobContext, plan: &Plan) -> Result<Option<String>, JobError> {
    let approved = block_plans::open(&cx.store).await?.into_iter().find(|stored| {
        let is_ours = stored.server == plan.server && stored.policy == plan.policy;
        is_ours && stored.state == State::Approved && (stored.hash == plan.hash || holds_all(&stored.plan, plan))
    });
    Ok(approved.map(|stored| stored.who.unwrap_or_else(|| "somebody".to_owned())))
}

/// Whether everything in `plan` that waits for a human is in a plan that a human saw.
fn holds_all(seen: &serde_json::Value, plan: &Plan) -> bool {
    let Ok(seen) = serde_json::from_value::<Plan>(seen.clone()) else {
        return false;
    };
    plan.held()
        .filter(|it| it.hold.as_ref().is_some_and(|hold| hold.human))
        .all(|now| {
            seen.operations
                .iter()
                .any(|then| then.domain == now.domain && then.action == now.action)
        })
}

/// Takes back the runs that somebody asked to have undone.
async fn take_back(cx: &JobContext, policy: &Policy, login: &Login) -> Result<Done, JobError> {
    let mut all = Done::default();
    let wanted = block_plans::open(&cx.store).await?;
    for wanted in wanted
        .iter()
        .filter(|it| it.server == login.server && it.policy.starts_with("undo "))
    {
        let Some(run) = wanted.plan["run"].as_str() else {
            continue;
        };
        let changes = block_entries::of_run(&cx.store, run).await?;
        let plan = undo::undo(&login.server, &changes, &gather::blocks(login).await?);
        let guard = gather::guard(cx, login, policy).await?;
        let author = Author {
            // A run of its own in the record, so that it can be told from what else this run does.
            run: uuid::Uuid::now_v7().to_string(),
            who: wanted.who.clone().unwrap_or_else(|| "somebody".to_owned()),
            at: cx.clock.now(),
        };
        let done = undo::carry_out(cx, login, &guard, &plan, author, Some(&changes)).await?;
        // What waits (for the quota, for the end of a panic stop) or is unclear is left to the next run.
        if done.waiting + done.unknown == 0 {
            let now = cx.clock.now();
            let run = Some(done.run.as_str());
            block_plans::advance(&cx.store, &wanted.server, &wanted.hash, State::Applied, None, run, now).await?;
        }
        all.created += done.created;
        all.updated += done.updated;
        all.deleted += done.deleted;
        all.waiting += done.waiting;
        all.unknown += done.unknown;
        all.failed.extend(done.failed);
        all.astray.extend(done.astray);
    }
    Ok(all)
}

/// The feature's jobs: none without a policy.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    if config.policies.is_empty() {
        return Vec::new();
    }
    let config = &Arc::new(config.clone());
    let mut jobs = vec![
        Lists::job(config, config.lists.section()),
        DomainBlocks::job(config, config.domain_blocks.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}

/// Looks after what an earlier run left behind, then plans, and writes what planning found out about our records.
///
/// # Errors
/// When the server or the store cannot be read.
pub async fn plan(
    cx: &JobContext,
    config: &Config,
    policy: &Policy,
    login: &Login,
    counts: Counts,
) -> Result<Gathered, JobError> {
    cx.check_stop()?;
    if !block_entries::unrecorded(&cx.store, &login.server).await?.is_empty() {
        let live = gather::blocks(login).await?;
        apply::reconcile(cx, login, &live).await?;
    }
    plan_anew(cx, config, policy, login, counts, BTreeMap::new()).await
}

/// Plans, and writes what that found out about our records.
async fn plan_anew(
    cx: &JobContext,
    config: &Config,
    policy: &Policy,
    login: &Login,
    counts: Counts,
    counted: BTreeMap<String, mastodon::Ties>,
) -> Result<Gathered, JobError> {
    let mut gathered = gather::plan(cx, config, policy, login, counts, counted).await?;
    // Where a change of ours may still be on its way, what the server shows is nobody's change by hand.
    let on_their_way = apply::on_their_way(cx, &login.server).await?;
    let plan = &mut gathered.plan;
    plan.states.retain(|change| !on_their_way.contains(&change.domain));
    apply::remember(cx, plan, &mut gathered.entries).await?;
    Ok(gathered)
}

/// Saves a plan as the server's newest, approved if somebody did; `true` when it is a new one.
///
/// # Errors
/// When the store fails.
pub async fn save(cx: &JobContext, plan: &Plan, approved_by: Option<&str>) -> Result<bool, JobError> {
    let now = cx.clock.now();
    let value = serde_json::to_value(plan).map_err(|error| JobError::Permanent(error.into()))?;
    let state = match approved_by {
        _ if plan.operations.is_empty() => State::Applied,
        // What is left of an approved plan is approved, however often it is cut off.
        Some(_) => State::Approved,
        None => State::Open,
    };
    let row = block_plans::Plan {
        server: plan.server.clone(),
        hash: plan.hash.clone(),
        policy: plan.policy.clone(),
        state,
        plan: value,
        who: approved_by.map(str::to_owned),
        run: None,
        made_at: now,
        changed_at: now,
    };
    let is_new = block_plans::save(&cx.store, &row).await?;
    let waiting = plan
        .held()
        .filter(|it| it.hold.as_ref().is_some_and(|hold| hold.human))
        .count();
    if is_new && waiting > 0 && approved_by.is_none() {
        let text = format!(
            "{waiting} changes of blocks wait for a human on {}: the Blocklists page and `egret blocks plan` show why",
            plan.server
        );
        let news = News {
            feature: "blocklists",
            kind: "plan_waits",
            about: &plan.server,
            severity: Severity::Warning,
            text: &text,
        };
        job::tell(&cx.store, &*cx.clock, news).await;
    }
    Ok(is_new)
}

/// Carries a plan out: what nothing holds, and with an approval what waits for one.
///
/// # Errors
/// See [`Carrier::carry_out`].
pub async fn carry_out(
    cx: &JobContext,
    login: &Login,
    gathered: &mut Gathered,
    author: Author,
    approved: bool,
) -> Result<Done, JobError> {
    if gathered.plan.free(approved).next().is_some() {
        cx.effects.before_changes(login, cx).await?;
    }
    let mut carrier = Carrier {
        cx,
        login,
        author,
        guard: &gathered.guard,
        entries: std::mem::take(&mut gathered.entries),
    };
    let done = carrier.carry_out(gathered.plan.free(approved)).await;
    gathered.entries = carrier.entries;
    done
}

/// Looks at the server again, says what is not as it should be, and saves what is left as the new plan.
///
/// # Errors
/// When the server or the store cannot be read.
pub async fn after(
    cx: &JobContext,
    config: &Config,
    policy: &Policy,
    login: &Login,
    counts: Counts,
    before: &mut Gathered,
    done: &mut Done,
) -> Result<(), JobError> {
    let approved = approval(cx, &before.plan).await?.filter(|_| done.waiting > 0);
    let run = Some(done.run.as_str());
    block_plans::advance(
        &cx.store,
        &before.plan.server,
        &before.plan.hash,
        State::Applied,
        None,
        run,
        cx.clock.now(),
    )
    .await?;
    let gathered = plan_anew(cx, config, policy, login, counts, before.ties.clone()).await?;
    save(cx, &gathered.plan, approved.as_deref()).await?;
    let carried: BTreeSet<String> = block_entries::of_run(&cx.store, &done.run)
        .await?
        .into_iter()
        .map(|change| change.domain)
        .collect();
    // What was carried out is not wanted again; where it is, the server shows something else than it answered.
    let again = gathered.plan.free(true).filter(|now| {
        carried.contains(&now.domain)
            && before
                .plan
                .operations
                .iter()
                .any(|then| then.domain == now.domain && then.action == now.action)
    });
    done.astray = again.map(|now| now.domain.clone()).collect();
    *before = gathered;
    Ok(())
}

fn count(plan: &Plan, summary: &mut Summary) {
    for (name, count) in [
        ("to_create", plan.count(Kind::Create)),
        ("to_update", plan.count(Kind::Update)),
        ("to_weaken", plan.count(Kind::Weaken)),
        ("to_lift", plan.count(Kind::Remove)),
        ("held", plan.held().count()),
        (
            "suggested",
            plan.notes.iter().filter(|note| note.topic == Topic::Suggestion).count(),
        ),
        ("doubts", plan.doubts.len()),
    ] {
        if count > 0 {
            summary.add(name, count);
        }
    }
}
