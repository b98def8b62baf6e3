//! Looking again: edits, deletions, what was taken back, polls that ended.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use mastodon::raw_field;
use model::StatusId;
use store::archive::{
    self, Item, NewActivity, Page,
    recheck::{self, Due, Why},
};

use super::{keep::keep, stumbles::Stumbles, walk::tell};
use crate::{
    Config, gather,
    item::{self, Owner},
    json_files,
};

/// Statuses asked for at once.
const BATCH: usize = 20;

/// Asks for statuses that were not looked at for long, and for the versions of edited ones.
pub(crate) async fn recheck(cx: &JobContext, all: &Config) -> Result<Summary, JobError> {
    let config = &all.recheck;
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let owner = Owner {
        server: &login.server,
        acct: &me.acct,
    };
    let mut summary = Summary::default();
    let before = cx.clock.now() - TimeDelta::from_std(config.after).unwrap_or(TimeDelta::days(30));
    let due = recheck::due(
        &cx.store,
        &login.name,
        &login.server,
        Why::Unchecked(before),
        config.per_run,
    )
    .await?;
    cx.progress.begin("statuses", u64::try_from(due.len()).ok());
    let mut stumbles = Stumbles::default();
    for chunk in due.chunks(BATCH) {
        cx.check_stop()?;
        look(cx, all, owner, chunk, &mut stumbles, &mut summary).await?;
        cx.progress.advance(chunk.len() as u64);
    }
    histories(cx, owner, config.per_run, &mut stumbles, &mut summary).await?;
    Ok(summary)
}

/// Reads polls again that have ended.
pub(crate) async fn polls(cx: &JobContext, all: &Config, per_run: u32) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let owner = Owner {
        server: &login.server,
        acct: &me.acct,
    };
    let mut summary = Summary::default();
    let due = recheck::due(
        &cx.store,
        &login.name,
        &login.server,
        Why::Poll(cx.clock.now()),
        per_run,
    )
    .await?;
    let mut stumbles = Stumbles::default();
    for chunk in due.chunks(BATCH) {
        cx.check_stop()?;
        let open = look(cx, all, owner, chunk, &mut stumbles, &mut summary).await?;
        let ids: Vec<i64> = chunk.iter().map(|due| due.id).filter(|id| !open.contains(id)).collect();
        recheck::mark_poll(&cx.store, &ids).await?;
        summary.add("polls", ids.len());
    }
    Ok(summary)
}

/// A server whose clock is behind ours, or that asks the poll's own server first, calls it open for so long.
const LATE: TimeDelta = TimeDelta::days(1);

