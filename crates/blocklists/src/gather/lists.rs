//! Lists: fetched, judged, kept.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use job::{JobContext, JobError, News, Summary};
use store::{
    Db,
    block_sources::{self, Leaving as Kept, Source as Stored},
    notices::Severity,
};
use tracing::info;

use super::fetch::{Fetched, fetch};
use crate::{
    config::Source,
    list::parse,
    safety::{Bounds, Judged, Leaving, Leavings, Said, judge},
    signature::sha256_hex,
};

/// Lists asked at the same time.
const AT_ONCE: usize = 8;

impl Source {
    fn bounds(&self) -> Bounds {
        // What people take and take back, one by one, is what they mean.
        if self.findings {
            return Bounds {
                shrink_percent: 100,
                shrink_rows: usize::MAX,
                grow_times: u32::MAX,
                copies: 1,
                after: std::time::Duration::ZERO,
            };
        }
        Bounds {
            shrink_percent: self.shrink_percent,
            shrink_rows: self.shrink_rows,
            grow_times: self.grow_times,
            copies: self.leave_copies,
            after: self.leave_after,
        }
    }
}

/// Reads every list (or, with `only_unread`, those never read well) and keeps what can be believed. A list that
/// cannot be had costs itself alone.
pub async fn refresh(cx: &JobContext, sources: Vec<Source>, only_unread: bool) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    cx.progress.begin("lists", Some(sources.len() as u64));
    let mut reads = stream::iter(sources)
        .map(|source| async move {
            cx.check_stop()?;
            refresh_one(cx, &source, only_unread).await
        })
        .buffer_unordered(AT_ONCE);
    while let Some(outcome) = reads.next().await {
        if let Some(counter) = outcome? {
            summary.add(counter, 1);
        }
        cx.progress.advance(1);
    }
    Ok(summary)
}

async fn refresh_one(cx: &JobContext, source: &Source, only_unread: bool) -> Result<Option<&'static str>, JobError> {
    let stored = block_sources::load(&cx.store, &source.name).await?;
    if only_unread && stored.as_ref().is_some_and(|stored| stored.good_at.is_some()) {
        return Ok(None);
    }
    let now = cx.clock.now();
    let mut before = stored.unwrap_or_else(|| empty(&source.name, now));
    let place = source.place();
    if before.place.as_ref().is_some_and(|known| *known != place) {
        // The config names another place now. Its last good copy counts until there is one from there.
        (before.etag, before.modified, before.cursor, before.whole_at) = (None, None, None, None);
    }
    let fetched = match fetch(cx, source, &before, now).await {
        Ok(fetched) => fetched,
        Err(super::fetch::FetchError::Net(net::Error::Stopped)) => return Err(JobError::Stopped),
        Err(error) => return fail(cx, &before, error.to_string(), now).await.map(Some),
    };
    // What counts is what came last: with a copy pending it is that one.
    let (taken, came) = match fetched {
        Fetched::Same => match before.pending.as_ref().or(before.body.as_ref()) {
            Some(text) => (take(cx, source, &before, text, now).await, None),
            None => (Err("HTTP 304 without a copy".to_owned()), None),
        },
        Fetched::Text {
            text,
            etag,
            modified,
            cursor,
            whole_at,
        } => (
            take(cx, source, &before, &text, now).await,
            Some((etag, modified, cursor, whole_at)),
        ),
    };
    let (mut after, leavings) = match taken {
        Ok(taken) => taken,
        Err(why) => return fail(cx, &before, why, now).await.map(Some),
    };
    if let Some(came) = came {
        (after.etag, after.modified, after.cursor, after.whole_at) = came;
    }
    after.place = Some(place);
    if before.trouble.is_some() {
        info!(list = source.name, "the list {} can be read again", source.name);
    }
    match &after.held {
        Some(why) if before.held.is_none() => {
            let text = format!(
                "the list {} is held: {why}; `egret blocks approve {}` if that is right",
                source.name, source.name
            );
            say(cx, "list_held", &source.name, &text).await;
        }
        None if before.held.is_some() => info!(list = source.name, "the list {} is no longer held", source.name),
        _ => {}
    }
    if !source.findings
        && let Some(changed) = after.changed_at
        && let Ok(age) = TimeDelta::from_std(source.max_age)
        && now - changed > age
        && before.checked_at - changed <= age
    {
        let day = changed.format("%Y-%m-%d");
        let text = format!(
            "the list {} is stale: unchanged since {day}; its entries stay",
            source.name
        );
        say(cx, "list_stale", &source.name, &text).await;
    }
    block_sources::save(&cx.store, &after, leavings.as_deref()).await?;
    Ok(Some(if after.held.is_some() { "held" } else { "read" }))
}

/// Tells people, once when it begins and not at each run.
async fn say(cx: &JobContext, kind: &'static str, list: &str, text: &str) {
    let news = News {
        feature: "blocklists",
        kind,
        about: list,
        severity: Severity::Warning,
        text,
    };
    job::tell(&cx.store, &*cx.clock, news).await;
}

fn empty(name: &str, now: DateTime<Utc>) -> Stored {
    Stored {
        name: name.to_owned(),
        body: None,
        pending: None,
        sha256: String::new(),
        row_count: 0,
        bad_count: 0,
        etag: None,
        modified: None,
        trouble: None,
        held: None,
        failures: 0,
        checked_at: now,
        good_at: None,
        changed_at: None,
        cursor: None,
        whole_at: None,
        place: None,
    }
}

/// Remembers that a fetch did not help. Said aloud once, not at each run.
async fn fail(cx: &JobContext, before: &Stored, why: String, now: DateTime<Utc>) -> Result<&'static str, JobError> {
    if before.trouble.is_none() {
        let last = if before.body.is_some() {
            ", its last good copy counts"
        } else {
            ""
        };
        let text = format!("the list {} cannot be read{last}: {why}", before.name);
        say(cx, "list_trouble", &before.name, &text).await;
    }
    let after = Stored {
        trouble: Some(why),
        failures: before.failures + 1,
        checked_at: now,
        ..before.clone()
    };
    block_sources::save(&cx.store, &after, None).await?;
    Ok("failed")
}

/// Judges a text; gives the row to save and, where they changed, the rows on their way out.
async fn take(
    cx: &JobContext,
    source: &Source,
    before: &Stored,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(Stored, Option<Vec<Kept>>), String> {
    let reading = source.reading();
    let new = parse(text, &reading).map_err(|error| error.to_string())?;
    if source.at_least.is_some_and(|least| new.rows.len() < least) {
        return Err(format!("{} rows, fewer than at_least", new.rows.len()));
    }
    if source.at_most.is_some_and(|most| new.rows.len() > most) {
        return Err(format!("{} rows, more than at_most", new.rows.len()));
    }
    let sha256 = sha256_hex(text.as_bytes());
    let kept = block_sources::leavings(&cx.store, &source.name)
        .await
        .map_err(|error| error.to_string())?;
    let mut after = Stored {
        row_count: i64::try_from(new.rows.len()).unwrap_or(i64::MAX),
        bad_count: i64::try_from(new.bad).unwrap_or(i64::MAX),
        trouble: None,
        failures: 0,
        checked_at: now,
        good_at: Some(now),
        changed_at: if sha256 == before.sha256 {
            before.changed_at
        } else {
            Some(now)
        },
        ..before.clone()
    };
    let is_same = before.body.as_deref() == Some(text);
    if is_same && kept.is_empty() {
        (after.sha256, after.pending, after.held) = (sha256, None, None);
        return Ok((after, None));
    }
    let old = before.body.as_deref().and_then(|body| parse(body, &reading).ok());
    let leaving = restored(kept);
    match judge(old.as_ref(), &new, &leaving, &source.bounds(), now) {
        Judged::Taken { leavings, held } => {
            after.body = Some(text.to_owned());
            (after.sha256, after.pending, after.held) = (sha256, None, held);
            Ok((after, Some(stored(&source.name, leavings))))
        }
        Judged::Pending(why) => {
            (after.pending, after.held) = (Some(text.to_owned()), Some(why));
            after.sha256 = sha256;
            (after.row_count, after.bad_count) = (before.row_count, before.bad_count);
            Ok((after, None))
        }
    }
}

pub(super) fn restored(kept: Vec<Kept>) -> Leavings {
    kept.into_iter()
        .filter_map(|row| {
            let said: Said = serde_json::from_value(row.said).ok()?;
            let missed = u32::try_from(row.missed).unwrap_or(u32::MAX);
            Some((
                row.domain,
                Leaving {
                    said,
                    missed,
                    since: row.since,
                },
            ))
        })
        .collect()
}

fn stored(source: &str, leavings: Leavings) -> Vec<Kept> {
    leavings
        .into_iter()
        .filter_map(|(domain, leaving)| {
            Some(Kept {
                source: source.to_owned(),
                domain,
                said: serde_json::to_value(leaving.said).ok()?,
                missed: leaving.missed.into(),
                since: leaving.since,
            })
        })
        .collect()
}

/// A human agrees to what is held: the newest copy counts as it is, and what it lost is lost. `false` when nothing
/// is held.
///
/// # Errors
/// When the store fails.
pub async fn approve(db: &Db, name: &str, now: DateTime<Utc>) -> Result<bool, store::Error> {
    let Some(mut source) = block_sources::load(db, name)
        .await?
        .filter(|source| source.held.is_some())
    else {
        return Ok(false);
    };
    if let Some(pending) = source.pending.take() {
        source.body = Some(pending);
    }
    source.held = None;
    source.changed_at = Some(now);
    block_sources::save(db, &source, Some(&[])).await?;
    Ok(true)
}