/// Asks for up to 20 statuses and keeps what changed. Gives those whose poll is to be asked for again: the server
/// stumbled over them, or does not call the poll ended yet.
async fn look(
    cx: &JobContext,
    all: &Config,
    owner: Owner<'_>,
    due: &[Due],
    stumbles: &mut Stumbles,
    summary: &mut Summary,
) -> Result<HashSet<i64>, JobError> {
    let login = cx.login()?;
    let ids: Vec<StatusId> = due.iter().map(|due| StatusId::new(due.server_id.clone())).collect();
    let together = login.client.raw_statuses(&ids).await;
    let mut found = stumbles.over(together)?.unwrap_or_default();
    let now = cx.clock.now();
    let mut open = HashSet::new();
    let seen: HashSet<String> = found.iter().filter_map(|body| server_id(body)).collect();
    let mut gone = Vec::new();
    for one in due.iter().filter(|one| !seen.contains(&one.server_id)) {
        // A list that leaves one out proves little; only the status's own address does.
        let alone = login.client.raw_status(&StatusId::new(one.server_id.clone())).await;
        match stumbles.over(alone)? {
            Some(Some(body)) => found.push(body),
            Some(None) => gone.push(one.id),
            None => {
                summary.add("failed", 1);
                open.insert(one.id);
            }
        }
    }
    let items: Vec<Item> = found
        .iter()
        .filter_map(|body| item::of_status(owner, body, NewActivity::default(), now))
        .map(|item| Item {
            activities: Vec::new(),
            ..item
        })
        .chain(found.iter().filter_map(|body| item::of_quoted(owner, body, now)))
        .collect();
    let page = Page {
        login: &login.name,
        server: &login.server,
        items: &items,
        cursor: None,
        live: true,
        now,
    };
    let saved = keep(cx, all, &page).await?;
    if all.save_json && saved.edited > 0 {
        json_files::write(
            &all.folder(&cx.store),
            &Page {
                items: &with_kinds(cx, due, &items).await?,
                ..page
            },
        )
        .await
        .map_err(|error| JobError::Transient(error.into()))?;
    }
    tell(summary, saved);
    recheck::mark_gone(&cx.store, &gone, now).await?;
    let ids: Vec<i64> = due.iter().map(|due| due.id).collect();
    recheck::mark_checked(&cx.store, &ids, now).await?;
    summary.add("looked_at", due.len());
    summary.add("gone", gone.len());
    if all.context.whole_threads {
        // Replies came since the thread was read.
        let own: Vec<i64> = archive::list(&cx.store, &ids)
            .await?
            .iter()
            .filter(|kept| kept.author == owner.acct && item::has_replies(&kept.body))
            .map(|kept| kept.id)
            .collect();
        recheck::want_context(&cx.store, &own).await?;
    }
    let by_id: HashMap<&str, i64> = due.iter().map(|due| (due.server_id.as_str(), due.id)).collect();
    let late = items
        .iter()
        .filter(|item| item.poll_ends_at.is_some_and(|end| end > now - LATE));
    open.extend(late.filter_map(|item| by_id.get(item.server_id.as_str())));
    for (flag, kind) in [
        ("favourited", "favourite"),
        ("bookmarked", "bookmark"),
        ("reblogged", "boost"),
    ] {
        // Only a clear no counts: other software leaves the flags out.
        let ended: Vec<i64> = found
            .iter()
            .filter(|body| raw_field(body, flag) == Some("false"))
            .filter_map(|body| by_id.get(server_id(body)?.as_str()).copied())
            .collect();
        summary.add(
            "taken_back",
            recheck::end(&cx.store, &login.name, kind, &ended, now).await?,
        );
    }
    Ok(open)
}

/// Statuses with what the login has to do with them, which says where their files are.
async fn with_kinds(cx: &JobContext, due: &[Due], items: &[Item]) -> Result<Vec<Item>, JobError> {
    let login = cx.login()?;
    let ids: Vec<i64> = due.iter().map(|due| due.id).collect();
    let activities = archive::activities(&cx.store, &ids).await?;
    let kinds = |item: &Item| -> Vec<NewActivity> {
        let id = due.iter().find(|due| due.server_id == item.server_id).map(|due| due.id);
        let mine = activities
            .iter()
            .filter(|one| Some(one.status) == id && one.login == login.name);
        mine.map(|one| NewActivity {
            kind: one.kind.clone(),
            ..NewActivity::default()
        })
        .collect()
    };
    let with = |item: &Item| Item {
        activities: kinds(item),
        ..item.clone()
    };
    Ok(items.iter().map(with).collect())
}

/// Asks for all versions of edited statuses.
async fn histories(
    cx: &JobContext,
    owner: Owner<'_>,
    per_run: u32,
    stumbles: &mut Stumbles,
    summary: &mut Summary,
) -> Result<(), JobError> {
    let login = cx.login()?;
    for due in recheck::due(&cx.store, &login.name, &login.server, Why::History, per_run).await? {
        cx.check_stop()?;
        let told = login.client.history(&StatusId::new(due.server_id.clone())).await;
        let Some(bodies) = stumbles.over(told)? else {
            // It stays due.
            summary.add("failed", 1);
            continue;
        };
        let now = cx.clock.now();
        let versions: Vec<_> = bodies
            .iter()
            .flatten()
            .filter_map(|body| item::of_edit(due.id, body, now))
            .collect();
        let kept = archive::load(&cx.store, due.id).await?;
        let own = kept.is_some_and(|kept| kept.author == owner.acct);
        let files: Vec<_> = bodies
            .iter()
            .flatten()
            .flat_map(|body| item::files_of_edit(body, own))
            .collect();
        let saved = recheck::save_versions(&cx.store, due.id, &versions, &files, now).await?;
        summary.add("versions", saved);
    }
    Ok(())
}

fn server_id(body: &str) -> Option<String> {
    item::id(&serde_json::from_str(raw_field(body, "id")?).ok()?)
}
